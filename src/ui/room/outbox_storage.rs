//! The outboxes of all rooms in the browser's storage, which the tabs of the browser share.

use super::outbox::{Outbox, PendingCommand};
use crate::domain::{EventId, Rejection, RejectionCode, RoomName};
use crate::ui::browser::{dom, storage, web_lock};
use std::time::Duration;
use wasm_bindgen::JsCast;
use web_sys::{BeforeUnloadEvent, Event};

/// Maximum time to wait for the answer to a command, after which the connection is given up.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Returns the stored pending commands of a room, from all tabs.
pub(super) fn stored_commands(room: &RoomName) -> Vec<PendingCommand> {
    storage::pending_commands(room).filter_map(|stored| PendingCommand::parse_stored(&stored)).collect()
}

/// Updates the stored form of one command from the outbox of its room.
pub(super) fn save_command(room: &RoomName, outbox: &Outbox, id: &EventId) {
    match outbox.get(id) {
        Some(pending) => storage::save_pending(room, id, &pending.to_stored()),
        None => storage::remove_pending(room, id),
    }
}

/// Refuses all pending commands of a room that the server has closed permanently.
pub(super) fn refuse_all(room: &RoomName, outbox: &mut Outbox, reason: &str) {
    let rejection = Rejection::new(RejectionCode::Forbidden, reason);
    for PendingCommand { id, refused, .. } in outbox.pending().to_vec() {
        if refused.is_none() {
            outbox.refuse(&id, &rejection);
            save_command(room, outbox, &id);
        }
    }
}

/// Acquires the Web Lock for the outbox of a room. Earlier releases use a lock of this name too.
pub(super) async fn outbox_lock(room: &RoomName) -> Option<web_lock::WebLockGuard> {
    web_lock::acquire(&format!("parlour:outbox:{room}")).await
}

/// Returns the rooms in which commands wait for the server.
pub(crate) fn unsent_rooms() -> Vec<RoomName> {
    let mut rooms = storage::rooms_with_commands();
    rooms.retain(|room| stored_commands(room).iter().any(|pending| pending.refused.is_none()));
    rooms
}

/// Returns the number of commands of a room that are not in its log: pending, or refused and not discarded.
pub(crate) fn unsent_count(room: &RoomName) -> usize {
    stored_commands(room).len()
}

/// Makes the browser warn before the page closes, while commands are unsent or only the page holds a text.
pub(crate) fn warn_while_unsent() {
    let on_unload = |event: Event| {
        if storage::is_holding_text() || !unsent_rooms().is_empty() {
            let event: BeforeUnloadEvent = event.unchecked_into();
            event.prevent_default();
            event.set_return_value("unsent"); // for browsers of before 2024
        }
    };
    dom::on_window("beforeunload", Box::new(on_unload));
}
