//! Protection against wrong clocks. A stored time that is further ahead of now than nodes' clocks plausibly differ is
//! ignored, so that a clock that was ahead once does no lasting harm.

use crate::server::store::{Store, StoreError};
use crate::server::time::now_ms;
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, Statement};

/// Query for PostgreSQL's time, in UTC milliseconds.
const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// Maximum time by which a stored time may be ahead of now, in milliseconds. Beyond that, its clock counts as wrong.
pub(crate) const MAX_AHEAD_MS: i64 = 10_000;

impl Store {
    /// Returns the time in UTC milliseconds. It is PostgreSQL's time if PostgreSQL is used, so that a node with a wrong
    /// clock does not remove data too early.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn now(&self) -> Result<i64, StoreError> {
        if self.is_sqlite() {
            return Ok(now_ms());
        }
        let row = self.reader.query_one_raw(Statement::from_string(DatabaseBackend::Postgres, NOW)).await?;
        Ok(row.ok_or_else(|| DbErr::RecordNotFound("the time".to_owned()))?.try_get_by_index(0)?)
    }
}

/// Returns the time of a room's next event, in UTC milliseconds: not before the newest event, unless that was stamped
/// by a clock that was ahead.
pub(crate) fn next_at(last_at: i64, now: i64) -> i64 {
    if is_ahead(last_at, now) { now } else { last_at.max(now) }
}

/// Returns whether a stored time is implausibly far ahead.
pub(crate) fn is_ahead(at: i64, now: i64) -> bool {
    at > now.saturating_add(MAX_AHEAD_MS)
}

/// Returns the remaining time of a wait that began at `since`, in milliseconds, or 0 if it is over. A `since` that is
/// further ahead of now than the wait is long is ignored.
pub(crate) fn remaining_ms(since: i64, wait_ms: i64, now: i64) -> i64 {
    if since > now.saturating_add(wait_ms.min(MAX_AHEAD_MS)) {
        return 0;
    }
    since.saturating_add(wait_ms).saturating_sub(now).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    #[test]
    fn an_event_is_not_before_the_newest_unless_that_cannot_be() {
        assert_eq!(next_at(0, NOW), NOW);
        assert_eq!(next_at(NOW + 900, NOW), NOW + 900, "nodes' clocks differ a little");
        for ahead in [600_000, 10 * 365 * 86_400_000, i64::MAX - NOW] {
            assert_eq!(next_at(NOW + ahead, NOW), NOW, "{ahead}");
        }
        assert_eq!(next_at(NOW, NOW - 3000), NOW, "a clock that is set back a little");
    }

    #[test]
    fn a_wait_is_never_much_longer_than_it_is_long() {
        assert_eq!(remaining_ms(NOW - 400, 1000, NOW), 600);
        assert_eq!(remaining_ms(NOW - 1000, 1000, NOW), 0);
        assert_eq!(remaining_ms(0, 1000, NOW), 0);
        for wait in [1000, 60_000, 3_600_000] {
            for ahead in [0, 500, 5000, 20_000, 600_000, i64::MAX - NOW] {
                let left = remaining_ms(NOW + ahead, wait, NOW);
                assert!(left <= wait + wait.min(MAX_AHEAD_MS), "{wait} {ahead}: {left}");
            }
            assert_eq!(remaining_ms(NOW + 600_000, wait, NOW), 0, "{wait}");
        }
    }
}
