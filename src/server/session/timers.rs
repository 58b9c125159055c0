//! What a connection does at its time, rather than because something came.

use crate::domain::Seq;
use crate::protocol::{HEARTBEAT_MS, IDLE_TIMEOUT_MS};
use std::time::Duration;
use tokio::time::Instant;

pub(crate) const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(HEARTBEAT_MS as u64);
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_millis(IDLE_TIMEOUT_MS as u64);

/// A reader that does not take in so long what was written at once is disconnected.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// What was sent is begun to be sent again at most so often.
pub(crate) const REPLAY_INTERVAL: Duration = Duration::from_secs(1);

/// When what has to happen.
pub(crate) struct Timers {
    pub(crate) last_received: Instant,
    pub(crate) next_heartbeat: Instant,
    /// Since when the reader has not taken everything.
    pub(crate) write_blocked_since: Option<Instant>,
    /// When it leaves a stopping server, and when at the latest.
    pub(crate) drain: Option<(Instant, Instant)>,
    /// After which number events are to be sent again, and from when on they may be.
    pub(crate) pending_replay: Option<Seq>,
    pub(crate) replay_allowed_at: Instant,
    /// Until when it is not read from, because it has sent much.
    pub(crate) paused: Option<Instant>,
}

impl Timers {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self {
            last_received: now,
            next_heartbeat: now + HEARTBEAT_INTERVAL,
            write_blocked_since: None,
            drain: None,
            pending_replay: None,
            replay_allowed_at: now,
            paused: None,
        }
    }

    /// When something has to happen next.
    pub(crate) fn next_deadline(&self) -> Instant {
        let due = self.next_heartbeat.min(self.last_received + IDLE_TIMEOUT);
        let due = self.write_blocked_since.map_or(due, |since| due.min(since + WRITE_TIMEOUT));
        let due = self.pending_replay.map_or(due, |_| due.min(self.replay_allowed_at));
        let due = self.paused.map_or(due, |until| due.min(until));
        self.drain.map_or(due, |(leaves, _)| due.min(leaves))
    }
}
