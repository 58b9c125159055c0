//! The rooms that this browser has visited, with the numbers of unread and unsent messages.

use super::common::derived::when;
use super::rows::row_list::{ListRow, row_list};
use crate::domain::ReadMarker;
use crate::ui::browser::dom;
use crate::ui::room::background_sender;
use crate::ui::room::outbox_storage::warn_while_unsent;
use crate::ui::room::recent_rooms::{RecentRoom, RecentRooms};
use leptos::prelude::*;
use web_sys::MouseEvent;

#[component]
pub(crate) fn RecentRoomList(
    recent: RecentRooms,
    /// Called with the path of the clicked room; without it the browser follows the link.
    #[prop(into)]
    on_open: Option<Callback<String>>,
) -> impl IntoView {
    let rooms = move || {
        let row = |(ReadMarker { room, .. }, ..): &RecentRoom| ListRow::RecentRoom(recent, room.clone());
        recent.rooms.with(|rooms| rooms.iter().map(row).collect())
    };
    let on_click = move |event: MouseEvent| {
        let path = || dom::closest(&event, "a")?.get_attribute("href");
        if let (Some(on_open), Some(path)) = (on_open, path())
            && dom::is_plain_click(&event)
        {
            event.prevent_default();
            on_open.run(path);
        }
    };
    view! { <ul class="recent-rooms" on:click=on_click>{row_list(Box::new(rooms))}</ul> }
}

/// The recent rooms on the front page, hidden while there are none.
#[island]
pub fn RecentRoomsSection() -> impl IntoView {
    let recent = RecentRooms::new();
    Effect::new(move || {
        warn_while_unsent();
        recent.refresh();
        background_sender::start(false, Some(recent));
    });
    let has_rooms = when(move || !recent.rooms.with(Vec::is_empty));
    view! {
        <section class="front-recent" class:is-visible=has_rooms aria-label="Recent rooms">
            <h2>"Recent rooms"</h2>
            <RecentRoomList recent=recent on_open=None />
        </section>
    }
}
