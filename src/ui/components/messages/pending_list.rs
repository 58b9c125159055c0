//! Messages that are not in the log: pending, or refused with the reason.

use crate::ui::components::rows::row_list::{ListRow, row_list};
use crate::ui::room::RoomState;
use crate::ui::room::outbox::{OutboxCommand, PendingCommand};
use leptos::prelude::*;

#[component]
pub(crate) fn PendingList() -> impl IntoView {
    let room = expect_context::<RoomState>();
    // A pending edit or deletion is shown at its message.
    let is_shown = |pending: &&PendingCommand| {
        matches!(pending.command, OutboxCommand::Post { .. } | OutboxCommand::Moderate { .. })
            || pending.refused.is_some()
    };
    let pending = move || {
        room.outbox.with(|outbox| outbox.pending().iter().filter(is_shown).cloned().map(ListRow::Pending).collect())
    };
    view! {
        <ul class="pending-list" aria-label="Not sent yet">
            {row_list(Box::new(pending))}
        </ul>
    }
}
