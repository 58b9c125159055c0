//! The confirmation before an own message is deleted.

use super::modal::use_modal;
use crate::ui::components::common::derived::when;
use crate::ui::room::RoomState;
use crate::ui::room::outbox::OutboxCommand;
use leptos::prelude::*;

/// Return value of the dialog once the visitor has confirmed.
const CONFIRMED: &str = "delete";

#[component]
pub(crate) fn DeleteDialog() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let deleting = room.dialogs.deleting;
    let dialog = use_modal(when(move || deleting.get().is_some()));
    let on_close = move |_| {
        let Some(target) = deleting.get_untracked() else { return };
        deleting.set(None);
        if dialog.get_untracked().is_none_or(|dialog| dialog.return_value() != CONFIRMED) {
            // The button that opened the dialog is in a menu that is closed.
            request_animation_frame(move || room.scroll.focus_message(target));
            return;
        }
        if room.editing.target.get_untracked() == Some(target) {
            room.stop_editing();
        }
        room.submit(OutboxCommand::Delete { target });
        request_animation_frame(move || room.editing.focus_on_desktop());
    };
    view! {
        <dialog class="dialog" aria-labelledby="delete-title" node_ref=dialog on:close=on_close>
            <form method="dialog">
                <h2 id="delete-title">"Remove this message?"</h2>
                <p>"It disappears for everybody. You can’t undo this."</p>
                <p class="dialog-choices">
                    <button class="button-quiet" value="">"Keep it"</button>
                    <button class="button-quiet danger" value="delete">"Remove"</button>
                </p>
            </form>
        </dialog>
    }
}
