//! The address of the room, to be passed on.

use super::room_state::RoomState;
use crate::ui::browser;
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

/// So long the button says that it has copied.
const SAID: Duration = Duration::from_secs(2);

#[component]
pub(super) fn ShareLink() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let field = NodeRef::<Input>::new();
    let copied = RwSignal::new(false);
    let link = Signal::derive(move || {
        let link = room.page.with(|page| page.invitation.clone());
        if room.awake.get() { format!("{}{link}", browser::origin()) } else { link }
    });
    let words = move || if copied.get() { "Copied" } else { "Copy" }.to_owned();
    let copy = move |_| {
        spawn_local(async move {
            if browser::copy(&link.get_untracked()).await {
                copied.set(true);
                set_timeout(move || copied.set(false), SAID);
            } else if let Some(field) = field.get_untracked() {
                // Without a clipboard the visitor copies what is selected.
                field.select();
            }
        });
    };
    view! {
        <p class="share-link">
            <input readonly aria-label="The link of this room" prop:value=link value=link node_ref=field />
            <button class="button" type="button" on:click=copy>{Signal::derive(words)}</button>
        </p>
    }
}
