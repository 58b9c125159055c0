//! Opening the database: durable, migrated, and with one writer where it is embedded.

use super::patience::Patient;
use super::planner::{Growth, expect_large_rooms};
use super::postgres::{connect_postgres, open_postgres};
use super::ready::Failing;
use super::redaction::Redacting;
use super::suggestions::Suggesting;
use super::together::Together;
use super::wal::Wal;
use super::{Store, StoreError};
use crate::server::config::redacted;
use migrations::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, Statement,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    fs::{DirBuilder, File, OpenOptions},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

/// How long a database may take to let somebody in.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Readers of the embedded database.
const SQLITE_READERS: u32 = 4;

/// How long a command tries to empty it, and waits for its turn to write.
pub(super) const LONG_PATIENCE: Duration = Duration::from_secs(20);

impl Store {
    /// Opens `url` (`sqlite://…` or `postgres://…`), makes it if it is a file that does not exist, and migrates it.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => open_sqlite(url).await,
            Some("postgres" | "postgresql") => open_postgres(url).await,
            _ => Err(StoreError::Url(url.split(':').next().unwrap_or_default().to_owned())),
        }
    }

    /// The same where a file must be there already.
    pub(crate) async fn open_existing(url: &str) -> Result<Self, StoreError> {
        if url.starts_with("sqlite:") {
            let file = sqlite_file(url)?;
            if !file.is_file() {
                let what =
                    "is not there: the server makes it at its first start, or this is another --data than its own";
                return Err(StoreError::File { path: file.display().to_string(), what: what.to_owned() });
            }
        }
        Self::open(url).await
    }

    /// Opens a database beside the server that may be using it: it must be there, and up to date.
    pub(crate) async fn open_beside(url: &str) -> Result<Self, StoreError> {
        let not_ready = || StoreError::NotReady(redacted(url));
        let store = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") if !sqlite_file(url)?.is_file() => return Err(not_ready()),
            Some("sqlite") => {
                let reader = connect_to_read(url, 1).await?;
                Self::new(Patient::unlimited(connect_to_write(url, false).await?), Patient::unlimited(reader), None)
            }
            Some("postgres" | "postgresql") => {
                let pool = Patient::unlimited(connect_postgres(url).await?);
                Self::new(pool.clone(), pool, None)
            }
            _ => return Err(StoreError::Url(url.split(':').next().unwrap_or_default().to_owned())),
        };
        match Migrator::get_pending_migrations(store.reader.connection()).await {
            Ok(pending) if pending.is_empty() => Ok(store),
            _ => Err(not_ready()),
        }
    }

    pub(super) fn new(writer: Patient, reader: Patient, lock: Option<File>) -> Self {
        let (found, growth, wal) = (Together::default(), Growth::default(), Wal::default());
        let (failing, redacting, suggesting) = (Failing::default(), Redacting::default(), Suggesting::default());
        Self { writer, reader, found, growth, failing, wal, redacting, suggesting, _lock: lock.map(Arc::new) }
    }
}

async fn open_sqlite(url: &str) -> Result<Store, StoreError> {
    let file = sqlite_file(url)?;
    let lock = lock_file(&file)?;
    // What SQLite makes beside it is for the same eyes.
    open_private(&file)?;
    let writer = writer(url).await?;
    let reader = connect_to_read(url, SQLITE_READERS).await?;
    Ok(Store::new(Patient::limited(writer), Patient::limited(reader), Some(lock)))
}

/// The file that a URL of SQLite names.
pub(super) fn sqlite_file(url: &str) -> Result<PathBuf, StoreError> {
    // Parsed, it has a file name like any other: only the URL says so.
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(StoreError::InMemory);
    }
    let options = SqliteConnectOptions::from_str(url).map_err(|_| StoreError::Url(url.to_owned()))?;
    Ok(options.get_filename().to_owned())
}

