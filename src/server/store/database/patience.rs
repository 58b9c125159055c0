//! Opening a database that may not answer yet: its host is still starting, or its name is not known yet.

use crate::server::store::error::is_unreachable;
use crate::server::store::{OpenError, Store, StoreError};
use crate::server::telemetry::outage::Outage;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Delay between two attempts: the first, and the longest.
const MIN_RETRY_DELAY: Duration = Duration::from_millis(100);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(2);

impl Store {
    /// Like [`Store::open`], but retries for up to `patience` while the database cannot be reached. Logs the begin and
    /// the end of the outage.
    ///
    /// # Errors
    ///
    /// Returns the error of the last attempt.
    pub(crate) async fn open_patiently(url: &str, patience: Duration) -> Result<Self, OpenError> {
        let (begun, mut delay) = (Instant::now(), MIN_RETRY_DELAY);
        let outage = Outage::new("The database cannot be reached; trying again", "The database is reached");
        loop {
            match Self::open(url).await {
                Err(error) if error.may_pass() && begun.elapsed() + delay < patience => outage.failed(&error),
                Err(error) => return Err(error),
                Ok(store) => {
                    outage.over();
                    return Ok(store);
                }
            }
            sleep(delay).await;
            delay = MAX_RETRY_DELAY.min(delay * 2);
        }
    }
}

impl OpenError {
    /// Returns whether the database could not be reached, which may be temporary.
    fn may_pass(&self) -> bool {
        matches!(self, Self::Database(StoreError::Database(error)) if is_unreachable(error))
    }
}
