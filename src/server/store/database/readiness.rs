//! Whether rooms can be read and written just now.

use crate::server::store::Store;
use crate::server::store::entity::site;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DatabaseBackend, DbErr, EntityTrait, Statement};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// PostgreSQL says `on` also while it follows another server.
const READ_ONLY: &str = "SHOW transaction_read_only";

/// Under which name something is written to find out.
const PROBE_KEY: &str = "tried";

/// Whether the last batch could not be written.
#[derive(Clone, Default)]
pub(crate) struct WriteHealth(Arc<AtomicBool>);

impl WriteHealth {
    /// Something is to be written.
    pub(crate) fn begin(&self) -> WriteGuard<'_> {
        WriteGuard { failing: self, failed: true }
    }
}

/// As long as this lives, something is being written. It failed, also where somebody gave up waiting for it, unless it
/// is said to be stored.
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
    /// Finds out whether rooms can be read and written. After a batch that failed something is written: nobody sends
    /// messages to a node that is not ready, so no other would come that shows that it is again.
    pub(crate) async fn ready(&self) -> Result<(), DbErr> {
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

    async fn probe_write(&self) -> Result<(), DbErr> {
        let row = site::ActiveModel {
            name: Set(PROBE_KEY.to_owned()),
            value: Set(crate::server::store::now().to_be_bytes().to_vec()),
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

/// Returns an error if a PostgreSQL can only be read, as a replica.
pub(crate) async fn assert_writable(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    let row = connection.query_one_raw(Statement::from_string(DatabaseBackend::Postgres, READ_ONLY)).await?;
    if row.is_none_or(|row| row.try_get_by_index::<String>(0).is_ok_and(|read_only| read_only == "on")) {
        return Err(DbErr::Custom("the database can only be read".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_to_be_stored_has_failed() {
        let failing = WriteHealth::default();
        let is_failing = || failing.0.load(Ordering::Relaxed);
        assert!(!is_failing());
        drop(failing.begin());
        assert!(is_failing());
        failing.begin().stored();
        assert!(!is_failing());
    }
}
