//! Opening SQLite: durable, migrated, and with a single writer.

use super::checkpoint::CHECKPOINT_TIMEOUT;
use super::direct::{DURABLE, WrittenFile};
use super::files::{HeldFile, assert_all_accessible, lock_file, open_private};
use super::options::{CONNECT_TIMEOUT, assert_durable, options};
use super::provenance;
use super::recovery::secure_log;
use super::schema::assert_not_newer;
use super::sqlite_thread::SqliteThread;
use super::statistics::seed_statistics;
use super::timeout::TimeoutConnection;
use super::write_connection::WriteConnection;
use crate::server::config::redacted;
use crate::server::store::{OpenError, Store};
use migrations::{Migrator, MigratorTrait};
use sea_orm::{
    Database, DatabaseConnection, DbErr,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Number of connections that read the embedded database.
const SQLITE_READERS: u32 = 4;

/// Opens an SQLite database for a server, and migrates it.
///
/// # Errors
///
/// Returns an error if the database cannot be used, or if a migration fails.
pub(super) async fn open_sqlite(url: &str) -> Result<Store, OpenError> {
    let file = sqlite_file(url)?;
    let is_copy = provenance::is_copy(&file);
    let lock = lock_file(&file)?;
    assert_all_accessible(&file)?;
    provenance::set_foreign_log_aside(&file)?;
    // SQLite creates the files beside it with the same permissions.
    open_private(&file)?;
    let migrator = migrate(url).await?;
    let held = HeldFile::new(&file, lock)?;
    provenance::settle_file(&migrator, &held, is_copy).await?;
    let thread = SqliteThread::open(written_file(url, CONNECT_TIMEOUT)?).await?;
    migrator.close().await?;
    let reader = connect_to_read(url, SQLITE_READERS).await?;
    let writer = WriteConnection::Sqlite { thread, limited: true };
    let store = Store::new(writer, TimeoutConnection::limited(reader), Some(held));
    // The write-ahead log may hold deleted data, and may be long.
    store.schedule_checkpoint();
    Ok(store)
}

/// Returns the file that an SQLite URL names.
///
/// # Errors
///
/// Returns an error if the URL is malformed, or names an in-memory database.
pub(crate) fn sqlite_file(url: &str) -> Result<PathBuf, OpenError> {
    // Once parsed, an in-memory database has a file name like any other: only the URL tells.
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(OpenError::InMemory);
    }
    let malformed = |_| OpenError::Url(format!("{} has parameters that SQLite's driver does not know", redacted(url)));
    let options = SqliteConnectOptions::from_str(url).map_err(malformed)?;
    Ok(options.get_filename().to_owned())
}

/// Returns the file that an SQLite URL names, for a connection that waits up to `busy_timeout` for other processes.
fn written_file(url: &str, busy_timeout: Duration) -> Result<WrittenFile, OpenError> {
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    let vfs = url::form_urlencoded::parse(parameters.as_bytes()).find(|(name, _)| name == "vfs");
    Ok(WrittenFile { path: sqlite_file(url)?, vfs: vfs.map(|(_, vfs)| vfs.into_owned()), busy_timeout })
}

/// Opens a connection that writes, for a command. It waits longer for the write lock than a server does, because the
/// server writes all the time.
///
/// # Errors
///
/// Returns an error if the file does not exist, cannot be opened, or promises no durable commits.
pub(crate) async fn connect_to_write(url: &str) -> Result<WriteConnection, OpenError> {
    let thread = SqliteThread::open(written_file(url, CHECKPOINT_TIMEOUT)?).await?;
    Ok(WriteConnection::Sqlite { thread, limited: false })
}

/// Makes the commits of earlier processes durable, and migrates. Creates the database if it does not exist. Returns the
/// connection, the only one that writes; SeaORM's migrations need one of its own.
///
/// # Errors
///
/// Returns an error if the database cannot be opened, promises no durable commits, or a migration fails.
pub(crate) async fn migrate(url: &str) -> Result<DatabaseConnection, OpenError> {
    let mut options = options(url);
    options.max_connections(1).map_sqlx_sqlite_opts(|sqlite| {
        sqlite
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(CONNECT_TIMEOUT)
            .pragma("secure_delete", "ON")
            .pragma("temp_store", "MEMORY")
    });
    // The connection never expires: pragmas belong to it, and there is no second writer.
    options.idle_timeout(None).max_lifetime(None).test_before_acquire(false);
    let migrator = Database::connect(options).await?;
    for (query, expected) in DURABLE {
        assert_durable(&migrator, query, expected).await?;
    }
    secure_log(&migrator, &sqlite_file(url)?).await?;
    assert_not_newer(&migrator, url).await?;
    Migrator::up(&migrator, None).await?;
    seed_statistics(&migrator).await?;
    Ok(migrator)
}

/// Opens read-only connections to an embedded database.
///
/// # Errors
///
/// Returns an error if the database cannot be opened.
pub(crate) async fn connect_to_read(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    let mut options = options(url);
    // A connection to a file cannot be lost, so it is not tested.
    options
        .max_connections(connections)
        .test_before_acquire(false)
        .map_sqlx_sqlite_opts(|sqlite| sqlite.read_only(true).busy_timeout(CONNECT_TIMEOUT));
    Database::connect(options).await
}
