//! Decides how long a fan-out task delays a write so that one write carries more events. The delay is adaptive, like
//! the interrupt coalescing of network cards (ethtool(8)): zero while batches are small, and growing under load.
//! Entries that this node has submitted but not yet committed are waited for.

use super::MAX_BATCH_EVENTS;
use super::in_flight::InFlight;
use crate::domain::Seq;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// Number of events in one write from which on further delay brings no benefit.
const COALESCE_THRESHOLD: Seq = 4;

/// Shortest delay after a write, if there is a delay.
const MIN_DELAY: Duration = Duration::from_millis(1);

/// Longest delay: two frames of a 60 Hz display.
const MAX_DELAY: Duration = Duration::from_millis(32);

/// Adaptive delay between the writes of a fan-out task.
pub(super) struct WriteCoalescer {
    pause: Duration,
    until: Instant,
}

impl WriteCoalescer {
    pub(super) fn new() -> Self {
        Self { pause: Duration::ZERO, until: Instant::now() }
    }

    /// Waits until no entry is in flight and the delay has passed, or until the events after `position` fill a write.
    pub(super) async fn wait(&self, position: Seq, in_flight: &InFlight, newest: &mut watch::Receiver<Seq>) {
        let is_full = |newest: &Seq| newest - position >= MAX_BATCH_EVENTS as Seq;
        // An entry that is no longer in flight wakes this loop, and so does the end of the room.
        if in_flight.is_any() {
            let here = newest.wait_for(|newest| is_full(newest) || !in_flight.is_any());
            let _ = timeout_at(Instant::now() + MAX_DELAY, here).await;
        }
        if self.until > Instant::now() {
            let _ = timeout_at(self.until, newest.wait_for(is_full)).await;
        }
    }

    /// Adapts the delay to the number of events that were ready after it: large batches lengthen it.
    pub(super) fn record_batch(&mut self, events: Seq) {
        self.pause =
            if events > COALESCE_THRESHOLD { (self.pause * 2).clamp(MIN_DELAY, MAX_DELAY) } else { self.pause / 2 };
        if self.pause < MIN_DELAY {
            self.pause = Duration::ZERO;
        }
        self.until = Instant::now() + self.pause;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn waited(coalescer: &WriteCoalescer, newest: &mut watch::Receiver<Seq>) -> Duration {
        let before = Instant::now();
        coalescer.wait(0, &InFlight::default(), newest).await;
        before.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn small_batches_are_not_delayed() {
        let (_room, mut newest) = watch::channel(0);
        let mut coalescer = WriteCoalescer::new();
        for _ in 0..100 {
            coalescer.record_batch(COALESCE_THRESHOLD);
            assert_eq!(waited(&coalescer, &mut newest).await, Duration::ZERO);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn large_batches_are_delayed_within_a_limit() {
        let (_room, mut newest) = watch::channel(0);
        let mut coalescer = WriteCoalescer::new();
        coalescer.record_batch(COALESCE_THRESHOLD + 1);
        assert_eq!(waited(&coalescer, &mut newest).await, MIN_DELAY);
        for _ in 0..100 {
            coalescer.record_batch(COALESCE_THRESHOLD + 1);
        }
        assert_eq!(waited(&coalescer, &mut newest).await, MAX_DELAY);
        // Once the load ends, the delay returns to zero.
        assert_eq!(waited(&coalescer, &mut newest).await, Duration::ZERO);
        for _ in 0..6 {
            coalescer.record_batch(1);
        }
        assert_eq!(waited(&coalescer, &mut newest).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn entries_in_flight_are_waited_for_within_a_limit() {
        let (room, mut newest) = watch::channel(0);
        let (coalescer, in_flight) = (WriteCoalescer::new(), InFlight::default());
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
            room.send_replace(1);
        };
        assert_eq!(tokio::join!(waited, arrived).0, MAX_DELAY, "it is here, and nothing else is on its way");
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_write_does_not_wait() {
        let (room, mut newest) = watch::channel(0);
        let mut coalescer = WriteCoalescer::new();
        coalescer.record_batch(COALESCE_THRESHOLD + 1);
        room.send_replace(MAX_BATCH_EVENTS as Seq);
        assert_eq!(waited(&coalescer, &mut newest).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_room_that_ends_ends_the_pause() {
        let (room, mut newest) = watch::channel(0);
        let mut coalescer = WriteCoalescer::new();
        coalescer.record_batch(COALESCE_THRESHOLD + 1);
        drop(room);
        assert_eq!(waited(&coalescer, &mut newest).await, Duration::ZERO);
    }
}
