//! The last result of an action, or the reason why it was refused.

use super::derived::text;
use crate::ui::room::RoomState;
use leptos::prelude::*;

#[component]
pub(crate) fn Notice() -> impl IntoView {
    let room = expect_context::<RoomState>();
    view! { <p class="notice" role="status">{text(move || room.notice.get())}</p> }
}
