//! Decides how long a fan-out task delays a write so that one write carries more events. The delay is adaptive, like
//! the interrupt coalescing of network cards (ethtool(8)): zero while batches are small, and growing under load.
//! Entries that this node has submitted but not yet committed are waited for. In a room with many readers, events are
//! also gathered for a time that depends on their number (`crowd.rs`).

use super::in_flight::InFlight;
use super::tail_buffer::StreamPosition;
use super::{MAX_BATCH_BYTES, MAX_BATCH_EVENTS};
use crate::domain::Seq;
use crate::server::random;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// Number of events in one write from which on further delay brings no benefit.
const COALESCE_THRESHOLD: Seq = 4;

/// Shortest delay after a write, if there is a delay.
const MIN_DELAY: Duration = Duration::from_millis(1);

/// Longest delay, unless events are gathered for a crowd: two frames of a 60 Hz display.
const MAX_DELAY: Duration = Duration::from_millis(32);

/// Adaptive delay between the writes of a fan-out task.
pub(super) struct WriteCoalescer {
    pause: Duration,
    until: Instant,
    /// Number of bytes appended to the log up to the last write.
    written_bytes: u64,
    /// Whether the delay is the one of a crowd.
    is_crowd: bool,
    /// Whether the current write was delayed.
    was_delayed: bool,
}

impl WriteCoalescer {
    /// Returns a coalescer without delay, where `written_bytes` were appended to the log before its first write.
    pub(super) fn new(written_bytes: u64) -> Self {
        Self { pause: Duration::ZERO, until: Instant::now(), written_bytes, is_crowd: false, was_delayed: false }
    }

    /// Waits until no entry is in flight and the delay has passed, or until the events after `position` fill a write.
    pub(super) async fn wait(
        &mut self,
        position: Seq,
        in_flight: &InFlight,
        newest: &mut watch::Receiver<StreamPosition>,
    ) {
        let written_bytes = self.written_bytes;
        let is_full = |newest: &StreamPosition| {
            newest.seq - position >= MAX_BATCH_EVENTS as Seq
                || newest.bytes.saturating_sub(written_bytes) >= MAX_BATCH_BYTES as u64
        };
        // An entry that is no longer in flight wakes this loop, and so does the end of the room.
        if in_flight.is_any() {
            let here = newest.wait_for(|newest| is_full(newest) || !in_flight.is_any());
            let _ = timeout_at(Instant::now() + MAX_DELAY, here).await;
        }
        self.was_delayed = self.until > Instant::now();
        if self.was_delayed {
            let _ = timeout_at(self.until, newest.wait_for(is_full)).await;
        }
    }

    /// Returns the time since the current write was due, or `None` if it was not delayed for a crowd.
    pub(super) fn overdue(&self) -> Option<Duration> {
        (self.is_crowd && self.was_delayed).then(|| self.until.elapsed())
    }

