//! The room: the island that is rendered on the server and lives on in the browser.

use super::attention::Announcer;
use super::composer::Composer;
use super::connection_status::ConnectionStatusBar;
use super::handed::Handed;
use super::message_list::MessageList;
use super::moderation::ModerationDialog;
use super::notice::Notice;
use super::participant_list::ParticipantList;
use super::removal::RemovalDialog;
use super::room_header::RoomHeader;
use super::room_state::RoomState;
use super::room_switcher::RoomSwitcher;
use super::typing_line::TypingLine;
use super::unread_pill::UnreadPill;
use crate::domain::RoomPage;
use crate::ui::Refused;
use crate::ui::browser::address::{self, Left};
use crate::ui::browser::{self, clock, kept};
use crate::ui::live::ConnectionStatus;
use crate::ui::unread::Unread;
use leptos::ev;
use leptos::prelude::*;
use web_sys::StorageEvent;

/// A room: its messages, the composer, who is here, and how the connection is.
#[island]
pub fn Room(
    /// What the server has rendered.
    page: Handed<RoomPage>,
    /// A message that was sent by form and refused.
    refused: Handed<Option<Refused>>,
) -> impl IntoView {
    let room = RoomState::new(page.0);
    provide_context(room);
    Effect::new(move || wake(room));
    view! {
        <div class="room" class:awake=Signal::derive(move || room.awake.get())>
            <RoomHeader />
            <ConnectionStatusBar />
            <main class="room-body">
                <MessageList />
                <ParticipantList />
                <div class="room-foot">
                    <UnreadPill />
                    <Notice />
                    <TypingLine />
                    <Composer refused=refused.0 />
                </div>
            </main>
            <RoomSwitcher />
            <RemovalDialog />
            <ModerationDialog />
            <Announcer attention=room.attention />
        </div>
    }
}

/// The browser takes over.
fn wake(room: RoomState) {
    room.awake.set(true);
    room.begin();
    address::drop_query();
    room.attention.start(move || room.title.get());

    // An `Option`, as the other memo has it: one type less to download.
    let read = Memo::new(move |_| Some(room.unread.with(Unread::read)));
    Effect::new(move |_| {
        // Another tab may have read further.
        let name = room.name();
        kept::keep_read(&name, read.get().max(kept::read(&name)).unwrap_or_default());
    });

    window_event_listener(ev::popstate, move |_| room.come_back());
    window_event_listener(ev::visibilitychange, move |_| {
        // It may be another day.
        room.draw();
        room.look();
    });
    draw_at_midnight(room);
    let width = StoredValue::new(browser::width());
    window_event_listener_untyped("resize", move |_| {
        let before = width.get_value();
        width.set_value(browser::width());
        if before != width.get_value() {
            room.place.rewrap(room.follows());
        }
    });
    window_event_listener(ev::beforeunload, move |_| room.note_place());
    window_event_listener_untyped("storage", move |event| {
        let key = wasm_bindgen::JsCast::unchecked_into::<StorageEvent>(event).key();
        if key.is_some_and(|key| kept::is_of_outbox(&key, &room.name())) {
            room.read_kept();
            // A tab that is shut out knows nothing of those that are not.
            if !matches!(room.status.get_untracked(), ConnectionStatus::Closed(_)) {
                room.go_on();
                room.send_waiting();
            }
        }
    });
    window_event_listener(ev::keydown, move |event| match event.key().as_str() {
        _ if browser::is_stray_typing(&event) => browser::focus_composer(),
        // These keys are the input method's.
        _ if browser::composes(&event) => {}
        "k" if event.ctrl_key() || event.meta_key() => {
            event.prevent_default();
            room.switching.update(|shown| *shown = !*shown);
        }
        "Escape"
            if event.default_prevented()
                || room.switching.get_untracked()
                || room.removing.get_untracked().is_some()
                || room.moderating.get_untracked().is_some() => {}
        "Escape" if room.showing_participants.get_untracked() => room.showing_participants.set(false),
        "Escape" if room.editing.get_untracked().is_some() => room.stop_editing(),
        "Escape" => room.go_to_the_end(),
        _ => {}
    });

    // Where the reader was before the page was left, or what the address names. At a first visit, whoever has scrolled by
    // now stays there; whoever went back by now is shown the room that they went back to.
    room.place.look();
    let is_elsewhere = match address::left() {
        Some(Left::At(_)) => true,
        // The page has come as the address names it.
        Some(Left::End) => address::named().is_some_and(|(_, seq)| seq.is_some()),
        None => false,
    };
    if room.place.left().1 == 0 || is_elsewhere || !room.is_at_its_address() {
        room.come_back();
    }
    room.look();
}

/// What was today is yesterday from then on.
fn draw_at_midnight(room: RoomState) {
    set_timeout(
        move || {
            room.draw();
            draw_at_midnight(room);
        },
        clock::until_midnight(),
    );
}
