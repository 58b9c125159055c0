//! The invitation in a room without messages.

use crate::ui::components::common::derived::when;
use crate::ui::components::sidebar::share_link::ShareLink;
use crate::ui::room::RoomState;
use leptos::prelude::*;

#[component]
pub(crate) fn EmptyRoom() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let is_private = when(move || room.page.with(|page| page.room.is_private()));
    view! {
        <h2>"It’s quiet in here."</h2>
        <p>"Send the link to somebody. " <span class="hidden-option" class:is-visible=is_private>"Only people with the link can join."</span></p>
        <ShareLink />
    }
}
