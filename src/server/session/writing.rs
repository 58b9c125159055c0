//! Writes of the connection itself: events that its fan-out task has not delivered. At most one batch is queued.

use super::close_reason::CloseReason;
use super::event_loop::Session;
use crate::domain::Seq;
use crate::protocol::{ServerFrame, close};
use crate::server::hub::{BackfillError, PullResult, Subscription};
use crate::server::websocket::{FlushResult, TextFrame, ping};
use std::future::pending;
use tokio::time::Instant;

impl Session {
    /// Queues a batch of ready events, and writes as much as the socket accepts. Returns the state of the remaining
    /// events.
    ///
    /// # Errors
    ///
    /// Returns the close reason if the connection is lost or the client is too slow.
    pub(crate) fn write(&mut self) -> Result<PullResult, CloseReason> {
        // The unsent bytes are enough to hold in memory; later events are pulled later.
        let left = if self.writer.is_blocked() { PullResult::Nothing } else { self.pull() };
        match self.writer.flush().map_err(|_| (close::NORMAL, ""))? {
            FlushResult::Written => Ok(left),
            FlushResult::Unblocked => {
                if self.timers.write_blocked_since.take().is_some() {
                    // A client that accepts bytes is alive, even if it was not read from in the meantime.
                    self.timers.last_received = Instant::now();
                }
                // A fan-out task may have passed over this connection in the meantime. If its notification is the one
                // that led here, nothing else would pull those events.
                Ok(if left == PullResult::Nothing { PullResult::Queued } else { left })
            }
            FlushResult::Blocked => {
                self.timers.write_blocked_since.get_or_insert_with(Instant::now);
                Ok(PullResult::Nothing)
            }
        }
    }

    /// Queues an event that the client has requested again, or else the next events.
    fn pull(&mut self) -> PullResult {
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

    /// Queues the next events, unless the socket does not accept them, and then a heartbeat with the number of the last
    /// event before it. So the client does not miss the events that a fan-out task still gathers for a crowd, and one
    /// that is behind does not ask for events that are on their way.
    pub(crate) fn send_heartbeat(&mut self) {
        if !self.writer.is_blocked() {
            self.pull();
        }
        self.send(ServerFrame::Heartbeat { head: self.subscription.position() });
        self.writer.enqueue(ping());
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
