//! The delivery state of one connection, which its own session and a fan-out task share.

use crate::domain::Seq;
use crate::server::auth::identity::AuthorId;
use crate::server::sync::lock;
use crate::server::websocket::{EncodedFrames, SocketWriter, TextFrame};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// A connection as fan-out tasks see it: the delivery state of one subscriber.
pub(super) struct Subscriber {
    pub(super) connection: u64,
    pub(super) writer: Arc<SocketWriter>,
    /// The number of the last event sent to the connection. The holder of the lock writes.
    position: Mutex<Seq>,
    /// Whether the current presence has not been sent to the connection yet.
    pub(super) owes_presence: AtomicBool,
    pub(super) author: AuthorId,
    /// The close code with which the connection has to end; 0 while it may stay.
    pub(super) disconnect_code: AtomicU16,
    /// End of the author's mute, in UTC milliseconds; 0 if the author is not muted.
    muted_until: AtomicI64,
}

impl Subscriber {
    pub(super) fn new(connection: u64, author: AuthorId, writer: Arc<SocketWriter>, after: Seq) -> Self {
        let (position, disconnect_code) = (Mutex::new(after), AtomicU16::new(0));
        let owes_presence = AtomicBool::new(writer.encoding().has_hints());
        Self { connection, writer, position, owes_presence, author, disconnect_code, muted_until: AtomicI64::new(0) }
    }

    /// Suppresses typing hints of the author until `until`, in UTC milliseconds.
    pub(super) fn mute(&self, until: i64) {
        self.muted_until.store(until, Ordering::Relaxed);
    }

    /// Returns whether the author is muted at `now`, in UTC milliseconds.
    pub(super) fn is_muted(&self, now: i64) -> bool {
        self.muted_until.load(Ordering::Relaxed) > now
    }

    /// Returns whether the connection gets presence and typing hints.
    pub(super) fn has_hints(&self) -> bool {
        self.writer.encoding().has_hints()
    }

    /// Makes the connection end with this close code.
    pub(super) fn disconnect_with(&self, code: u16) {
        self.disconnect_code.store(code, Ordering::Relaxed);
        self.writer.notify();
    }

    /// Continues in another history, which is known up to `head`. Queues `reset` first.
    pub(super) fn reset_to(&self, reset: &TextFrame, head: Seq) {
        // The lock is held until the reset is queued, so that later events follow it.
        let mut position = self.position();
        self.writer.send(reset);
        *position = head;
        drop(position);
        self.writer.notify();
    }

    pub(super) fn position(&self) -> MutexGuard<'_, Seq> {
        lock(&self.position)
    }

    /// Writes the events after `after` up to `last` if they come next and the socket takes them. Otherwise notifies the
    /// connection, which pulls them itself.
    pub(super) fn deliver(&self, after: Seq, last: Seq, frames: &EncodedFrames<'_>) {
        let mut position = self.position();
        if *position == after && self.writer.try_write(frames.bytes(self.writer.encoding())) {
            *position = last;
        } else if *position < last {
            self.writer.notify();
        }
    }
}
