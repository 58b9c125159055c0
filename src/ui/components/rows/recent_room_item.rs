//! A room that this browser has visited. Its counts change while its row stays.

use crate::domain::RoomName;
use crate::domain::history::MAX_UNREAD_COUNT;
use crate::ui::components::common::derived::{text, when};
use crate::ui::room::recent_rooms::RecentRooms;
use leptos::prelude::*;

#[component]
pub(super) fn RecentRoomItem(recent: RecentRooms, room: RoomName) -> impl IntoView {
    let (path, title) = (room.path(), room.title().to_owned());
    let counts = StoredValue::new(room);
    let counts = move || counts.with_value(|room| recent.counts_of(room));
    let unread = text(move || match counts().0 {
        0 => String::new(),
        count if count >= MAX_UNREAD_COUNT => format!("{}+", MAX_UNREAD_COUNT - 1),
        count => count.to_string(),
    });
    let unsent = text(move || match counts().1 {
        0 => String::new(),
        count => format!("{count} not sent"),
    });
    view! {
        <li>
            <a class="recent-room" href=path>
                <span dir="auto">{title}</span>
                <span class="recent-unsent">{unsent}</span>
                <span class="recent-unread" class:is-visible=when(move || counts().0 > 0)>
                    {unread}
                    <span class="visually-hidden">{text(move || if counts().0 > 0 { " new" } else { "" })}</span>
                </span>
            </a>
        </li>
    }
}
