//! Announcements of new messages for screen readers.

use super::derived::text;
use crate::ui::room::RoomState;
use leptos::prelude::*;

#[component]
pub(crate) fn Announcer() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let announcement = text(move || room.notifications.announcement.get());
    view! { <p class="announcer visually-hidden" role="status">{announcement}</p> }
}