/// The one connection that writes, with everything durable that an earlier process has written, and migrated.
pub(super) async fn writer(url: &str) -> Result<DatabaseConnection, StoreError> {
    let writer = connect_to_write(url, true).await?;
    // A process that was killed may have written what it never synced; a retry must not be told that it is stored
    // before it is. Emptying the write-ahead log syncs it.
    if !checkpoint(&writer).await? {
        return Err(StoreError::Recovery);
    }
    Migrator::up(&writer, None).await?;
    expect_large_rooms(&writer).await?;
    Ok(writer)
}

/// A server may `create` the database. A command waits longer for its turn: whoever serves writes all the time.
async fn connect_to_write(url: &str, create: bool) -> Result<DatabaseConnection, StoreError> {
    let mut options = options(url);
    let patience = if create { PATIENCE } else { LONG_PATIENCE };
    options.max_connections(1).map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(patience)
            .pragma("secure_delete", "ON")
            // A statement of many rows keeps what it changes, to take it back should it fail: not in a file.
            .pragma("temp_store", "MEMORY")
    });
    // One connection for ever: pragmas belong to it, and there is no second writer.
    options.idle_timeout(None).max_lifetime(None).test_before_acquire(false);
    let writer = Database::connect(options).await?;
    assert_durable(&writer, "PRAGMA journal_mode", "wal").await?;
    assert_durable(&writer, "PRAGMA synchronous", "2").await?;
    Ok(writer)
}

/// Connections that only read an embedded database.
pub(super) async fn connect_to_read(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    let mut options = options(url);
    // A file does not hang up.
    options
        .max_connections(connections)
        .test_before_acquire(false)
        .map_sqlx_sqlite_opts(|sqlite| sqlite.read_only(true).busy_timeout(PATIENCE));
    Database::connect(options).await
}

/// Brings the write-ahead log into the file, synced, and empties it. Returns whether nobody kept it from being emptied.
async fn checkpoint(writer: &DatabaseConnection) -> Result<bool, DbErr> {
    let checkpoint = Statement::from_string(writer.get_database_backend(), "PRAGMA wal_checkpoint(TRUNCATE)");
    let row = writer.query_one_raw(checkpoint).await?;
    Ok(row.is_some_and(|row| row.try_get_by_index::<i32>(0).is_ok_and(|busy| busy == 0)))
}

pub(super) fn options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.sqlx_logging(false).acquire_timeout(PATIENCE).connect_timeout(PATIENCE);
    options
}

/// A commit that survives a power cut is the foundation of the log, so the setting is read back, not assumed.
pub(super) async fn assert_durable(
    connection: &DatabaseConnection,
    question: &str,
    answer: &str,
) -> Result<(), StoreError> {
    let backend = connection.get_database_backend();
    let row = connection.query_one_raw(Statement::from_string(backend, question)).await?;
    let found = match &row {
        Some(row) => {
            row.try_get_by_index::<String>(0).or_else(|_| row.try_get_by_index::<i32>(0).map(|n| n.to_string()))?
        }
        None => String::new(),
    };
    if found.eq_ignore_ascii_case(answer) {
        return Ok(());
    }
    Err(StoreError::NotDurable(format!("{question} says {found}, not {answer}")))
}

/// Opens a file to write, and makes it for its owner alone where it does not exist.
fn open_private(path: &Path) -> Result<File, StoreError> {
    let private = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    private.map_err(|error| io(path, error))
}

fn io(path: &Path, error: std::io::Error) -> StoreError {
    StoreError::Io { path: path.display().to_string(), error }
}

/// Takes `FILE.lock`, which goes with the process whatever way that ends.
pub(super) fn lock_file(file: &Path) -> Result<File, StoreError> {
    if let Some(directory) = file.parent() {
        let private = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        private.map_err(|error| io(directory, error))?;
    }
    let mut path = file.as_os_str().to_owned();
    path.push(".lock");
    let path = Path::new(&path);
    let lock = open_private(path)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse(file.display().to_string())),
        Err(std::fs::TryLockError::Error(error)) => Err(io(path, error)),
    }
}
