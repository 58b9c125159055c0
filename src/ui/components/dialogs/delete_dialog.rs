//! The confirmation before an own message is deleted.

use super::modal::use_modal;
use crate::ui::components::common::derived::when;
use crate::ui::room::RoomState;
use crate::ui::room::outbox::OutboxCommand;
use leptos::prelude::*;

#[component]
pub(crate) fn DeleteDialog() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let deleting = room.dialogs.deleting;
    let dialog = use_modal(when(move || deleting.get().is_some()));
    // The button that opened the dialog is hidden by then, because it is visible only while the pointer is on its
    // message.
    let on_close = move |_| {
        if let Some(target) = deleting.get_untracked() {
            deleting.set(None);
            request_animation_frame(move || room.scroll.focus_message(target));
        }
    };
    let close = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let delete = move |_| {
        if let Some(target) = deleting.get_untracked() {
            deleting.set(None);
            if room.editing.target.get_untracked() == Some(target) {
                room.stop_editing();
            }
            room.submit(OutboxCommand::Delete { target });
            request_animation_frame(move || room.editing.focus_on_desktop());
        }
    };
    view! {
        <dialog class="dialog" aria-labelledby="delete-title" node_ref=dialog on:close=on_close>
            <h2 id="delete-title">"Remove this message?"</h2>
            <p>"It disappears for everybody. You can’t undo this."</p>
            <p class="dialog-choices">
                <button class="button-quiet" on:click=close>"Keep"</button>
                <button class="button" on:click=delete>"Remove"</button>
            </p>
        </dialog>
    }
}
