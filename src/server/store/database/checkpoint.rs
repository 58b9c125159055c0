//! Checkpoints of SQLite's write-ahead log. Deleted data is overwritten with zeros in the database file
//! (`secure_delete`), but stays readable in the log until a checkpoint truncates it. A reader prevents truncation while
//! it reads, a backup for minutes. So the checkpoint is retried, and no writer waits for it.

use super::write_connection::WriteConnection;
use crate::server::store::Store;
use crate::server::store::sqlite_failure::is_closed;
use sea_orm::DbErr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore};

/// Time for which a command tries to empty the write-ahead log, and waits for the write lock.
pub(crate) const CHECKPOINT_TIMEOUT: Duration = Duration::from_secs(20);

/// Time for which one attempt waits for readers and blocks writers; and delay between attempts.
const CHECKPOINT_BUSY_TIMEOUT: Duration = Duration::from_millis(20);
const CHECKPOINT_RETRY_DELAY: Duration = Duration::from_millis(200);

/// Limits checkpoints to one that runs and one that waits for its turn.
#[derive(Clone)]
pub(crate) struct Checkpointer {
    next: Arc<Semaphore>,
    running: Arc<Mutex<()>>,
}

impl Default for Checkpointer {
    fn default() -> Self {
        Self { next: Arc::new(Semaphore::new(1)), running: Arc::default() }
    }
}

impl Store {
    /// Starts a background task that truncates the write-ahead log as soon as no reader uses it. Returns immediately.
    pub(crate) fn schedule_checkpoint(&self) {
        if !self.is_sqlite() {
            return;
        }
        // A checkpoint that waits for its turn starts later than now, so it covers this call, too.
        let Ok(next) = self.wal.next.clone().try_acquire_owned() else { return };
        let store = self.clone();
        tokio::spawn(async move {
            let _running = store.wal.running.lock().await;
            drop(next);
            store.truncate_wal().await;
        });
    }

    /// Truncates the write-ahead log, and waits up to [`CHECKPOINT_TIMEOUT`] for that. For commands, whose process ends
    /// afterwards, so that no background task could retry.
    pub(crate) async fn checkpoint_now(&self) {
        if self.is_sqlite() && tokio::time::timeout(CHECKPOINT_TIMEOUT, self.truncate_wal()).await.is_err() {
            tracing::warn!(
                "parlour.db-wal still contains deleted data, because another program is reading the database"
            );
        }
    }

    /// Retries until the log is empty, or the database is closed, which empties the log or leaves that to the next
    /// start.
    async fn truncate_wal(&self) {
        let mut failing = false;
        loop {
            match self.try_truncate_wal().await {
                Ok(true) => return,
                Err(error) if is_closed(&error) => return,
                Ok(false) => failing = false,
                Err(error) => {
                    // Logged once, not for every attempt.
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(%error, "The write-ahead log could not be truncated");
                    }
                }
            }
            tokio::time::sleep(CHECKPOINT_RETRY_DELAY).await;
        }
    }

    async fn try_truncate_wal(&self) -> Result<bool, DbErr> {
        let WriteConnection::Sqlite { thread, .. } = &self.writer else { return Ok(true) };
        thread.run(|connection| connection.truncate_log(CHECKPOINT_BUSY_TIMEOUT)).await
    }
}
