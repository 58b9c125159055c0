//! Asks before an own message is removed.

use super::room_state::RoomState;
use crate::ui::outbox::Wish;
use leptos::html::Dialog;
use leptos::prelude::*;

#[component]
pub(super) fn RemovalDialog() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move || {
        let Some(dialog) = dialog.get() else { return };
        match room.removing.get() {
            Some(_) => drop(dialog.show_modal()),
            // Closing gives the focus back to where it was.
            None => dialog.close(),
        }
    });
    let remove = move |_| {
        if let Some(target) = room.removing.get_untracked() {
            room.editing.set(None);
            room.wish(Wish::Delete { target });
        }
        room.removing.set(None);
    };
    view! {
        <dialog class="dialog" aria-labelledby="removal-title" node_ref=dialog on:close=move |_| room.removing.set(None)>
            <h2 id="removal-title">"Remove this message?"</h2>
            <p>"It goes for everybody, and does not come back."</p>
            <p class="dialog-choices">
                <button class="button-quiet" on:click=move |_| room.removing.set(None)>"Keep"</button>
                <button class="button" on:click=remove>"Remove"</button>
            </p>
        </dialog>
    }
}