    /// Adapts the delay to the number of events that were ready after it: large batches lengthen it. `coalescing_delay`
    /// is the shortest delay of a crowd, and `written_bytes` were appended to the log before this write.
    pub(super) fn record_batch(&mut self, events: Seq, written_bytes: u64, coalescing_delay: Duration) {
        self.written_bytes = written_bytes;
        self.pause =
            if events > COALESCE_THRESHOLD { (self.pause * 2).clamp(MIN_DELAY, MAX_DELAY) } else { self.pause / 2 };
        if self.pause < MIN_DELAY {
            self.pause = Duration::ZERO;
        }
        // The first delay is shorter by chance, so that the tasks of a room do not all write at the same times.
        let coalescing_delay =
            if self.was_delayed { coalescing_delay } else { coalescing_delay.mul_f64(random::fraction()) };
        self.is_crowd = coalescing_delay > self.pause;
        self.until = Instant::now() + self.pause.max(coalescing_delay);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn waited(coalescer: &mut WriteCoalescer, newest: &mut watch::Receiver<StreamPosition>) -> Duration {
        let before = Instant::now();
        coalescer.wait(0, &InFlight::default(), newest).await;
        before.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn small_batches_are_not_delayed() {
        let (_room, mut newest) = watch::channel(StreamPosition::default());
        let mut coalescer = WriteCoalescer::new(0);
        for _ in 0..100 {
            coalescer.record_batch(COALESCE_THRESHOLD, 0, Duration::ZERO);
            assert_eq!(waited(&mut coalescer, &mut newest).await, Duration::ZERO);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn large_batches_are_delayed_within_a_limit() {
        let (_room, mut newest) = watch::channel(StreamPosition::default());
        let mut coalescer = WriteCoalescer::new(0);
        coalescer.record_batch(COALESCE_THRESHOLD + 1, 0, Duration::ZERO);
        assert_eq!(waited(&mut coalescer, &mut newest).await, MIN_DELAY);
        for _ in 0..100 {
            coalescer.record_batch(COALESCE_THRESHOLD + 1, 0, Duration::ZERO);
        }
        assert_eq!(waited(&mut coalescer, &mut newest).await, MAX_DELAY);
        // Once the load ends, the delay returns to zero.
        assert_eq!(waited(&mut coalescer, &mut newest).await, Duration::ZERO);
        for _ in 0..6 {
            coalescer.record_batch(1, 0, Duration::ZERO);
        }
        assert_eq!(waited(&mut coalescer, &mut newest).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn entries_in_flight_are_waited_for_within_a_limit() {
        let (room, mut newest) = watch::channel(StreamPosition::default());
        let (mut coalescer, in_flight) = (WriteCoalescer::new(0), InFlight::default());
        let expected = in_flight.track();
        let before = Instant::now();
        coalescer.wait(0, &in_flight, &mut newest).await;
        assert_eq!(before.elapsed(), MAX_DELAY);
        let waited = async {
            coalescer.wait(0, &in_flight, &mut newest).await;
            before.elapsed()
        };
        let arrived = async {
            drop(expected);
            room.send_replace(StreamPosition { seq: 1, bytes: 100 });
        };
        assert_eq!(tokio::join!(waited, arrived).0, MAX_DELAY, "it is here, and nothing else is on its way");
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_write_does_not_wait() {
        let (room, mut newest) = watch::channel(StreamPosition::default());
        let mut coalescer = WriteCoalescer::new(0);
        coalescer.record_batch(COALESCE_THRESHOLD + 1, 0, Duration::ZERO);
        room.send_replace(StreamPosition { seq: MAX_BATCH_EVENTS as Seq, bytes: 0 });
        assert_eq!(waited(&mut coalescer, &mut newest).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_room_that_ends_ends_the_pause() {
        let (room, mut newest) = watch::channel(StreamPosition::default());
        let mut coalescer = WriteCoalescer::new(0);
        coalescer.record_batch(COALESCE_THRESHOLD + 1, 0, Duration::ZERO);
        drop(room);
        assert_eq!(waited(&mut coalescer, &mut newest).await, Duration::ZERO);
    }

    const CROWD: Duration = Duration::from_millis(250);

    #[tokio::test(start_paused = true)]
    async fn in_a_crowd_only_the_first_write_is_immediate() {
        let (_room, mut newest) = watch::channel(StreamPosition::default());
        let mut coalescer = WriteCoalescer::new(0);
        assert_eq!(waited(&mut coalescer, &mut newest).await, Duration::ZERO);
        assert_eq!(coalescer.overdue(), None);
        coalescer.record_batch(1, 0, CROWD);
        assert!(waited(&mut coalescer, &mut newest).await <= CROWD + Duration::from_millis(1));
        for _ in 0..10 {
            coalescer.record_batch(1, 0, CROWD);
            assert_eq!(waited(&mut coalescer, &mut newest).await, CROWD);
            assert_eq!(coalescer.overdue(), Some(Duration::ZERO));
        }
        coalescer.record_batch(1, 0, CROWD);
        tokio::time::advance(CROWD).await;
        assert_eq!(waited(&mut coalescer, &mut newest).await, Duration::ZERO, "nothing was written for that long");
        // As soon as the crowd has left, writes are immediate.
        coalescer.record_batch(1, 0, Duration::ZERO);
        assert_eq!(waited(&mut coalescer, &mut newest).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn the_tasks_of_a_crowd_write_at_different_times() {
        let (_room, mut newest) = watch::channel(StreamPosition::default());
        let mut delays = Vec::new();
        for _ in 0..64 {
            let mut coalescer = WriteCoalescer::new(0);
            coalescer.record_batch(1, 0, CROWD);
            delays.push(waited(&mut coalescer, &mut newest).await);
        }
        let half = CROWD / 2;
        assert!(delays.iter().any(|delay| *delay < half) && delays.iter().any(|delay| *delay > half), "{delays:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_does_not_wait_for_more_bytes_than_one_write_holds() {
        let (room, mut newest) = watch::channel(StreamPosition::default());
        let mut coalescer = WriteCoalescer::new(0);
        coalescer.was_delayed = true;
        coalescer.record_batch(1, 1000, CROWD);
        room.send_replace(StreamPosition { seq: 1, bytes: 999 + MAX_BATCH_BYTES as u64 });
        assert_eq!(waited(&mut coalescer, &mut newest).await, CROWD);
        coalescer.record_batch(1, 1000, CROWD);
        room.send_replace(StreamPosition { seq: 2, bytes: 1000 + MAX_BATCH_BYTES as u64 });
        assert_eq!(waited(&mut coalescer, &mut newest).await, Duration::ZERO);
    }
}
