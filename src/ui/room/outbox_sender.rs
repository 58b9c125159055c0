//! Sends the outbox. The tabs of a browser share one outbox and one Web Lock for each room: the tab that holds the lock
//! sends all pending commands in order and releases it once the server has acknowledged them.

use super::connection::ConnectionStatus;
use super::connection_state::close_reason;
use super::outbox::{Outbox, OutboxCommand, PendingCommand};
use super::send_lock::SendLock;
use super::state::RoomState;
use crate::domain::message::MessageTextError;
use crate::domain::{Rejection, RejectionCode};
use crate::protocol::{ClientFrame, MAX_FRAME_BYTES};
use crate::ui::browser::{storage, web_lock};
use futures_channel::oneshot;
use leptos::prelude::*;
use leptos::task::spawn_local;

impl RoomState {
    /// Returns the stored pending commands of all tabs.
    pub(super) fn stored_commands(self) -> Vec<PendingCommand> {
        storage::pending_commands(&self.name()).filter_map(|stored| PendingCommand::parse_stored(&stored)).collect()
    }

    /// Sends the next pending command, once this tab holds the lock.
    pub(super) fn send_pending(self) {
        if !self.outbox.with_untracked(Outbox::has_pending) {
            return;
        }
        match self.connection.status.get_untracked() {
            ConnectionStatus::Live => {}
            ConnectionStatus::Closed(code) => return self.refuse_pending(code),
            _ => return,
        }
        let is_held = self.send_lock.with_value(|lock| match lock {
            SendLock::Idle => Some(false),
            SendLock::Requested => None,
            SendLock::Held(_) => Some(true),
        });
        match is_held {
            Some(true) => self.send_next(),
            Some(false) => self.request_lock(),
            None => {}
        }
    }

    fn request_lock(self) {
        self.send_lock.set_value(SendLock::Requested);
        let (name, visit) = (self.name(), self.visit.latest());
        spawn_local(async move {
            // Earlier releases use a lock of this name too.
            let _guard = web_lock::acquire(&format!("parlour:outbox:{name}")).await;
            let is_requested = self.send_lock.with_value(|lock| matches!(lock, SendLock::Requested));
            if !is_requested || !self.visit.is_latest(visit) {
                return;
            }
            let (release, released) = oneshot::channel();
            self.send_lock.set_value(SendLock::Held(release));
            self.sync_outbox();
            self.flush_outbox();
            let _ = released.await;
        });
    }

    /// Sends the next pending command after one was answered, or releases the lock if there is none.
    pub(super) fn flush_outbox(self) {
        self.send_pending();
        if !self.outbox.with_untracked(Outbox::has_pending) {
            self.release_lock();
        }
    }

    /// Refuses all pending commands: the server has closed the connection for good.
    fn refuse_pending(self, code: u16) {
        let rejection = Rejection::new(RejectionCode::Forbidden, close_reason(code));
        for PendingCommand { id, refused, .. } in self.outbox.with_untracked(|outbox| outbox.pending().to_vec()) {
            if refused.is_none() {
                self.change_outbox(&id, |outbox| outbox.refuse(&id, &rejection));
            }
        }
    }

    /// Stops sending while there is no connection: another tab that has one may send first.
    pub(super) fn stop_sending(self) {
        self.release_lock();
        self.outbox.update_untracked(Outbox::reset_in_flight);
    }

    fn release_lock(self) {
        self.send_lock.update_value(|lock| {
            if let SendLock::Held(release) = std::mem::take(lock) {
                let _ = release.send(());
            }
        });
    }

    /// Takes over the changes that other tabs have made to the stored outbox.
    pub(super) fn sync_outbox(self) {
        self.scroll.update();
        self.outbox.update(|outbox| outbox.merge_stored(self.stored_commands()));
    }

    fn send_next(self) {
        let mut next = None;
        self.outbox.update_untracked(|outbox| next = outbox.take_next());
        if let Some(next) = next {
            // Whoever reloads the page must not take back what may be in the log.
            storage::save_pending(&self.name(), &next.id, &next.to_stored());
            let PendingCommand { id, command, .. } = next;
            let key = Some(id.as_str().to_owned());
            let frame = match command {
                OutboxCommand::Post { username, text } => ClientFrame::Post { id: key, message: text, username },
                OutboxCommand::Edit { target, text } => ClientFrame::Edit { id: key, target, text },
                OutboxCommand::Delete { target } => ClientFrame::Delete { id: key, target },
            };
            // The server closes a connection that sends a longer frame; it would not refuse the command.
            if frame.encode().len() > MAX_FRAME_BYTES {
                self.change_outbox(&id, |outbox| outbox.refuse(&id, &MessageTextError::TooLong.into()));
                return self.flush_outbox();
            }
            self.connection.send(frame);
        }
    }
}
