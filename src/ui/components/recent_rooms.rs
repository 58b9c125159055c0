//! The visitor's rooms: the list, its rail beside the messages, and its section on the front page.

use super::common::derived::{text, when};
use super::dialogs::room_menu::RoomMenu;
use super::rows::row_list::{ListRow, row_list};
use crate::ui::browser::{dom, visited_rooms};
use crate::ui::room::RoomState;
use crate::ui::room::background_sender;
use crate::ui::room::outbox_storage::warn_while_unsent;
use crate::ui::room::recent_rooms::{RecentRoom, RecentRooms};
use crate::ui::room_list_data::RoomListData;
use leptos::prelude::*;
use web_sys::MouseEvent;

#[component]
pub(crate) fn RecentRoomList(
    /// The rooms to list, in order.
    rooms: Box<dyn Fn() -> Vec<ListRow> + Send + Sync>,
    /// Called with the path of the clicked room; without it the browser follows the link.
    #[prop(into)]
    on_open: Option<Callback<String>>,
) -> impl IntoView {
    let on_click = move |event: MouseEvent| {
        let path = || dom::closest(&event, "a")?.get_attribute("href");
        if let (Some(on_open), Some(path)) = (on_open, path())
            && dom::is_plain_click(&event)
        {
            event.prevent_default();
            on_open.run(path);
        }
    };
    view! { <ul class="rooms" on:click=on_click>{row_list(rooms)}</ul> }
}

/// Returns the row of a room in the list.
pub(crate) fn room_row(recent: RecentRooms) -> impl Fn(&RecentRoom) -> ListRow {
    move |row| ListRow::RecentRoom(recent, row.visited.room.clone())
}

/// The visitor's rooms on the front page, hidden while there are none.
#[island]
pub fn RecentRoomsSection() -> impl IntoView {
    let recent = RecentRooms::new(RoomListData::of_page());
    Effect::new(move || {
        warn_while_unsent();
        recent.start(when(|| true));
        background_sender::start(false, Some(recent));
    });
    let has_rooms = when(move || !recent.rooms.with(Vec::is_empty));
    let rooms = move || recent.rooms.with(|rooms| rooms.iter().map(room_row(recent)).collect());
    view! {
        <section class="front-rooms" class:is-visible=has_rooms class:is-hydrated=recent.hydrated aria-labelledby="front-rooms-title">
            <h2 id="front-rooms-title">"Your rooms"</h2>
            <RecentRoomList rooms=Box::new(rooms) on_open=None />
            <RoomMenu recent=recent />
        </section>
    }
}

/// The visitor's rooms beside the messages, on wide pages.
#[component]
pub(crate) fn RoomRail(recent: RecentRooms) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let (is_narrow, is_wide) = (RwSignal::new(false), RwSignal::new(false));
    let has_others = when(move || {
        recent.open.with(|open| recent.rooms.with(|rooms| rooms.iter().any(|row| row.visited.room.as_str() != open)))
    });
    let is_shown = when(move || is_wide.get() && has_others.get() || room.dialogs.switcher.get());
    Effect::new(move || {
        is_narrow.set(visited_rooms::is_rail_narrow());
        let measure = move || {
            if is_wide.get_untracked() != dom::is_wide() {
                is_wide.set(dom::is_wide());
            }
        };
        measure();
        dom::on_window("resize", Box::new(move |_| measure()));
        recent.start(is_shown);
    });
    Effect::new(move || {
        if room.hydrated.get() {
            room.notifications.is_muted.set(recent.mark_open(room));
            dom::mark_document("data-rooms", has_others.get().then_some(""));
            dom::mark_document("data-rail", is_narrow.get().then_some("narrow"));
        }
    });
    Effect::new(move || {
        if is_shown.get() && room.hydrated.get() {
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
                <button class="icon-button rail-toggle" aria-label=label title=label on:click=toggle>"‹"</button>
            </div>
            <RecentRoomList rooms=Box::new(rooms) on_open=Some(Callback::new(move |path| room.open(path))) />
        </nav>
    }
}
