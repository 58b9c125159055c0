//! The visitor's rooms beside the messages, on wide pages.

use super::common::derived::{text, when};
use super::common::icon::{Icon, Symbol};
use super::recent_rooms::{RecentRoomList, room_row};
use crate::ui::browser::{dom, visited_rooms};
use crate::ui::room::RoomState;
use crate::ui::room::recent_rooms::RecentRooms;
use leptos::prelude::*;

/// The rail. It marks the document for the styles: whether there are other rooms than the open one, and how wide the
/// visitor wants it.
#[component]
pub(crate) fn RoomRail(recent: RecentRooms) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let switcher = room.dialogs.switcher;
    let (is_narrow, is_wide, is_shown) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    let is_listed = when(move || is_shown.get() || switcher.get());
    Effect::new(move || {
        is_narrow.set(visited_rooms::is_rail_narrow());
        let measure = move || set_if_changed(is_wide, dom::is_wide());
        measure();
        dom::on_window("resize", Box::new(move |_| measure()));
        recent.start(is_listed);
    });
    Effect::new(move || {
        if room.hydrated.get() {
            room.notifications.is_muted.set(recent.mark_open(room));
            let open = recent.open.get();
            let has_others = recent.rooms.with(|rooms| rooms.iter().any(|row| row.visited.room.as_str() != open));
            dom::mark_document("data-rooms", has_others.then_some(""));
            dom::mark_document("data-rail", is_narrow.get().then_some("narrow"));
            set_if_changed(is_shown, has_others && is_wide.get());
        }
    });
    Effect::new(move || {
        if is_shown.get() {
            recent.refresh();
        }
    });
    Effect::new(move || {
        if switcher.get() {
            recent.refresh();
        }
    });
    Effect::new(move || {
        if is_listed.get() {
            recent.show_open(room);
        }
    });
    let toggle = move |_| {
        is_narrow.update(|is_narrow| *is_narrow = !*is_narrow);
        visited_rooms::save_rail(is_narrow.get_untracked());
    };
    let label =
        text(move || if is_narrow.get() { "Show the names of your rooms" } else { "Hide the names of your rooms" });
    let rooms = move || recent.rooms.with(|rooms| rooms.iter().map(room_row(recent)).collect());
    view! {
        <nav class="rail" aria-labelledby="rail-title">
            <div class="rail-head">
                <h2 id="rail-title">"Your rooms"</h2>
                <button class="icon-button rail-toggle" aria-label=label title=label on:click=toggle><Icon symbol=Symbol::Back /></button>
            </div>
            <RecentRoomList rooms=Box::new(rooms) on_open=Some(Callback::new(move |path| room.open(path))) />
        </nav>
    }
}

/// Sets a signal if its value changes, so that the effects that track it run only then.
fn set_if_changed(signal: RwSignal<bool>, value: bool) {
    if signal.get_untracked() != value {
        signal.set(value);
    }
}
