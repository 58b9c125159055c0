//! Appends to the log: a batch of entries becomes events in one transaction. Only the journal calls this.

use super::append_batch::{AppendBatch, Locking};
use crate::domain::{Rejection, RejectionCode};
use crate::server::store::database::sqlite_thread::WriteJob;
use crate::server::store::rooms::derived_room::DerivationKey;
use crate::server::store::{AppendRequest, AppendResult, Store, StoreError};
use crate::server::time::now_ms;
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, Statement};
use std::time::Instant;

/// Sets the time to wait for a room's row lock to 3 s, and reads the database's time in UTC milliseconds. All nodes use
/// that time instead of their own clocks.
const LOCK_TIMEOUT_AND_NOW: &str =
    "SELECT set_config('lock_timeout', '3s', true), (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

impl Store {
    /// Appends `entries` in order, and returns the result of each. When this returns `Ok`, the commit is on stable
    /// storage.
    ///
    /// The entries share one transaction, unless the database can never store one of them. That entry is rejected, and
    /// bisection finds it: the other entries are committed in as many transactions as that takes.
    ///
    /// # Errors
    ///
    /// Returns an error if the database does not answer, or cannot be written. The outcome is then unknown; retrying is
    /// safe because every entry has an id.
    pub(crate) async fn append(
        &self,
        entries: &[AppendRequest],
        locking: Locking,
    ) -> Result<Vec<AppendResult>, StoreError> {
        let writing = self.failing.begin(entries.iter().map(AppendRequest::bytes).sum());
        let mut appended = Vec::with_capacity(entries.len());
        let mut rest: Vec<&[AppendRequest]> = vec![entries];
        while let Some(batch) = rest.pop() {
            match self.append_at_once(batch, locking).await {
                Ok(done) => appended.extend(done),
                Err(StoreError::Unstorable(error)) => match batch {
                    [] => {}
                    [_] => {
                        tracing::warn!(%error, "The database cannot store a message; rejected it");
                        let detail = "This cannot be stored.";
                        appended.push(AppendResult::Rejected(Rejection::new(RejectionCode::Invalid, detail)));
                    }
                    _ => {
                        let (first, second) = batch.split_at(batch.len() / 2);
                        rest.extend([second, first]);
                    }
                },
                Err(error) => return Err(error),
            }
        }
        writing.stored();
        self.record_appends(appended.iter().filter(|appended| matches!(appended, AppendResult::Appended(_))).count());
        if entries.iter().any(|entry| entry.new_event.removes_text()) {
            self.schedule_checkpoint();
        }
        Ok(appended)
    }

    /// Appends all entries in one transaction, or none.
    async fn append_at_once(
        &self,
        entries: &[AppendRequest],
        locking: Locking,
    ) -> Result<Vec<AppendResult>, StoreError> {
        let begins = entries.iter().any(|entry| entry.begins.is_some());
        // Read before the transaction begins, which waits for nothing but its own statements.
        let site = if begins { Some(self.derivation().await?.clone()) } else { None };
        let (appended, has_rest) = self.write(AppendJob { entries: entries.to_vec(), locking, site }).await?;
        if has_rest {
            self.schedule_redaction();
        }
        Ok(appended)
    }
}

/// The transaction of a batch. Returns the result of each entry, and whether edits of deleted messages remain to be
/// blanked.
struct AppendJob {
    entries: Vec<AppendRequest>,
    locking: Locking,
    /// The site's key, if an entry begins a room.
    site: Option<DerivationKey>,
}

impl WriteJob for AppendJob {
    type Output = (Vec<AppendResult>, bool);

    async fn run(self, transaction: &impl ConnectionTrait) -> Result<Self::Output, StoreError> {
        let begun = begun_at(transaction).await?;
        if let Some(site) = &self.site {
            site.begin_rooms(transaction, &self.entries).await?;
        }
        let mut batch = AppendBatch::lock(transaction, &self.entries, self.locking, begun).await?;
        let appended = self.entries.iter().map(|entry| batch.append(entry)).collect();
        let has_rest = batch.write(transaction).await?;
        Ok((appended, has_rest))
    }
}

/// Returns the time in UTC milliseconds, and the instant at which this process asked for it. Also sets PostgreSQL's
/// lock timeout.
async fn begun_at(transaction: &impl ConnectionTrait) -> Result<(i64, Instant), DbErr> {
    if transaction.get_database_backend() != DatabaseBackend::Postgres {
        return Ok((now_ms(), Instant::now()));
    }
    let query = Statement::from_string(DatabaseBackend::Postgres, LOCK_TIMEOUT_AND_NOW);
    let row = transaction.query_one_raw(query).await?;
    let missing = || DbErr::RecordNotFound("the time".to_owned());
    Ok((row.ok_or_else(missing)?.try_get_by_index(1)?, Instant::now()))
}
