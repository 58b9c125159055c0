//! The last result of an action, or the reason why it was refused.

use super::derived::{text, when};
use crate::ui::room::RoomState;
use leptos::prelude::*;

#[component]
pub(crate) fn Notice() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let notice = text(move || room.notice.get());
    let can_undo = when(move || room.undo_notice.with(|told| !told.is_empty() && *told == notice.get()));
    // Screen readers are told; everybody else reads it between the messages.
    let is_told = when(move || !can_undo.get() && room.event_notice.with(|told| *told == notice.get()));
    view! {
        <div class="notice-row">
            <p class="notice" class:visually-hidden=is_told role="status">{notice}</p>
            <button class="button-quiet" class:is-visible=can_undo on:click=move |_| room.undo_moderation()>"Undo"</button>
        </div>
    }
}
