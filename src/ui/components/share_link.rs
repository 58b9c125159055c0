//! The address of the room, to be passed on.

use super::copy_button::CopyButton;
use super::room_state::RoomState;
use crate::ui::browser;
use leptos::html::Input;
use leptos::prelude::*;

#[component]
pub(super) fn ShareLink() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let field = NodeRef::<Input>::new();
    let link = Signal::derive(move || {
        let link = room.page.with(|page| page.invitation.clone());
        if room.awake.get() { format!("{}{link}", browser::origin()) } else { link }
    });
    let select = Callback::new(move |()| {
        if let Some(field) = field.get_untracked() {
            field.select();
        }
    });
    view! {
        <p class="share-link">
            <input readonly aria-label="The link of this room" prop:value=link value=link node_ref=field />
            <CopyButton class="button" text=link select=select />
        </p>
    }
}
