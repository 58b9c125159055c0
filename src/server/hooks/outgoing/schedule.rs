//! Times of the tries after a failure.

use std::time::Duration;

/// Times of the tries, counted from the first failure, in seconds: 5 s, 1, 5 and 30 min, 2, 8 and 24 h.
const TRIES: [u64; 7] = [5, 60, 300, 1800, 7200, 28_800, 86_400];

/// Longest delay that a receiver may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(28_800);

/// Returns the delay before the next try after `failures` failed ones in a row, or `None` if there is no further one. A
/// receiver may ask for a longer delay.
pub(super) fn next_try(failures: u32, retry_after: Option<Duration>) -> Option<Duration> {
    let index = usize::try_from(failures.checked_sub(1)?).ok()?;
    let before = index.checked_sub(1).map_or(0, |before| TRIES[before]);
    let delay = Duration::from_secs(TRIES.get(index)? - before);
    Some(retry_after.map_or(delay, |asked| delay.max(asked.min(MAX_RETRY_AFTER))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_spread_over_a_day() {
        let delays: Vec<u64> =
            (1..).map_while(|failures| next_try(failures, None)).map(|delay| delay.as_secs()).collect();
        assert_eq!(delays[..3], [5, 55, 240]);
        assert_eq!((delays.len(), delays.iter().sum::<u64>()), (7, 86_400));
        assert_eq!(next_try(0, None), None);
        assert_eq!(next_try(8, Some(Duration::ZERO)), None);
    }

    #[test]
    fn a_receiver_may_ask_for_a_longer_delay() {
        let delay = |failures, asked| next_try(failures, Some(Duration::from_secs(asked))).unwrap().as_secs();
        assert_eq!(delay(1, 120), 120);
        assert_eq!(delay(4, 120), 1500);
        assert_eq!(delay(1, u64::MAX), 28_800);
    }
}
