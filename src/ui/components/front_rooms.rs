//! The visitor's rooms on the front page.

use super::common::derived::when;
use super::dialogs::room_menu::RoomMenu;
use super::recent_rooms::{RecentRoomList, room_row};
use crate::ui::room::background_sender;
use crate::ui::room::outbox_storage::warn_while_unsent;
use crate::ui::room::recent_rooms::RecentRooms;
use crate::ui::room_list_data::RoomListData;
use leptos::prelude::*;

/// The visitor's rooms on the front page, hidden while there are none.
#[island]
pub fn RecentRoomsSection() -> impl IntoView {
    let recent = RecentRooms::new(RoomListData::of_page());
    Effect::new(move || {
        warn_while_unsent();
        recent.start(when(|| true));
        recent.refresh();
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
