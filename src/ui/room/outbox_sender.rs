//! Sends the outbox. The tabs of a browser share one outbox and one Web Lock for each room: the tab that holds the lock
//! sends all pending commands in order and releases it once the server has acknowledged them.

use super::connection::ConnectionStatus;
use super::connection_state::close_reason;
use super::outbox::{Outbox, PendingCommand};
use super::outbox_storage::{ANSWER_TIMEOUT, outbox_lock, refuse_all, save_command, stored_commands};
use super::send_lock::SendLock;
use super::state::RoomState;
use crate::domain::message::MessageTextError;
use crate::ui::browser::storage;
use futures_channel::oneshot;
use leptos::prelude::*;
use leptos::task::spawn_local;
impl RoomState {
    /// Sends the next pending command, once this tab holds the lock.
    pub(super) fn send_pending(self) {
        if !self.outbox.with_untracked(Outbox::has_pending) {
            return;
        }
        match self.connection.status.get_untracked() {
            ConnectionStatus::Live => {}
            ConnectionStatus::Closed(code) => return self.refuse_pending(close_reason(code)),
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
            let _guard = outbox_lock(&name).await;
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

    /// Refuses all pending commands of the room.
    pub(super) fn refuse_pending(self, reason: &str) {
        self.scroll.update();
        self.outbox.update(|outbox| refuse_all(&self.name(), outbox, reason));
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

    /// Merges the changes that other tabs have made to the stored outbox. Commands for another epoch of the room are
    /// left to the tab that has loaded it, or to the next [`bind_commands`](Self::bind_commands).
    pub(super) fn sync_outbox(self) {
        let (name, epoch) = (self.name(), self.epoch());
        let mut stored = stored_commands(&name);
        stored.retain(|pending| pending.epoch.as_ref().is_none_or(|bound| *bound == epoch || epoch.0.is_empty()));
        self.scroll.update();
        self.outbox.update(|outbox| outbox.merge_stored(stored));
    }

    /// Binds all stored commands and unfinished edits to the current epoch of the room, and tells the visitor which of
    /// them were for another one.
    pub(super) fn bind_commands(self) {
        let (name, epoch) = (self.name(), self.epoch());
        let mut dropped = storage::take_edits_of_other_epochs(&name, &epoch);
        self.scroll.update();
        self.outbox.update(|outbox| {
            outbox.merge_stored(stored_commands(&name));
            for PendingCommand { id, command, .. } in outbox.bind(&epoch) {
                save_command(&name, outbox, &id);
                if outbox.get(&id).is_none() {
                    dropped.push(command.text().to_owned());
                }
            }
        });
        if !dropped.is_empty() {
            let quoted: String =
                dropped.iter().filter(|text| !text.is_empty()).map(|text| format!(" “{text}”")).collect();
            self.notice.set(format!("This room has started over. What you had changed before is dropped.{quoted}"));
        }
    }

    fn send_next(self) {
        let mut next = None;
        self.outbox.update_untracked(|outbox| next = outbox.take_next());
        let Some(pending) = next else { return };
        // After a reload, the page must not take back a command that may be in the log.
        storage::save_pending(&self.name(), &pending.id, &pending.to_stored());
        let Some(frame) = pending.encode() else {
            let id = pending.id;
            self.change_outbox(&id, |outbox| outbox.refuse(&id, &MessageTextError::TooLong.into()));
            return self.flush_outbox();
        };
        self.connection.send(frame);
        let send = self.sends.begin();
        set_timeout(
            move || {
                let is_unanswered =
                    || self.outbox.with_untracked(|outbox| outbox.get(&pending.id).is_some_and(|it| it.sent));
                if self.sends.is_latest(send) && is_unanswered() {
                    self.connection.give_up();
                }
            },
            ANSWER_TIMEOUT,
        );
    }
}
