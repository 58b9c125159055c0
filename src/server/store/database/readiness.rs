//! Readiness: whether the database can currently be read and written.

use crate::server::store::entity::site;
use crate::server::store::{Store, StoreError};
use crate::server::sync::lock;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DatabaseBackend, DbErr, EntityTrait, Statement};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Query that PostgreSQL answers with `on` in a read-only session and on a replica.
const READ_ONLY: &str = "SHOW transaction_read_only";

/// Name of the `site` row that the write probe updates.
const PROBE_KEY: &str = "tried";

/// Minimum and maximum size of a write probe, in bytes. A batch changes many pages, of which a probe has only as many
/// as its size takes: on a disk that is almost full, a small probe fits where no message does.
const MIN_PROBE_BYTES: usize = 256 << 10;
const MAX_PROBE_BYTES: usize = 4 << 20;

/// Minimum time between two write probes, regardless of the number of requests.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// The outcome of the last batch, and of the probes since; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct WriteHealth(Arc<Mutex<WriteFailure>>);

#[derive(Debug, Default)]
struct WriteFailure {
    /// Whether the last write failed.
    failing: bool,
    /// Size of the largest write that has failed since one succeeded, in bytes.
    bytes: usize,
    /// Time of the last probe.
    probed: Option<Instant>,
}

impl WriteHealth {
    /// Returns a guard for a write of `bytes` that begins now.
    pub(crate) fn begin(&self, bytes: usize) -> WriteGuard<'_> {
        WriteGuard { health: self, bytes, failed: true }
    }

    fn is_failing(&self) -> bool {
        self.lock().failing
    }

    /// Returns the size of the probe that has to succeed, in bytes. `None` if the last probe is too recent.
    fn next_probe(&self) -> Option<usize> {
        let mut failure = self.lock();
        if failure.probed.is_some_and(|probed| probed.elapsed() < PROBE_INTERVAL) {
            return None;
        }
        failure.probed = Some(Instant::now());
        Some(failure.bytes.saturating_mul(2).clamp(MIN_PROBE_BYTES, MAX_PROBE_BYTES))
    }

    fn lock(&self) -> MutexGuard<'_, WriteFailure> {
        lock(&self.0)
    }
}

/// A guard for a write in progress. Dropping it records a failure, also after a timeout or cancellation, unless
/// [`stored`](Self::stored) was called.
pub(crate) struct WriteGuard<'a> {
    health: &'a WriteHealth,
    bytes: usize,
    failed: bool,
}

impl WriteGuard<'_> {
    pub(crate) fn stored(mut self) {
        self.failed = false;
    }
}

impl Drop for WriteGuard<'_> {
    fn drop(&mut self) {
        let mut failure = self.health.lock();
        failure.failing = self.failed;
        failure.bytes = if self.failed { failure.bytes.max(self.bytes) } else { 0 };
    }
}

impl Store {
    /// Checks whether rooms can be read and written. After a failed batch it writes a probe of at least the batch's
    /// size: a node that is not ready gets no messages, so no other write would show that it has recovered.
    ///
    /// # Errors
    ///
    /// Returns an error if they cannot.
    pub(crate) async fn ready(&self) -> Result<(), StoreError> {
        self.assert_in_place()?;
        if self.is_sqlite() {
            self.reader.with_timeout(self.reader.connection().ping()).await?;
        } else {
            assert_writable(&self.reader).await?;
        }
        if self.failing.is_failing() {
            let Some(bytes) = self.failing.next_probe() else {
                return Err(DbErr::Custom("the last write failed".into()).into());
            };
            self.writer.with_timeout(self.probe_write(bytes)).await?;
        }
        Ok(())
    }

    async fn probe_write(&self, bytes: usize) -> Result<(), StoreError> {
        let writing = self.failing.begin(0);
        // Random bytes, because a file system or database could compress others.
        let mut probe = vec![0; bytes];
        getrandom::fill(&mut probe).map_err(|error| DbErr::Custom(error.to_string()))?;
        self.write_probe(probe).await?;
        writing.stored();
        // The space is free again for later writes.
        self.write_probe(Vec::new()).await
    }

    async fn write_probe(&self, value: Vec<u8>) -> Result<(), StoreError> {
        let row = site::ActiveModel { name: Set(PROBE_KEY.to_owned()), value: Set(value) };
        let again = OnConflict::column(site::Column::Name).update_column(site::Column::Value).to_owned();
        let transaction = self.begin().await?;
        site::Entity::insert(row).on_conflict(again).exec_without_returning(&transaction).await?;
        Ok(transaction.commit().await?)
    }
}

/// Checks that PostgreSQL can be written.
///
/// # Errors
///
/// Returns an error if it is read-only, for example a replica.
pub(crate) async fn assert_writable(connection: &impl ConnectionTrait) -> Result<(), StoreError> {
    let row = connection.query_one_raw(Statement::from_string(DatabaseBackend::Postgres, READ_ONLY)).await?;
    if row.is_none_or(|row| row.try_get_by_index::<String>(0).is_ok_and(|read_only| read_only == "on")) {
        return Err(StoreError::ReadOnly);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_fail_until_one_is_stored() {
        let health = WriteHealth::default();
        assert!(!health.is_failing());
        drop(health.begin(10));
        assert!(health.is_failing());
        health.begin(10).stored();
        assert!(!health.is_failing());
    }

    #[test]
    fn a_probe_is_larger_than_the_writes_that_failed() {
        let health = WriteHealth::default();
        drop(health.begin(1 << 20));
        drop(health.begin(10));
        assert_eq!(health.next_probe(), Some(2 << 20));
        assert_eq!(health.next_probe(), None, "one a second");
        health.lock().probed = None;
        health.begin(10).stored();
        drop(health.begin(usize::MAX));
        assert_eq!(health.next_probe(), Some(MAX_PROBE_BYTES));
    }
}
