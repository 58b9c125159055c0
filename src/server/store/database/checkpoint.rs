//! SQLite's write-ahead log, and what was deleted: in the file that is zero (`secure_delete`), but it stands in the log
//! until that is emptied. Whoever reads the database keeps it from being emptied for as long as that takes, a backup for
//! minutes: it is tried again and again, and nobody who writes waits for it.

use super::sqlite::CHECKPOINT_TIMEOUT;
use crate::server::store::Store;
use sea_orm::sqlx::{self, SqliteConnection, query, query_scalar};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore};

/// How long readers are waited for in one try, in milliseconds, while nobody can write; and how long between two.
const CHECKPOINT_BUSY_TIMEOUT_MS: i64 = 20;
const CHECKPOINT_RETRY_DELAY: Duration = Duration::from_millis(200);

/// Who empties the log: one at a time, and one that begins after them.
#[derive(Clone)]
pub(crate) struct Checkpointer {
    next: Arc<Semaphore>,
    turn: Arc<Mutex<()>>,
}

impl Default for Checkpointer {
    fn default() -> Self {
        Self { next: Arc::new(Semaphore::new(1)), turn: Arc::default() }
    }
}

impl Store {
    /// Has what was deleted leave the write-ahead log as soon as nobody reads it any more.
    pub(crate) fn schedule_checkpoint(&self) {
        if !self.is_sqlite() {
            return;
        }
        // Whoever waits for the turn begins later than now.
        let Ok(next) = self.wal.next.clone().try_acquire_owned() else { return };
        let store = self.clone();
        tokio::spawn(async move {
            let _turn = store.wal.turn.lock().await;
            drop(next);
            store.truncate_wal().await;
        });
    }

    /// The same for a command, which ends with its process: nobody goes on trying, so it waits.
    pub(crate) async fn checkpoint_now(&self) {
        if self.is_sqlite() && tokio::time::timeout(CHECKPOINT_TIMEOUT, self.truncate_wal()).await.is_err() {
            tracing::warn!("parlour.db-wal still holds what was deleted: another program reads the database");
        }
    }

    /// Until it is empty, or the database is closed, which empties it or leaves that to the next start.
    async fn truncate_wal(&self) {
        let mut failing = false;
        loop {
            match self.try_truncate_wal().await {
                Ok(true) | Err(sqlx::Error::PoolClosed) => return,
                Ok(false) => failing = false,
                Err(error) => {
                    // Said once, not at every try.
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(%error, "the write-ahead log cannot be emptied");
                    }
                }
            }
            tokio::time::sleep(CHECKPOINT_RETRY_DELAY).await;
        }
    }

    async fn try_truncate_wal(&self) -> Result<bool, sqlx::Error> {
        let mut connection = self.writer.connection().get_sqlite_connection_pool().acquire().await?;
        let patience: i64 = query_scalar("PRAGMA busy_timeout").fetch_one(&mut *connection).await?;
        wait_at_most(&mut connection, CHECKPOINT_BUSY_TIMEOUT_MS).await?;
        let busy = query_scalar("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await;
        wait_at_most(&mut connection, patience).await?;
        busy.map(|busy: i64| busy == 0)
    }
}

/// How long this connection waits for others, in milliseconds.
async fn wait_at_most(connection: &mut SqliteConnection, ms: i64) -> Result<(), sqlx::Error> {
    query(sqlx::AssertSqlSafe(format!("PRAGMA busy_timeout = {ms}"))).execute(connection).await?;
    Ok(())
}
