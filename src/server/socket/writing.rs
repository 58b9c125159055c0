//! What a connection writes by itself: what the room's row has left to it. Never more is queued than one turn's worth.

use super::connection::Connection;
use super::goodbye::Goodbye;
use crate::protocol::close;
use crate::server::hub::{Pulled, Seat, Unread};
use crate::server::websocket::TextFrame;
use std::future::pending;
use tokio::time::Instant;

impl Connection {
    /// Queues a turn's worth of what is ready, and writes as much as the socket takes. Returns what is left.
    pub(super) fn write(&mut self) -> Result<Pulled, Goodbye> {
        // What the socket has not taken is enough to hold; the rest is pulled later.
        let left = if self.wire.is_blocked() { Pulled::Nothing } else { self.pull() };
        if !self.wire.flush().map_err(|_| (close::NORMAL, ""))? {
            self.clock.stuck.get_or_insert_with(Instant::now);
            return Ok(Pulled::Nothing);
        }
        if self.clock.stuck.take().is_some() {
            // It was not listened to meanwhile, and lives.
            self.clock.heard = Instant::now();
            return Ok(if left == Pulled::Nothing { Pulled::Some } else { left });
        }
        Ok(left)
    }

    /// Queues something that was sent before and is asked for again, or else what comes next.
    fn pull(&mut self) -> Pulled {
        // What it does not have any more, because it went back, it gets as what comes next.
        let position = self.seat.position();
        self.again.retain(|seq| *seq <= position);
        let Some(&seq) = self.again.first() else { return self.seat.pull() };
        let pulled = self.seat.pull_again(seq);
        if pulled == Pulled::Some {
            self.again.remove(0);
        }
        pulled
    }

    /// Reads out of the log what is left there; waits for ever where nothing is. Seldom, so what it needs is not held by
    /// every connection for ever.
    pub(super) async fn read(seat: &Seat, left: Pulled) -> Result<Vec<TextFrame>, Unread> {
        match left {
            Pulled::Behind(after) => Box::pin(seat.read(after)).await,
            Pulled::Nothing | Pulled::Some => pending().await,
        }
    }

    /// Queues what was read.
    pub(super) fn take_read(&mut self, left: Pulled, read: Result<Vec<TextFrame>, Unread>) -> Result<(), Goodbye> {
        let Pulled::Behind(after) = left else { return Ok(()) };
        let is_again = self.again.first().is_some_and(|seq| *seq == after + 1);
        let taken = if is_again {
            self.again.remove(0);
            self.seat.take_again(read)
        } else {
            self.seat.take_read(after, read)
        };
        taken.map_err(|_| (close::OVERLOADED, "the log cannot be read just now"))
    }
}
