//! Delay before the next connection attempt: exponential backoff with full jitter
//! (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>). Times are in milliseconds.

/// Minimum delay, and half the ceiling of the first attempt.
const MIN_RECONNECT_DELAY: f64 = 500.0;

/// Maximum delay.
pub(super) const MAX_RECONNECT_DELAY: f64 = 30_000.0;

/// Minimum lifetime of a connection that resets the delay. A shorter one counts as a failed attempt: the server is
/// reachable, but cannot serve.
const STABLE_AFTER: f64 = 10_000.0;

/// A counter of the failed attempts since the last stable connection.
#[derive(Default)]
pub(super) struct Backoff {
    attempts: u32,
    welcomed_at: Option<f64>,
}

impl Backoff {
    /// Records that the server has sent its welcome frame.
    pub(super) fn on_welcome(&mut self, now: f64) {
        self.welcomed_at = Some(now);
    }

    /// Returns the delay after a connection was lost or could not be opened. `random` is between 0 and 1.
    pub(super) fn on_lost(&mut self, now: f64, random: f64) -> f64 {
        if self.welcomed_at.take().is_some_and(|welcomed| now - welcomed > STABLE_AFTER) {
            self.attempts = 0;
        }
        let ceiling = (MIN_RECONNECT_DELAY * 2f64.powi(1 + self.attempts.min(10) as i32)).min(MAX_RECONNECT_DELAY);
        self.attempts += 1;
        MIN_RECONNECT_DELAY + random * (ceiling - MIN_RECONNECT_DELAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_maximum_and_start_over_after_a_stable_connection() {
        let mut backoff = Backoff::default();
        let delays = |backoff: &mut Backoff, now| (0..8).map(|_| backoff.on_lost(now, 1.0)).collect::<Vec<_>>();
        let doubling = [1000.0, 2000.0, 4000.0, 8000.0, 16_000.0, 30_000.0, 30_000.0, 30_000.0];
        assert_eq!(delays(&mut backoff, 0.0), doubling);
        backoff.on_welcome(0.0);
        assert_eq!(
            backoff.on_lost(STABLE_AFTER, 1.0),
            MAX_RECONNECT_DELAY,
            "a short connection does not reset the delay"
        );
        backoff.on_welcome(0.0);
        assert_eq!(delays(&mut backoff, STABLE_AFTER + 1.0), doubling);
        assert_eq!(backoff.on_lost(0.0, 0.0), MIN_RECONNECT_DELAY);
    }
}
