//! The list of the visitor's rooms, which the front page, the rail and the switcher show.

use super::rows::row_list::{ListRow, row_list};
use crate::ui::browser::dom;
use crate::ui::room::recent_rooms::{RecentRoom, RecentRooms};
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
