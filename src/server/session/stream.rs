//! Session of an event stream over HTTP: the log after a position, then new events as they come. It is a subscriber of
//! the room like a socket, and only reads.

use super::close_reason::CloseReason;
use super::delivery::Delivery;
use super::timers::{DrainTimes, HEARTBEAT_INTERVAL};
use crate::domain::Seq;
use crate::protocol::{ServerFrame, close};
use crate::server::http::state::AppState;
use crate::server::hub::{BackfillError, PullResult};
use crate::server::network::Network;
use crate::server::websocket::{EventStream, TextFrame};
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, sleep_until};

pub(super) struct StreamSession {
    state: AppState,
    network: Network,
    delivery: Delivery,
    /// The number of the event at which the stream ends; `None` if it goes on with new events.
    until: Option<Seq>,
    next_heartbeat: Instant,
    /// The time at which the stream leaves a stopping server.
    drained_at: Option<Instant>,
}

impl StreamSession {
    pub(super) fn new(state: AppState, network: Network, delivery: Delivery, until: Option<Seq>) -> Self {
        let next_heartbeat = Instant::now() + HEARTBEAT_INTERVAL;
        Self { state, network, delivery, until, next_heartbeat, drained_at: None }
    }

    /// Runs until the stream ends. The caller sends the returned close reason.
    pub(super) async fn run(&mut self, stream: &mut EventStream) -> CloseReason {
        let draining = self.state.draining.clone();
        let mut alarm = std::pin::pin!(sleep_until(self.next_deadline()));
        let mut drained = std::pin::pin!(draining.cancelled());
        loop {
            let left = match self.delivery.write() {
                Ok(left) => left,
                Err(reason) => return reason,
            };
            let stuck = self.delivery.is_blocked();
            if !stuck && self.until.is_some_and(|until| self.delivery.subscription.position() >= until) {
                return (close::NORMAL, "this is the head of the log");
            }
            let deadline = self.next_deadline();
            if alarm.is_elapsed() || deadline < alarm.deadline() {
                alarm.as_mut().reset(deadline);
            }
            let step = tokio::select! {
                biased;
                // Check for the end, and for frames that no other task writes.
                () = self.delivery.writer.notified() => self.delivery.check_disconnect(),
                _ = self.delivery.writer.writable(), if stuck => Ok(()),
                () = &mut alarm => self.handle_timers(),
                () = &mut drained, if self.drained_at.is_none() => {
                    let DrainTimes { closes_at, reconnect_in_ms } = DrainTimes::new();
                    self.drained_at = Some(closes_at);
                    self.delivery.writer.send(&TextFrame::new(&ServerFrame::Drain { reconnect_in_ms }.encode()));
                    Ok(())
                }
                // A client that polls may close its half of the connection at once.
                () = stream.closed(), if self.until.is_none() => Err((close::NORMAL, "")),
                read = self.read(left) => self.delivery.take_read(left, read),
                // Yields, so that other connections are served between two writes.
                () = consume_budget(), if left == PullResult::Queued => Ok(()),
            };
            if let Err(reason) = step {
                return reason;
            }
        }
    }

    /// Reads the next events from the log, in the turn of the network, because a stream may begin at any number.
    async fn read(&self, left: PullResult) -> Result<Vec<TextFrame>, BackfillError> {
        let _turn = match left {
            PullResult::Behind(_) => {
                Some(Box::pin(self.state.limiter.work(self.network)).await.map_err(|_| BackfillError::Unavailable)?)
            }
            PullResult::Nothing | PullResult::Queued => None,
        };
        Delivery::read(&self.delivery.subscription, left, 0).await
    }

    fn next_deadline(&self) -> Instant {
        let due = self.drained_at.map_or(self.next_heartbeat, |at| at.min(self.next_heartbeat));
        self.delivery.write_deadline().map_or(due, |deadline| due.min(deadline))
    }

    fn handle_timers(&mut self) -> Result<(), CloseReason> {
        let now = Instant::now();
        if self.delivery.write_deadline().is_some_and(|deadline| deadline <= now) {
            return Err((close::TOO_SLOW, "nothing was read"));
        }
        if self.drained_at.is_some_and(|closes_at| closes_at <= now) {
            return Err((close::RESTARTING, "the server is restarting"));
        }
        if self.next_heartbeat <= now {
            self.next_heartbeat = now + HEARTBEAT_INTERVAL;
            let writer = &self.delivery.writer;
            if !writer.is_blocked() {
                writer.enqueue(writer.encoding().heartbeat());
            }
        }
        Ok(())
    }
}
