//! Hydration of the room, which then runs in the browser and receives the page's events.

use super::background_sender;
use super::connection::ConnectionStatus;
use super::outbox_storage::warn_while_unsent;
use super::scroll_target::ScrollTarget;
use super::state::RoomState;
use super::timeline::Timeline;
use super::unread::Unread;
use crate::ui::browser::location::SavedScroll;
use crate::ui::browser::{clock, dom, location, storage};
use crate::ui::room_data::{RoomData, is_renewed};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Event, StorageEvent};

/// Starts the room in the browser: connects, listens to the page's events, and restores the scroll position. Does
/// nothing if hydration has failed, because another instance of the module takes over the room.
pub(crate) fn on_hydrate(room: RoomState) {
    let Some(container) = room.scroll.container.get_untracked() else { return };
    if container.closest("[data-failed]").is_ok_and(|failed| failed.is_some()) {
        return;
    }
    room.hydrated.set(true);
    let is_renewed = is_renewed();
    if is_renewed {
        // A page without data loads the room in the URL (below).
        if let Some(data) = RoomData::of_page() {
            show_renewed(room, data);
        }
    } else {
        room.load_room();
    }
    room.bind_commands();
    location::drop_query();
    room.notifications.start(move || room.title.get(), room.read_state.unread);
    save_read_position(room);
    listen(room);
    redraw_at_midnight(room);
    if !is_renewed {
        restore_scroll(room);
    } else if !room.is_at_url() {
        // The page contains the data of the room that was opened first, or none.
        room.restore_from_url();
    }
    room.update_read_position();
}

/// Loads the page's data, and the form that the server has refused, into the empty room.
fn show_renewed(room: RoomState, RoomData { page, rejected }: RoomData) {
    room.identity.username.set(page.username.as_ref().map(ToString::to_string));
    let target = ScrollTarget::of_url(location::saved_scroll(), page.permalink);
    let timeline = Timeline::new(&page);
    room.show(page, timeline, target);
    room.load_room();
    // Texts and fields that are no longer those of an empty room change the height of the composer.
    request_animation_frame(move || room.scroll.scroll_to(target));
    room.notice.set(rejected.map(|form| form.detail).unwrap_or_default());
}

/// Makes `hydrate.js` render the room again if something has removed the messages from the page, because new ones would
/// not appear. Call it right after rendering them.
pub(crate) fn renew_if_torn(room: RoomState) {
    let Some(container) = room.scroll.container.get_untracked() else { return };
    let last = room.timeline.with_untracked(Timeline::last);
    let holds = |seq| container.query_selector(&format!("#m{seq}")).is_ok_and(|item| item.is_some());
    if room.hydrated.get_untracked() && !(container.is_connected() && last.is_none_or(holds)) {
        renew(room);
    }
}

/// Stops everything that this instance of the module does, and makes `hydrate.js` render the room with another one.
fn renew(room: RoomState) {
    room.connection.close();
    room.visit.begin();
    room.stop_sending();
    dom::request_renewal();
}

fn save_read_position(room: RoomState) {
    // An `Option`, like the other memo: each type of memo adds to the module.
    let read = Memo::new(move |_| Some(room.read_state.unread.with(Unread::read)));
    Effect::new(move |_| {
        let name = room.name();
        if room.epoch().0.is_empty() {
            return;
        }
        // Another tab may have read further.
        storage::save_read_position(&name, read.get().max(storage::read_position(&name)).unwrap_or_default());
    });
}

fn listen(room: RoomState) {
    // `hydrate.js` dispatches it if something has replaced the composer, whose listeners are then lost.
    dom::on_window("parlour-torn", Box::new(move |_| renew(room)));
    dom::on_window("popstate", Box::new(move |_| room.restore_from_url()));
    for name in ["visibilitychange", "focus", "pointerdown", "keydown", "wheel"] {
        let on_event = move |event: Event| {
            if name == "visibilitychange" {
                // The day may have changed.
                room.schedule_redraw();
            }
            if name == "pointerdown" {
                room.dialogs.close_sidebar_outside(&event);
            }
            room.notifications.attend(!matches!(name, "visibilitychange" | "focus"));
            room.update_read_position();
        };
        dom::on_window(name, Box::new(on_event));
    }
    // `hydrate.js` dispatches it too when the composer or a keyboard changes the height of the messages.
    dom::on_window("resize", Box::new(move |_| room.scroll.restore_after_resize(room.follows())));
    dom::on_window("beforeunload", Box::new(move |_| room.save_scroll()));
    warn_while_unsent();
    dom::on_window("online", Box::new(move |_| room.retry_visit()));
    let on_storage = move |event: Event| {
        let key = event.unchecked_into::<StorageEvent>().key();
        if key.as_ref().is_some_and(|key| storage::is_read_key(key, &room.name())) {
            // Messages that were read in another tab count as read.
            room.read_state.mark_read(storage::read_position(&room.name()).unwrap_or_default());
        }
        if key.as_deref().is_some_and(storage::is_username_key) {
            room.follow_name();
        }
        if key.is_some_and(|key| storage::is_outbox_key(&key, None)) {
            // The value belongs to another room, or to this one.
            background_sender::start(true, None);
            room.sync_outbox();
            // A tab whose connection is closed permanently must not refuse the commands of other tabs.
            if !matches!(room.connection.status.get_untracked(), ConnectionStatus::Closed(_)) {
                room.flush_outbox();
                room.send_pending();
            }
        }
    };
    dom::on_window("storage", Box::new(on_storage));
    dom::on_window("keydown", Box::new(move |event| room.handle_shortcut(event.unchecked_ref())));
    dom::on_window("paste", Box::new(move |event| room.handle_paste(&event)));
}

/// Renders the messages at midnight: "Today" becomes a date.
fn redraw_at_midnight(room: RoomState) {
    let redraw = move || {
        room.schedule_redraw();
        redraw_at_midnight(room);
    };
    set_timeout(redraw, clock::until_midnight());
}

/// Scrolls to the saved position, or to the message in the URL. At a first visit, a visitor who has scrolled before
/// hydration stays there. A visitor who went back before hydration gets the room in the URL.
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
