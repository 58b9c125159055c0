//! The events that an earlier process has written to SQLite's write-ahead log, made durable before anything is answered.
//!
//! A process that was killed may have written events that it never synced; a message that is sent again must not be
//! acknowledged before the first one is on the disk. Usually the log is copied into the database and synced. A reader
//! from before, such as a backup, keeps a part of it from being copied: then the log itself is made durable, and copied
//! later.

use super::files::{beside, io_error, sync_directory};
use crate::server::store::StoreError;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes of the log that are in memory at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// Makes everything durable that was committed to the database at `file`. Readers neither wait nor are waited for.
pub(crate) async fn secure_log(writer: &DatabaseConnection, file: &Path) -> Result<(), StoreError> {
    if copy_log(writer).await? {
        return Ok(());
    }
    tracing::info!("another program reads the database; its write-ahead log is synced, and copied later");
    // No other program may write the log meanwhile, or begin it anew.
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

/// Writes each byte of the log again in its place, and syncs it. Only to sync it would not do: after a sync that failed,
/// the system may take for written what it could not write, and would not try again.
fn rewrite(log: PathBuf) -> Result<(), StoreError> {
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
