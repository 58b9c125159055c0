//! Messages that are not in the log: pending, or refused with the reason.

use super::message_text::MessageText;
use crate::ui::components::common::copy_button::{CopyButton, CopySource};
use crate::ui::components::common::derived::text;
use crate::ui::room::outbox::{OutboxCommand, PendingCommand};
use crate::ui::room::{ConnectionStatus, RoomState};
use leptos::html::Div;
use leptos::prelude::*;

#[component]
pub(crate) fn PendingList() -> impl IntoView {
    let room = expect_context::<RoomState>();
    // A pending edit or deletion is shown at its message.
    let is_shown = |pending: &&PendingCommand| {
        matches!(pending.command, OutboxCommand::Post { .. } | OutboxCommand::Moderate { .. })
            || pending.refused.is_some()
    };
    let pending =
        move || room.outbox.with(|outbox| outbox.pending().iter().filter(is_shown).cloned().collect::<Vec<_>>());
    view! {
        <ul class="pending-list" aria-label="Not yet sent">
            <For each=pending key=|pending| (pending.id.clone(), pending.refused.is_some()) let:pending>
                <PendingItem pending=pending />
            </For>
        </ul>
    }
}

#[component]
fn PendingItem(pending: PendingCommand) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let PendingCommand { id, command, refused, .. } = pending;
    let is_refused = refused.is_some();
    let typed = command.text().to_owned();
    let typed_text = NodeRef::<Div>::new();
    let can_edit = !matches!(command, OutboxCommand::Delete { .. });
    let choices = refused.map(|reason| {
        let copied = typed.clone();
        // If the composer asks for the name again, it announces the reason.
        let is_announced = room.identity.name_error.with_untracked(|error| error.as_ref() == Some(&reason));
        let role = (!is_announced).then_some("alert");
        let prefix = match command {
            OutboxCommand::Post { .. } => "",
            OutboxCommand::Edit { .. } => "Not edited: ",
            OutboxCommand::Delete { .. } => "Not removed: ",
            OutboxCommand::Moderate { .. } => "Not done: ",
        };
        view! {
            <p class="pending-reason" role=role>
                <span>{prefix}{reason}</span>
                <button class="button-quiet" data-action="retry">"Try again"</button>
                <CopyButton class="button-quiet" copied_text=text(move || copied.clone()) source=CopySource::Text(typed_text) />
                <button class="button-quiet" data-action="discard">"Discard"</button>
            </p>
        }
    });
    let state = text(move || match room.connection.status.get() {
        _ if is_refused => "",
        ConnectionStatus::Live => "sending…",
        _ => "waiting for the network",
    });
    view! {
        <li class="pending" class:refused=is_refused data-id=id.as_str().to_owned()>
            <div node_ref=typed_text>
                <MessageText text=typed note=None />
            </div>
            <span class="pending-state">
                {state}
                <button class="button-quiet" class:is-visible=can_edit data-action="edit-pending">"Edit"</button>
                <button class="button-quiet" class:is-visible=!is_refused data-action="cancel">"Cancel"</button>
            </span>
            {choices}
        </li>
    }
}
