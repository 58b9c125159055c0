//! Rules for rooms with many readers. Each write to all of them costs processor time in proportion to their number, so
//! the larger a room is, the longer its events are gathered before a write, and the fewer hints are sent.
//!
//! The readers of all nodes count, as far as this node knows them. So a room has the same delay on every node, however
//! its readers are distributed, and the cost of a room does not grow with the number of nodes.

use super::{Hub, LiveRoom};
use std::time::Duration;

/// Points of the delay between writes, between which it grows linearly: the number of readers, and microseconds.
const COALESCING_DELAYS: [(u64, u64); 3] = [(1_000, 0), (10_000, 250_000), (100_000, 1_000_000)];

/// Maximum number of readers of a room in which typing is shown.
const MAX_TYPING_READERS: usize = 1_000;

/// Shortest time between two presence updates of a room per reader, and its bounds.
const PRESENCE_INTERVAL_PER_READER: Duration = Duration::from_millis(1);
pub(crate) const MIN_PRESENCE_INTERVAL: Duration = Duration::from_secs(1);
const MAX_PRESENCE_INTERVAL: Duration = Duration::from_secs(10);

/// Returns the shortest time between two writes to the same reader in a room of this many readers. A sender's own
/// event does not wait for it.
fn coalescing_delay(readers: usize) -> Duration {
    let readers = readers as u64;
    let [mut below, ..] = COALESCING_DELAYS;
    for above in COALESCING_DELAYS {
        if readers < above.0 {
            let (span, rise) = (above.0 - below.0, above.1 - below.1);
            return Duration::from_micros(below.1 + readers.saturating_sub(below.0) * rise / span.max(1));
        }
        below = above;
    }
    Duration::from_micros(below.1)
}

/// Returns whether typing is shown in a room of this many readers.
fn shows_typing(readers: usize) -> bool {
    readers <= MAX_TYPING_READERS
}

/// Returns the shortest time between two presence updates in a room of this many readers.
fn presence_interval(readers: usize) -> Duration {
    let readers = u32::try_from(readers).unwrap_or(u32::MAX);
    PRESENCE_INTERVAL_PER_READER.saturating_mul(readers).clamp(MIN_PRESENCE_INTERVAL, MAX_PRESENCE_INTERVAL)
}

impl LiveRoom {
    /// Returns the number of readers on all nodes, as far as this node knows them.
    fn readers(&self) -> usize {
        self.participants().readers()
    }

    /// Returns the shortest time between two writes to the same reader.
    pub(super) fn coalescing_delay(&self) -> Duration {
        coalescing_delay(self.readers())
    }

    /// Returns whether typing is shown.
    pub(super) fn shows_typing(&self) -> bool {
        shows_typing(self.readers())
    }
}

impl Hub {
    /// Returns the shortest time between two presence updates of a room.
    pub(crate) fn presence_interval(&self, room_id: i64) -> Duration {
        presence_interval(self.live(room_id).map_or(0, |live| live.readers()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_to_few_readers_are_not_delayed() {
        for readers in [0, 1, 999, 1_000] {
            assert_eq!(coalescing_delay(readers), Duration::ZERO, "{readers}");
        }
    }

    #[test]
    fn the_coalescing_delay_grows_with_the_readers_up_to_a_second() {
        let known = [(5_500, 125), (10_000, 250), (55_000, 625), (100_000, 1_000), (1_000_000, 1_000)];
        for (readers, milliseconds) in known {
            assert_eq!(coalescing_delay(readers), Duration::from_millis(milliseconds), "{readers}");
        }
        assert_eq!(coalescing_delay(usize::MAX), Duration::from_secs(1));
        let times: Vec<_> = (0..120_000).step_by(7).map(coalescing_delay).collect();
        assert!(times.is_sorted());
        let steps = times.windows(2).map(|two| two[1] - two[0]);
        assert!(steps.max() < Some(Duration::from_millis(1)), "one more reader never makes a leap");
    }

    #[test]
    fn typing_is_shown_up_to_a_thousand_readers() {
        assert!(shows_typing(1) && shows_typing(1_000));
        assert!(!shows_typing(1_001) && !shows_typing(usize::MAX));
    }

    #[test]
    fn presence_is_updated_less_often_the_more_readers_there_are() {
        let known = [(0, 1_000), (1_000, 1_000), (2_500, 2_500), (10_000, 10_000), (usize::MAX, 10_000)];
        for (readers, milliseconds) in known {
            assert_eq!(presence_interval(readers), Duration::from_millis(milliseconds), "{readers}");
        }
    }
}
