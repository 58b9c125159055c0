//! What a connection writes by itself: what the room's row has left to it. Never more is queued than one turn's worth.

use super::close_reason::CloseReason;
use super::session::Session;
use crate::protocol::close;
use crate::server::hub::{BackfillError, PullResult, Subscription};
use crate::server::websocket::TextFrame;
use std::future::pending;
use tokio::time::Instant;

impl Session {
    /// Queues a turn's worth of what is ready, and writes as much as the socket takes. Returns what is left.
    pub(crate) fn write(&mut self) -> Result<PullResult, CloseReason> {
        // What the socket has not taken is enough to hold; the rest is pulled later.
        let left = if self.writer.is_blocked() { PullResult::Nothing } else { self.pull() };
        if !self.writer.flush().map_err(|_| (close::NORMAL, ""))? {
            self.timers.write_blocked_since.get_or_insert_with(Instant::now);
            return Ok(PullResult::Nothing);
        }
        if self.timers.write_blocked_since.take().is_some() {
            // It was not listened to meanwhile, and lives.
            self.timers.last_received = Instant::now();
            return Ok(if left == PullResult::Nothing { PullResult::Queued } else { left });
        }
        Ok(left)
    }

    /// Queues something that was sent before and is asked for again, or else what comes next.
    fn pull(&mut self) -> PullResult {
        // What it does not have any more, because it went back, it gets as what comes next.
        let position = self.subscription.position();
        self.again.retain(|seq| *seq <= position);
        let Some(&seq) = self.again.first() else { return self.subscription.pull() };
        let pulled = self.subscription.pull_again(seq);
        if pulled == PullResult::Queued {
            self.again.remove(0);
        }
        pulled
    }

    /// Reads out of the log what is left there; waits for ever where nothing is. Seldom, so what it needs is not held by
    /// every connection for ever.
    pub(crate) async fn read(seat: &Subscription, left: PullResult) -> Result<Vec<TextFrame>, BackfillError> {
        match left {
            PullResult::Behind(after) => Box::pin(seat.read(after)).await,
            PullResult::Nothing | PullResult::Queued => pending().await,
        }
    }

    /// Queues what was read.
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
        taken.map_err(|_| (close::OVERLOADED, "the log cannot be read just now"))
    }
}
