//! Readiness: whether the database can currently be read and written.

use crate::server::store::entity::site;
use crate::server::store::{Store, StoreError};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DatabaseBackend, EntityTrait, Statement};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Query that PostgreSQL answers with `on` in a read-only session and on a replica.
const READ_ONLY: &str = "SHOW transaction_read_only";

/// Name of the `site` row that the write probe updates.
const PROBE_KEY: &str = "tried";

/// A shared flag: whether the last batch could not be written.
#[derive(Clone, Default)]
pub(crate) struct WriteHealth(Arc<AtomicBool>);

impl WriteHealth {
    /// Returns a guard for a write that begins.
    pub(crate) fn begin(&self) -> WriteGuard<'_> {
        WriteGuard { failing: self, failed: true }
    }
}

/// A guard for a write in progress. Dropping it records a failure, also after a timeout or cancellation, unless
/// [`stored`](Self::stored) was called.
pub(crate) struct WriteGuard<'a> {
    failing: &'a WriteHealth,
    failed: bool,
}

impl WriteGuard<'_> {
    pub(crate) fn stored(mut self) {
        self.failed = false;
    }
}

impl Drop for WriteGuard<'_> {
    fn drop(&mut self) {
        self.failing.0.store(self.failed, Ordering::Relaxed);
    }
}

impl Store {
    /// Returns an error if rooms cannot be read and written. After a failed batch it writes a probe: a node that is not
    /// ready gets no messages, so no other write would show that it has recovered.
    pub(crate) async fn ready(&self) -> Result<(), StoreError> {
        if self.is_sqlite() {
            self.reader.with_timeout(self.reader.connection().ping()).await?;
        } else {
            assert_writable(&self.reader).await?;
        }
        if self.failing.0.load(Ordering::Relaxed) {
            self.writer.with_timeout(self.probe_write()).await?;
        }
        Ok(())
    }

    async fn probe_write(&self) -> Result<(), StoreError> {
        let row = site::ActiveModel {
            name: Set(PROBE_KEY.to_owned()),
            value: Set(crate::server::time::now_ms().to_be_bytes().to_vec()),
        };
        let again = OnConflict::column(site::Column::Name).update_column(site::Column::Value).to_owned();
        let writing = self.failing.begin();
        let transaction = self.begin().await?;
        site::Entity::insert(row).on_conflict(again).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        writing.stored();
        Ok(())
    }
}

/// Returns an error if PostgreSQL is read-only, for example a replica.
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
    fn a_write_that_is_not_confirmed_has_failed() {
        let failing = WriteHealth::default();
        let is_failing = || failing.0.load(Ordering::Relaxed);
        assert!(!is_failing());
        drop(failing.begin());
        assert!(is_failing());
        failing.begin().stored();
        assert!(!is_failing());
    }
}
