//! What a connection does at its time, rather than because something came.

use crate::domain::Seq;
use crate::protocol::{HEARTBEAT_MS, SILENCE_MS};
use std::time::Duration;
use tokio::time::Instant;

pub(super) const BEAT: Duration = Duration::from_millis(HEARTBEAT_MS as u64);
pub(super) const SILENCE: Duration = Duration::from_millis(SILENCE_MS as u64);

/// A reader that does not take in so long what was written at once is disconnected.
pub(super) const STUCK: Duration = Duration::from_secs(30);

/// What was sent is begun to be sent again at most so often.
pub(super) const REPLAY_PACE: Duration = Duration::from_secs(1);

/// When what has to happen.
pub(super) struct Clock {
    pub(super) heard: Instant,
    pub(super) beat: Instant,
    /// Since when the reader has not taken everything.
    pub(super) stuck: Option<Instant>,
    /// When it leaves a stopping server, and when at the latest.
    pub(super) leaves: Option<(Instant, Instant)>,
    /// After which number events are to be sent again, and from when on they may be.
    pub(super) replay: Option<Seq>,
    pub(super) replays: Instant,
    /// Until when it is not read from, because it has sent much.
    pub(super) paused: Option<Instant>,
}

impl Clock {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self { heard: now, beat: now + BEAT, stuck: None, leaves: None, replay: None, replays: now, paused: None }
    }

    /// When something has to happen next.
    pub(super) fn next(&self) -> Instant {
        let due = self.beat.min(self.heard + SILENCE);
        let due = self.stuck.map_or(due, |since| due.min(since + STUCK));
        let due = self.replay.map_or(due, |_| due.min(self.replays));
        let due = self.paused.map_or(due, |until| due.min(until));
        self.leaves.map_or(due, |(leaves, _)| due.min(leaves))
    }
}
