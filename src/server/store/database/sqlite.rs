//! Opening the database: durable, migrated, and with a single writer if it is SQLite.

use super::checkpoint::Checkpointer;
use super::files::{HeldFile, assert_all_accessible, lock_file, open_private};
use super::inspect::assert_not_newer;
use super::postgres::{connect_postgres, open_postgres};
use super::provenance;
use super::readiness::WriteHealth;
use super::recovery::secure_log;
use super::single_flight::SingleFlight;
use super::statistics::{AppendCounter, seed_statistics};
use super::timeout::TimeoutConnection;
use crate::server::config::redacted;
use crate::server::store::log::redaction::RedactionLock;
use crate::server::store::rooms::derived_room::RoomDerivation;
use crate::server::store::rooms::username_suggestions::Suggesting;
use crate::server::store::{Store, StoreError};
use migrations::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, Statement,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{path::PathBuf, str::FromStr, sync::Arc, time::Duration};

/// Timeout for connecting to the database.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Number of connections that read the embedded database.
const SQLITE_READERS: u32 = 4;

/// Time for which a command tries to empty the write-ahead log, and waits for the write lock.
pub(crate) const CHECKPOINT_TIMEOUT: Duration = Duration::from_secs(20);

impl Store {
    /// Opens and migrates the database at `url` (`sqlite://…` or `postgres://…`). Creates an SQLite file that is
    /// missing.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => open_sqlite(url).await,
            Some("postgres" | "postgresql") => open_postgres(url).await,
            _ => Err(StoreError::unknown(url)),
        }
    }

    /// Opens a database that a server may be using, for a command. Returns [`StoreError::NotReady`] if it does not
    /// exist or has pending migrations.
    pub(crate) async fn open_beside(url: &str) -> Result<Self, StoreError> {
        let not_ready = || StoreError::NotReady(redacted(url));
        let store = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") if !sqlite_file(url)?.is_file() => return Err(not_ready()),
            Some("sqlite") => {
                assert_all_accessible(&sqlite_file(url)?)?;
                let reader = connect_to_read(url, 1).await?;
                Self::new(
                    TimeoutConnection::unlimited(connect_to_write(url, false).await?),
                    TimeoutConnection::unlimited(reader),
                    None,
                )
            }
            Some("postgres" | "postgresql") => {
                let pool = TimeoutConnection::unlimited(connect_postgres(url).await?);
                Self::new(pool.clone(), pool, None)
            }
            _ => return Err(StoreError::unknown(url)),
        };
        assert_not_newer(store.reader.connection(), url).await?;
        match Migrator::get_pending_migrations_read_only(store.reader.connection()).await {
            Ok(pending) if pending.is_empty() => Ok(store),
            _ => Err(not_ready()),
        }
    }

    pub(crate) fn new(writer: TimeoutConnection, reader: TimeoutConnection, held: Option<HeldFile>) -> Self {
        let (found, growth, wal) = (SingleFlight::default(), AppendCounter::default(), Checkpointer::default());
        Self {
            writer,
            reader,
            found,
            derivation: RoomDerivation::default(),
            growth,
            failing: WriteHealth::default(),
            wal,
            redacting: RedactionLock::default(),
            suggesting: Suggesting::default(),
            held: held.map(Arc::new),
        }
    }
}

async fn open_sqlite(url: &str) -> Result<Store, StoreError> {
    let file = sqlite_file(url)?;
    let is_copy = provenance::is_copy(&file);
    let lock = lock_file(&file)?;
    assert_all_accessible(&file)?;
    // SQLite creates the files beside it with the same permissions.
    open_private(&file)?;
    let writer = writer(url).await?;
    provenance::settle_file(&writer, &lock, is_copy).await?;
    let reader = connect_to_read(url, SQLITE_READERS).await?;
    let held = HeldFile::new(&file, lock)?;
    let store = Store::new(TimeoutConnection::limited(writer), TimeoutConnection::limited(reader), Some(held));
    // The write-ahead log may hold deleted data, and may be long.
    store.schedule_checkpoint();
    Ok(store)
}

/// Returns the file that an SQLite URL names, or an error if the URL is malformed or names an in-memory database.
pub(crate) fn sqlite_file(url: &str) -> Result<PathBuf, StoreError> {
    // Once parsed, an in-memory database has a file name like any other: only the URL tells.
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(StoreError::InMemory);
    }
    let malformed = |_| StoreError::Url(format!("{} has parameters that are none of SQLite's", redacted(url)));
    let options = SqliteConnectOptions::from_str(url).map_err(malformed)?;
    Ok(options.get_filename().to_owned())
}

/// Opens the only writing connection, makes the commits of earlier processes durable, and migrates.
pub(crate) async fn writer(url: &str) -> Result<DatabaseConnection, StoreError> {
    let writer = connect_to_write(url, true).await?;
    secure_log(&writer, &sqlite_file(url)?).await?;
    assert_not_newer(&writer, url).await?;
    Migrator::up(&writer, None).await?;
    seed_statistics(&writer).await?;
    Ok(writer)
}

/// Opens a connection that writes. A server may `create` the database. A command waits longer for the write lock,
/// because the server writes all the time.
pub(crate) async fn connect_to_write(url: &str, create: bool) -> Result<DatabaseConnection, StoreError> {
    let mut options = options(url);
    let patience = if create { CONNECT_TIMEOUT } else { CHECKPOINT_TIMEOUT };
    options.max_connections(1).map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(patience)
            .pragma("secure_delete", "ON")
            // Statement journals, which can roll back a failed statement of many rows, stay in memory, not in a file.
            .pragma("temp_store", "MEMORY")
    });
    // The connection never expires: pragmas belong to it, and there is no second writer.
    options.idle_timeout(None).max_lifetime(None).test_before_acquire(false);
    let writer = Database::connect(options).await?;
    assert_durable(&writer, "PRAGMA journal_mode", "wal").await?;
    assert_durable(&writer, "PRAGMA synchronous", "2").await?;
    Ok(writer)
}

/// Opens read-only connections to an embedded database.
pub(crate) async fn connect_to_read(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    let mut options = options(url);
    // A connection to a file cannot be lost, so it is not tested.
    options
        .max_connections(connections)
        .test_before_acquire(false)
        .map_sqlx_sqlite_opts(|sqlite| sqlite.read_only(true).busy_timeout(CONNECT_TIMEOUT));
    Database::connect(options).await
}

pub(crate) fn options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.sqlx_logging(false).acquire_timeout(CONNECT_TIMEOUT).connect_timeout(CONNECT_TIMEOUT);
    options
}

/// Returns [`StoreError::NotDurable`] unless `question` yields `answer`. The log relies on commits that survive a power
/// failure, so the setting is read back, not assumed.
pub(crate) async fn assert_durable(
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
