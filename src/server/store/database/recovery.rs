//! Recovery of the events that an earlier process has written to SQLite's write-ahead log. They are made durable before
//! any request is answered.
//!
//! A killed process may have written events that it never synced. A message that is sent again must not be acknowledged
//! before the first copy is on disk. Usually a checkpoint copies the log into the database and syncs it. An older
//! reader, such as a backup, blocks the copying of a part of the log: then the log itself is made durable, and copied
//! later.

use super::files::{beside, io_error, sync_directory};
use crate::server::store::OpenError;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Maximum number of bytes of the log that are in memory at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// Makes all commits to the database at `file` durable. Neither waits for readers nor blocks them.
///
/// # Errors
///
/// Returns an error if the log cannot be made durable.
pub(crate) async fn secure_log(writer: &DatabaseConnection, file: &Path) -> Result<(), OpenError> {
    if copy_log(writer).await? {
        return Ok(());
    }
    tracing::info!("Another program is reading the database; synced its write-ahead log, which is copied later");
    // Keeps other programs from writing to the log or restarting it during this.
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let alone = writer.begin_with_options(immediate).await?;
    let log = beside(file, "-wal");
    let rewritten = tokio::task::spawn_blocking(move || rewrite(log)).await;
    alone.rollback().await?;
    rewritten.unwrap_or_else(|error| Err(DbErr::Custom(error.to_string()).into()))
}

/// Copies as much of the log into the database as readers allow, and syncs it. Returns whether that was all of it.
async fn copy_log(writer: &DatabaseConnection) -> Result<bool, DbErr> {
    let checkpoint = Statement::from_string(writer.get_database_backend(), "PRAGMA wal_checkpoint(PASSIVE)");
    let Some(row) = writer.query_one_raw(checkpoint).await? else { return Ok(false) };
    let column = |index| row.try_get_by_index::<i32>(index);
    let (busy, logged, copied) = (column(0)?, column(1)?, column(2)?);
    Ok(busy == 0 && logged == copied)
}

/// Rewrites each byte of the log in place, and syncs it. A sync alone is not enough: after a failed sync, the system
/// may consider unwritten pages clean, and would not write them again.
fn rewrite(log: PathBuf) -> Result<(), OpenError> {
    let rewritten = || {
        let file = OpenOptions::new().read(true).write(true).open(&log)?;
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut at = 0;
        loop {
            let read = file.read_at(&mut chunk, at)?;
            if read == 0 {
                break;
            }
            file.write_all_at(&chunk[..read], at)?;
            at += read as u64;
        }
        file.sync_all()?;
        sync_directory(&log)
    };
    rewritten().map_err(|error| io_error(&log, error))
}
