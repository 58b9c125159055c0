//! The address of the room, to be passed on.

use super::copy_button::CopyButton;
use super::room_state::RoomState;
use crate::ui::browser;
use leptos::prelude::*;

#[component]
pub(super) fn ShareLink(
    /// What it stands in.
    within: &'static str,
) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let link = Signal::derive(move || {
        let link = room.page.with(|page| page.invitation.clone());
        if room.awake.get() { format!("{}{link}", browser::origin()) } else { link }
    });
    view! {
        <p class="share-link">
            <input readonly aria-label="The link of this room" prop:value=link value=link />
            <CopyButton class="button" text=link selected=format!("{within} .share-link input") />
        </p>
    }
}
