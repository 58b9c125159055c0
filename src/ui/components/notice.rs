//! What was last done about the room, or refused.

use super::room_state::RoomState;
use leptos::prelude::*;

#[component]
pub(super) fn Notice() -> impl IntoView {
    let room = expect_context::<RoomState>();
    view! { <p class="notice" role="status">{Signal::derive(move || room.notice.get())}</p> }
}
