//! What was said here and is not yet in the log: on its way, or refused with the reason.

use super::copy_button::CopyButton;
use super::message_text::MessageText;
use super::room_state::RoomState;
use crate::ui::browser;
use crate::ui::live::ConnectionStatus;
use crate::ui::outbox::{Pending, Wish};
use leptos::prelude::*;

#[component]
pub(super) fn PendingList() -> impl IntoView {
    let room = expect_context::<RoomState>();
    // A change on its way is shown at its message.
    let is_shown = |it: &&Pending| matches!(it.wish, Wish::Post { .. }) || it.refused.is_some();
    let pending =
        move || room.outbox.with(|outbox| outbox.pending().iter().filter(is_shown).cloned().collect::<Vec<_>>());
    view! {
        <ul class="pending-list" aria-label="Not yet sent">
            <For each=pending key=|it| (it.id.clone(), it.refused.is_some()) let:pending>
                <PendingItem pending=pending />
            </For>
        </ul>
    }
}

#[component]
fn PendingItem(pending: Pending) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let Pending { id, wish, refused, .. } = pending;
    let is_refused = refused.is_some();
    let key = id.as_str().to_owned();
    let text = wish.text().to_owned();
    let choices = refused.map(|reason| {
        let (again, gone, copied) = (id.clone(), id, text.clone());
        let selected = format!("[data-id='{key}'] .message-text");
        // These buttons go with what they are about.
        let retry = move |_| {
            room.retry(&again);
            browser::offer_composer();
        };
        let discard = move |_| {
            room.discard(&gone);
            browser::offer_composer();
        };
        // The composer says it, where it asks for the name again.
        let role = room.name_refused.with_untracked(|it| it.as_ref() != Some(&reason)).then_some("alert");
        let what = match wish {
            Wish::Post { .. } => "",
            Wish::Edit { .. } => "Not changed: ",
            Wish::Delete { .. } => "Not removed: ",
        };
        view! {
            <p class="pending-reason" role=role>
                <span>{what}{reason}</span>
                <button class="button-quiet" on:click=retry>"Retry"</button>
                <CopyButton class="button-quiet" text=Signal::derive(move || copied.clone()) selected=selected />
                <button class="button-quiet" on:click=discard>"Discard"</button>
            </p>
        }
    });
    let state = move || {
        let words = match room.status.get() {
            _ if is_refused => "",
            ConnectionStatus::Live => "sending…",
            _ => "waiting for the network",
        };
        words.to_owned()
    };
    view! {
        <li class="pending" class:refused=is_refused data-id=key>
            <MessageText text=text note=None />
            <span class="pending-state">{Signal::derive(state)}</span>
            {choices}
        </li>
    }
}
