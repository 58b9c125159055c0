//! Writes of the connection itself: events that its fan-out task has not delivered. At most one batch is queued.

use super::close_reason::{BANNED_REASON, CloseReason};
use crate::domain::Seq;
use crate::protocol::{RepeatedFrame, close};
use crate::server::hub::{BackfillError, PullResult, Subscription};
use crate::server::websocket::{FlushResult, SocketWriter, TextFrame};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Time after which a client is disconnected that does not read the written bytes.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Delivery of a room's events to one connection.
pub(crate) struct Delivery {
    pub(crate) subscription: Subscription,
    pub(crate) writer: Arc<SocketWriter>,
    /// Events to send again, because the client has resent their ids.
    pub(crate) again: Vec<Seq>,
    /// Answers to commands that change nothing: each follows the event that it repeats.
    pub(crate) repeated: Vec<RepeatedFrame>,
    /// The time since which the socket has not accepted all bytes.
    blocked_since: Option<Instant>,
    /// The last time at which the socket accepted bytes again after it had not.
    pub(crate) unblocked_at: Option<Instant>,
}

impl Delivery {
    pub(crate) fn new(subscription: Subscription, writer: Arc<SocketWriter>) -> Self {
        Self { subscription, writer, again: Vec::new(), repeated: Vec::new(), blocked_since: None, unblocked_at: None }
    }

    /// Returns whether the socket does not accept all bytes.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked_since.is_some()
    }

    /// Returns the time at which a client that does not read is disconnected, or `None` while it reads.
    pub(crate) fn write_deadline(&self) -> Option<Instant> {
        self.blocked_since.map(|since| since + WRITE_TIMEOUT)
    }

    /// Returns an error with the close reason if the author was banned or removed, or the room has ended.
    pub(crate) fn check_disconnect(&self) -> Result<(), CloseReason> {
        match self.subscription.disconnect_code() {
            None => Ok(()),
            Some(close::BANNED) => Err(BANNED_REASON),
            Some(close::RESTARTING) => Err((close::RESTARTING, "this room is looked up once more")),
            Some(close::REVOKED) => Err((close::REVOKED, "this token was revoked")),
            Some(close::DELETED) => Err((close::DELETED, "this room was deleted")),
            Some(code) => Err((code, "you were removed from this room")),
        }
    }

    /// Queues a batch of ready events, and writes as much as the socket accepts. Returns the state of the remaining
    /// events.
    ///
    /// # Errors
    ///
    /// Returns the close reason if the connection is lost or the client is too slow.
    pub(crate) fn write(&mut self) -> Result<PullResult, CloseReason> {
        // The unsent bytes are enough to hold in memory; later events are pulled later.
        let left = if self.writer.is_blocked() { PullResult::Nothing } else { self.pull() };
        self.answer_repeated();
        match self.writer.flush().map_err(|_| (close::NORMAL, ""))? {
            FlushResult::Written => Ok(left),
            FlushResult::Unblocked => {
                if self.blocked_since.take().is_some() {
                    self.unblocked_at = Some(Instant::now());
                }
                // A fan-out task may have passed over this connection in the meantime. If its notification is the one
                // that led here, nothing else would pull those events.
                Ok(if left == PullResult::Nothing { PullResult::Queued } else { left })
            }
            FlushResult::Blocked => {
                self.blocked_since.get_or_insert_with(Instant::now);
                Ok(PullResult::Nothing)
            }
        }
    }

    /// Queues the answers whose events the client has.
    fn answer_repeated(&mut self) {
        let position = self.subscription.position();
        let has = |frame: &mut RepeatedFrame| frame.seq.is_none_or(|seq| seq <= position);
        for frame in self.repeated.extract_if(.., has) {
            self.writer.send(&TextFrame::new(&frame.encode()));
        }
    }

    /// Queues an event that the client has requested again, or else the next events.
    pub(crate) fn pull(&mut self) -> PullResult {
        // Events after its position, because it went back, are delivered as the next events.
        let position = self.subscription.position();
        self.again.retain(|seq| *seq <= position);
        let Some(&seq) = self.again.first() else { return self.subscription.pull() };
        let pulled = self.subscription.pull_again(seq);
        if pulled == PullResult::Queued {
            self.again.remove(0);
        }
        pulled
    }

    /// Reads the remaining events from the log. If there are none, waits until the own event `own_seq` is here and can
    /// be pulled, because a sender does not wait for a fan-out task that gathers events for a crowd; or forever. Both
    /// are rarely needed, so they are boxed and connections do not hold their memory.
    ///
    /// # Errors
    ///
    /// Returns [`BackfillError::Purged`] if the log no longer holds the next events.
    pub(crate) async fn read(
        subscription: &Subscription,
        left: PullResult,
        own_seq: Seq,
    ) -> Result<Vec<TextFrame>, BackfillError> {
        match left {
            PullResult::Behind(after) => Box::pin(subscription.read(after)).await,
            PullResult::Nothing if own_seq > subscription.position() => {
                Box::pin(subscription.delivered(own_seq)).await;
                Ok(Vec::new())
            }
            PullResult::Nothing | PullResult::Queued => pending().await,
        }
    }

    /// Queues events that were read from the log.
    ///
    /// # Errors
    ///
    /// Returns the close reason if the log could not be read.
    pub(crate) fn take_read(
        &mut self,
        left: PullResult,
        read: Result<Vec<TextFrame>, BackfillError>,
    ) -> Result<(), CloseReason> {
        let PullResult::Behind(after) = left else { return Ok(()) };
        let is_again = self.again.first().is_some_and(|seq| *seq == after + 1);
        let taken = if is_again {
            self.again.remove(0);
            self.subscription.take_again(read)
        } else {
            self.subscription.take_read(after, read)
        };
        taken.map_err(|_| (close::OVERLOADED, "the log cannot be read right now"))
    }
}
