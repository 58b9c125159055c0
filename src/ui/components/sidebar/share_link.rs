//! The invitation link of the room.

use crate::ui::browser::location;
use crate::ui::components::common::copy_button::{CopyButton, CopySource};
use crate::ui::components::common::derived::text;
use crate::ui::room::RoomState;
use leptos::html::Input;
use leptos::prelude::*;

#[component]
pub(crate) fn ShareLink() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let field = NodeRef::<Input>::new();
    let link = invite_link(room);
    view! {
        <p class="joined share-link">
            <input readonly aria-label="Invite link" prop:value=link value=link node_ref=field />
            <CopyButton class="button small" copied_text=link source=CopySource::Field(field) />
        </p>
    }
}

/// Returns the invitation link of the room. The server does not know the origin under which visitors reach it, so it
/// renders the path alone.
pub(super) fn invite_link(room: RoomState) -> Signal<String> {
    text(move || {
        let path = room.page.with(|page| page.invitation.clone());
        if room.hydrated.get() { format!("{}{path}", location::origin()) } else { path }
    })
}
