//! Timers of a connection.

use crate::domain::Seq;
use crate::protocol::{HEARTBEAT_MS, IDLE_TIMEOUT_MS};
use crate::server::random;
use std::time::Duration;
use tokio::time::Instant;

pub(crate) const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(HEARTBEAT_MS as u64);
pub(crate) const RECEIVE_TIMEOUT: Duration = Duration::from_millis(IDLE_TIMEOUT_MS as u64);

/// Shortest interval between two replays of a connection.
pub(crate) const REPLAY_INTERVAL: Duration = Duration::from_secs(1);

/// Time within which the connections of a stopping server are closed one by one.
const DRAIN_JITTER: Duration = Duration::from_secs(3);

/// Times of a connection that leaves a stopping server.
pub(crate) struct DrainTimes {
    /// The time at which the connection is closed.
    pub(crate) closes_at: Instant,
    /// Delay before the client should reconnect, in milliseconds.
    pub(crate) reconnect_in_ms: u32,
}

impl DrainTimes {
    /// Returns times for one connection, at random so that not all clients come back at once.
    pub(crate) fn new() -> Self {
        let within = DRAIN_JITTER.mul_f64(random::fraction());
        let reconnect_in_ms = (within + Duration::from_millis(500)).as_millis() as u32;
        Self { closes_at: Instant::now() + within, reconnect_in_ms }
    }
}

/// Deadlines of a connection.
pub(crate) struct Timers {
    pub(crate) last_received: Instant,
    pub(crate) next_heartbeat: Instant,
    /// The time at which the connection leaves a stopping server, and the time limit for it.
    pub(crate) drain: Option<(Instant, Instant)>,
    /// The number after which events are to be replayed, and the time from which on they may be.
    pub(crate) pending_replay: Option<Seq>,
    pub(crate) replay_allowed_at: Instant,
    /// The time until which the connection is not read from, because its read budget is exhausted.
    pub(crate) paused: Option<Instant>,
}

impl Timers {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self {
            last_received: now,
            next_heartbeat: now + HEARTBEAT_INTERVAL,
            drain: None,
            pending_replay: None,
            replay_allowed_at: now,
            paused: None,
        }
    }

    /// Returns the next deadline.
    pub(crate) fn next_deadline(&self) -> Instant {
        let due = self.next_heartbeat.min(self.last_received + RECEIVE_TIMEOUT);
        let due = self.pending_replay.map_or(due, |_| due.min(self.replay_allowed_at));
        let due = self.paused.map_or(due, |until| due.min(until));
        self.drain.map_or(due, |(closes_at, _)| due.min(closes_at))
    }
}
