//! Hydration of the room: from here on the browser runs it and the page's events reach it.

use super::connection::ConnectionStatus;
use super::state::RoomState;
use super::unread::Unread;
use crate::ui::browser::location::SavedScroll;
use crate::ui::browser::{clock, location, storage};
use leptos::ev;
use leptos::prelude::*;
use web_sys::StorageEvent;

/// Starts the room in the browser: connects, listens to the page's events, and restores the scroll position.
pub(crate) fn on_hydrate(room: RoomState) {
    room.hydrated.set(true);
    room.load_room();
    location::drop_query();
    room.notifications.start(move || room.title.get(), room.read_state.unread);
    save_read_position(room);
    listen(room);
    redraw_at_midnight(room);
    restore_scroll(room);
    room.update_read_position();
}

fn save_read_position(room: RoomState) {
    // An `Option`, like the other memo: each type of memo adds to the module.
    let read = Memo::new(move |_| Some(room.read_state.unread.with(Unread::read)));
    Effect::new(move |_| {
        // Another tab may have read further.
        let name = room.name();
        storage::save_read_position(&name, read.get().max(storage::read_position(&name)).unwrap_or_default());
    });
}

fn listen(room: RoomState) {
    window_event_listener(ev::popstate, move |_| room.restore_from_url());
    for name in ["visibilitychange", "focus", "pointerdown", "keydown", "wheel"] {
        window_event_listener_untyped(name, move |event| {
            if name == "visibilitychange" {
                // The day may have changed.
                room.schedule_redraw();
            }
            if name == "pointerdown" {
                room.dialogs.close_sidebar_outside(&event);
            }
            room.notifications.attend(!matches!(name, "visibilitychange" | "focus"));
            room.update_read_position();
        });
    }
    // `hydrate.js` dispatches it too when the composer or a keyboard changes the height of the messages.
    window_event_listener_untyped("resize", move |_| room.scroll.restore_after_resize(room.follows()));
    window_event_listener(ev::beforeunload, move |_| room.save_scroll());
    window_event_listener_untyped("storage", move |event| {
        let key = wasm_bindgen::JsCast::unchecked_into::<StorageEvent>(event).key();
        if key.as_ref().is_some_and(|key| storage::is_read_key(key, &room.name())) {
            // Messages that were read in another tab are read.
            room.read_state.mark_read(storage::read_position(&room.name()).unwrap_or_default());
        }
        if key.is_some_and(|key| storage::is_outbox_key(&key, &room.name())) {
            room.sync_outbox();
            // A tab whose connection is closed for good must not refuse the commands of other tabs.
            if !matches!(room.connection.status.get_untracked(), ConnectionStatus::Closed(_)) {
                room.flush_outbox();
                room.send_pending();
            }
        }
    });
    window_event_listener(ev::keydown, move |event| room.handle_shortcut(&event));
}

/// Renders the messages at midnight: "Today" becomes a date.
fn redraw_at_midnight(room: RoomState) {
    let redraw = move || {
        room.schedule_redraw();
        redraw_at_midnight(room);
    };
    set_timeout(redraw, clock::until_midnight());
}

/// Scrolls to the saved position, or to the message that the URL names. A visitor who has scrolled before hydration
/// stays there, at a first visit; one who went back before hydration is shown the room of the URL.
fn restore_scroll(room: RoomState) {
    room.scroll.update();
    let is_elsewhere = match location::saved_scroll() {
        Some(SavedScroll::At(_)) => true,
        // The page was rendered for the message of its URL.
        Some(SavedScroll::End) => location::current_room().is_some_and(|(_, seq)| seq.is_some()),
        None => false,
    };
    if room.scroll.remaining().1 == 0 || is_elsewhere || !room.is_at_url() {
        room.restore_from_url();
    }
}
