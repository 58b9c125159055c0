//! What was said here and is not yet in the log: on its way, or refused with the reason.

use super::room::RoomState;
use crate::ui::outbox::Pending;
use leptos::prelude::*;

#[component]
pub(super) fn PendingList() -> impl IntoView {
    let room = expect_context::<RoomState>();
    let pending = move || room.outbox.with(|outbox| outbox.pending().to_vec());
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
    let Pending { id, text, refused, .. } = pending;
    let is_refused = refused.is_some();
    let choices = refused.map(|reason| {
        let again = id.clone();
        let retry = move |_| room.retry(&again);
        let gone = id.clone();
        let discard = move |_| room.discard(&gone);
        view! {
            <p class="pending-reason" role="alert">
                {reason}
                <button class="button-quiet" on:click=retry>"Retry"</button>
                <button class="button-quiet" on:click=discard>"Discard"</button>
            </p>
        }
    });
    view! {
        <li class="pending" class:refused=is_refused data-id=id.as_str().to_owned()>
            <p class="message-text" dir="auto">{text}</p>
            {choices}
        </li>
    }
}
