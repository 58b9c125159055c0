//! The rooms that this browser has visited, with the numbers of unread and unsent messages.

use super::derived::when;
use crate::domain::ReadMarker;
use crate::domain::history::MAX_UNREAD_COUNT;
use crate::ui::browser::dom;
use crate::ui::room::background_sender;
use crate::ui::room::outbox_storage::warn_while_unsent;
use crate::ui::room::recent_rooms::{RecentRoom, RecentRooms};
use leptos::prelude::*;

#[component]
pub(crate) fn RecentRoomList(
    recent: RecentRooms,
    /// Called with the path of the clicked room; without it the browser follows the link.
    #[prop(into)]
    on_open: Option<Callback<String>>,
) -> impl IntoView {
    let item = move |(ReadMarker { room, .. }, unread, unsent): RecentRoom| {
        let path = room.path();
        let opened = path.clone();
        let on_click = move |event: web_sys::MouseEvent| {
            if let Some(on_open) = on_open
                && dom::is_plain_click(&event)
            {
                event.prevent_default();
                on_open.run(opened.clone());
            }
        };
        let count = if unread >= MAX_UNREAD_COUNT { format!("{}+", MAX_UNREAD_COUNT - 1) } else { unread.to_string() };
        let badge = (unread > 0)
            .then(|| view! { <span class="recent-unread">{count}<span class="visually-hidden">" new"</span></span> });
        let unsent = if unsent > 0 { format!("{unsent} not sent") } else { String::new() };
        view! {
            <li>
                <a class="recent-room" href=path on:click=on_click>
                    <span dir="auto">{room.title().to_owned()}</span>
                    <span class="recent-unsent">{unsent}</span>
                    {badge}
                </a>
            </li>
        }
    };
    view! { <ul class="recent-rooms">{move || recent.rooms.get().into_iter().map(item).collect::<Vec<_>>()}</ul> }
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
