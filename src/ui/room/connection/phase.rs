//! The phases of a connection.

use super::backoff::MAX_RECONNECT_DELAY;
use crate::ui::browser::clock::now;

/// Phase of the connection; times are in milliseconds of [`now`].
pub(super) enum ConnectionPhase {
    Idle,
    /// From dialing to the welcome frame.
    Connecting {
        since: f64,
    },
    Live {
        last_received: f64,
        last_sent: f64,
        /// Time of the first probe that is not answered yet.
        probed: Option<f64>,
    },
    Waiting {
        until: f64,
    },
    Closed,
}

impl ConnectionPhase {
    /// Returns the phase after a welcome frame.
    pub(super) fn live() -> Self {
        Self::Live { last_received: now(), last_sent: now(), probed: None }
    }

    /// Corrects the times after the clock was set back: none lies after `now`, and no wait exceeds
    /// [`MAX_RECONNECT_DELAY`].
    pub(super) fn clamp(&mut self, now: f64) {
        match self {
            Self::Connecting { since } => *since = since.min(now),
            Self::Live { last_received, last_sent, probed } => {
                (*last_received, *last_sent) = (last_received.min(now), last_sent.min(now));
                *probed = probed.map(|probed| probed.min(now));
            }
            Self::Waiting { until } => *until = until.min(now + MAX_RECONNECT_DELAY),
            Self::Idle | Self::Closed => {}
        }
    }
}
