//! The dialog that changes the visitor's name, in all rooms as the form on the settings page does.

use super::modal::use_modal;
use crate::ui::components::common::derived::text;
use crate::ui::room::RoomState;
use leptos::html::Input;
use leptos::prelude::*;
use web_sys::SubmitEvent;

#[component]
pub(crate) fn RenameDialog() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let is_open = room.identity.is_renaming;
    let dialog = use_modal(is_open.into());
    let field = NodeRef::<Input>::new();
    Effect::new(move || {
        if let Some(field) = field.get().filter(|_| is_open.get()) {
            room.identity.rename_error.set(String::new());
            field.set_value(&room.identity.username.get_untracked().unwrap_or_default());
            field.select();
        }
    });
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        let name = field.get_untracked().map(|field| field.value().trim().to_owned()).unwrap_or_default();
        room.identity.rename_error.set(String::new());
        room.rename(name);
    };
    let error = text(move || room.identity.rename_error.get());
    view! {
        <dialog class="dialog rename" aria-labelledby="rename-title" node_ref=dialog on:close=move |_| is_open.set(false)>
            <form on:submit=on_submit>
                <h2 id="rename-title">"Your name"</h2>
                <p class="joined">
                <input
                    aria-labelledby="rename-title"
                    aria-describedby="rename-error"
                    autocomplete="nickname"
                    maxlength="256"
                    dir="auto"
                    node_ref=field
                />
                </p>
                <p id="rename-error" role="alert">{error}</p>
                <p class="dialog-choices">
                    <button type="button" class="button-quiet" on:click=move |_| is_open.set(false)>"Cancel"</button>
                    <button class="button">"Save"</button>
                </p>
            </form>
        </dialog>
    }
}
