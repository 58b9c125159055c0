//! How long to wait before the next try to connect. Times are in milliseconds.

/// Full jitter between the first and a ceiling that doubles
/// (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
const SHORTEST_WAIT: f64 = 500.0;
pub(super) const LONGEST_WAIT: f64 = 30_000.0;

/// A connection that was lost sooner counts as one more try in vain: the server is there, and cannot serve.
const STEADY: f64 = 10_000.0;

/// Counts the tries since the last connection that lasted.
#[derive(Default)]
pub(super) struct Backoff {
    tries: u32,
    welcomed: Option<f64>,
}

impl Backoff {
    /// The server has greeted.
    pub(super) fn welcome(&mut self, now: f64) {
        self.welcomed = Some(now);
    }

    /// The connection is lost, or did not come: how long to wait. `chance` is between 0 and 1.
    pub(super) fn lose(&mut self, now: f64, chance: f64) -> f64 {
        if self.welcomed.take().is_some_and(|welcomed| now - welcomed > STEADY) {
            self.tries = 0;
        }
        let ceiling = (SHORTEST_WAIT * 2f64.powi(1 + self.tries.min(10) as i32)).min(LONGEST_WAIT);
        self.tries += 1;
        SHORTEST_WAIT + chance * (ceiling - SHORTEST_WAIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew_after_a_connection_that_lasted() {
        let mut backoff = Backoff::default();
        let waits = |backoff: &mut Backoff, now| (0..8).map(|_| backoff.lose(now, 1.0)).collect::<Vec<_>>();
        let doubling = [1000.0, 2000.0, 4000.0, 8000.0, 16_000.0, 30_000.0, 30_000.0, 30_000.0];
        assert_eq!(waits(&mut backoff, 0.0), doubling);
        backoff.welcome(0.0);
        assert_eq!(backoff.lose(STEADY, 1.0), LONGEST_WAIT, "it was greeted, and no more");
        backoff.welcome(0.0);
        assert_eq!(waits(&mut backoff, STEADY + 1.0), doubling);
        assert_eq!(backoff.lose(0.0, 0.0), SHORTEST_WAIT);
    }
}
