//! Lasting conditions, logged when they begin and when they end instead of at every attempt.

use crate::server::sync::lock;
use std::fmt::Display;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Minimum time between two logged beginnings of one condition, so that the log of an intermittent one stays readable.
const MIN_LOG_INTERVAL: Duration = Duration::from_secs(60);

/// A lasting condition, such as a database that does not answer. Shared by the tasks that detect it.
#[derive(Debug)]
pub(crate) struct Outage {
    /// Message that is logged when the condition begins.
    beginning: &'static str,
    /// Message that is logged when the condition ends.
    end: &'static str,
    state: Mutex<OutageState>,
}

#[derive(Debug, Default)]
struct OutageState {
    /// Time at which the condition began; `None` while there is none.
    since: Option<Instant>,
    /// Time at which a beginning was last logged.
    logged: Option<Instant>,
    /// Whether the beginning of the current outage was logged.
    announced: bool,
    failures: u64,
}

impl Outage {
    pub(crate) const fn new(beginning: &'static str, end: &'static str) -> Self {
        let state = OutageState { since: None, logged: None, announced: false, failures: 0 };
        Self { beginning, end, state: Mutex::new(state) }
    }

    /// Records a failed attempt. The first one is logged as a warning, its repetitions at debug level.
    pub(crate) fn failed(&self, error: &dyn Display) {
        if self.begins() {
            tracing::warn!(%error, "{}", self.beginning);
        } else {
            tracing::debug!(%error, "{}", self.beginning);
        }
    }

    /// Records an attempt that succeeded. Logs the end of the outage, if its beginning was logged.
    pub(crate) fn over(&self) {
        if let Some((lasted, failures)) = self.ends() {
            tracing::info!(seconds = lasted.as_secs(), failures, "{}", self.end);
        }
    }

    fn begins(&self) -> bool {
        let mut state = lock(&self.state);
        state.failures += 1;
        if state.since.is_some() {
            return false;
        }
        state.since = Some(Instant::now());
        state.announced = state.logged.is_none_or(|logged| logged.elapsed() >= MIN_LOG_INTERVAL);
        if state.announced {
            state.logged = state.since;
        }
        state.announced
    }

    fn ends(&self) -> Option<(Duration, u64)> {
        let mut state = lock(&self.state);
        let since = state.since.take()?;
        let failures = std::mem::take(&mut state.failures);
        state.announced.then(|| (since.elapsed(), failures))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_are_logged() {
        let outage = Outage::new("it is away", "it is back");
        assert_eq!(outage.ends(), None, "there was none");
        assert!(outage.begins());
        assert!((0..100).all(|_| !outage.begins()), "it goes on");
        assert_eq!(outage.ends().map(|(_, failures)| failures), Some(101));
        assert!(!outage.begins(), "it has just been logged");
        assert_eq!(outage.ends(), None, "as its beginning was not logged, its end is not");
    }
}
