//! Errors of the database. No error of SeaORM leaves the store; callers get the cases that they handle.

use super::sqlite_failure::SqliteFailure;
use crate::domain::Rejection;
use crate::server::config::redacted;
use sea_orm::{DbErr, RuntimeErr, sqlx, sqlx::error::DatabaseError};

/// SQLite's codes for a failed sync of the file, and of its directory (<https://www.sqlite.org/rescode.html>).
const SYNC_FAILED: [&str; 2] = ["1034", "1290"];

/// SQLite's codes for a value that it cannot hold: too long, of a wrong type, or against a rule of the schema (CHECK, a
/// trigger, NOT NULL).
const REFUSED_BY_SQLITE: [&str; 5] = ["18", "20", "275", "1811", "1299"];

/// PostgreSQL's error classes for a value that it cannot hold: data exceptions, program limits, errors raised by a
/// trigger (<https://www.postgresql.org/docs/current/errcodes-appendix.html>); and its codes for NOT NULL and CHECK.
/// Other integrity violations depend on the database's state, not on the value.
const REFUSED_BY_POSTGRES: [&str; 3] = ["22", "54", "P0"];
const RULES_OF_POSTGRES: [&str; 2] = ["23502", "23514"];

/// Text of the error of a query that has timed out. It passes through traits of SeaORM, which know only its own errors.
pub(super) const TIMED_OUT: &str = "the database does not answer";

/// An error of reading or writing the database.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The log no longer holds the next events: they were purged.
    #[error("event {seq} of room {room_id} is no longer in the log")]
    Gap {
        /// Id of the room.
        room_id: i64,
        /// Number of the first missing event.
        seq: i64,
    },
    /// The room was deleted, or its log is lost. Its address leads to another room from now on.
    #[error("room {0} no longer exists")]
    RoomGone(i64),
    /// The database did not answer in time. A write may have been stored.
    #[error("the database does not answer")]
    Timeout,
    /// The database cannot be written, for example because it is a replica.
    #[error("the database is read-only")]
    ReadOnly,
    /// The disk failed to sync. The system may since have dropped the pages that it could not write, so the process
    /// cannot rely on any data that it believes to be stored (Rebello et al., "Can Applications Recover from fsync
    /// Failures?", USENIX ATC 2020).
    #[error(transparent)]
    SyncFailed(DbErr),
    /// The database can never store a value, so that a retry is pointless.
    #[error(transparent)]
    Unstorable(DbErr),
    /// Another error of the database or its driver.
    #[error(transparent)]
    Database(DbErr),
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match &error {
            DbErr::Custom(reason) if reason == TIMED_OUT => Self::Timeout,
            _ if sync_failed(&error) => Self::SyncFailed(error),
            _ if can_never_be_stored(&error) => Self::Unstorable(error),
            _ => Self::Database(error),
        }
    }
}

impl From<StoreError> for Rejection {
    fn from(_: StoreError) -> Self {
        Self::unavailable()
    }
}

/// An error of opening a database, or of a command on its files.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is malformed, or its scheme is not supported.
    #[error("database-url: {0}")]
    Url(String),
    /// The URL names an in-memory database, whose content is lost when the process ends.
    #[error("database-url: an in-memory database would lose everything; name a file")]
    InMemory,
    /// Another process has this SQLite file open.
    #[error("{0} is in use by another parlour process; stop it first, or use another --data")]
    InUse(String),
    /// A file or directory cannot be created or opened.
    #[error("{path}: {error}")]
    Io {
        /// Path of the file or directory.
        path: String,
        /// Error of the operating system.
        error: std::io::Error,
    },
    /// A file or directory cannot be used as it is.
    #[error("{path} {what}")]
    File {
        /// Path of the file or directory.
        path: String,
        /// The problem, and the remedy.
        what: String,
    },
    /// The database that a command needs does not exist, or is not migrated.
    #[error("{0} does not exist, or is from an older version; start the server on it once")]
    NotReady(String),
    /// The database was migrated by a newer release.
    #[error("{0} was written by a newer release (it has the migration {1}); use that release, or restore a backup")]
    Newer(String, String),
    /// The database does not guarantee durable commits.
    #[error("the database does not guarantee durability: {0}")]
    NotDurable(String),
    /// The database's encoding cannot hold every text.
    #[error(
        "the database is encoded in {0}, which cannot store every text; create one with \
         CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
    )]
    Encoding(String),
    /// Error of the database or its driver.
    #[error("the database cannot be used: {0}")]
    Database(#[from] StoreError),
}

impl OpenError {
    /// Returns the error for a file that is to be created but exists.
    pub(super) fn exists(file: &std::path::Path) -> Self {
        Self::File {
            path: file.display().to_string(),
            what: "already exists; existing files are never replaced".to_owned(),
        }
    }

    /// Returns the error for a URL with an unsupported scheme.
    pub(super) fn unknown(url: &str) -> Self {
        Self::Url(format!("{} is neither sqlite://… nor postgres://…", redacted(url)))
    }
}

impl From<DbErr> for OpenError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}

/// Returns whether the database can never store the value, so that a retry is pointless.
fn can_never_be_stored(error: &DbErr) -> bool {
    let Some(error) = cause(error) else { return false };
    if let sqlx::Error::Encode(_) = error {
        return true;
    }
    let Some(error) = error.as_database_error() else { return false };
    let code = error.code().unwrap_or_default();
    let is_class = |class: &&str| code.len() == 5 && code.starts_with(*class);
    if is_of_sqlite(error) {
        REFUSED_BY_SQLITE.contains(&code.as_ref())
    } else {
        REFUSED_BY_POSTGRES.iter().any(is_class) || RULES_OF_POSTGRES.contains(&code.as_ref())
    }
}

fn is_of_sqlite(error: &dyn DatabaseError) -> bool {
    error.try_downcast_ref::<SqliteFailure>().is_some()
        || error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some()
}

/// Returns whether a sync to disk failed.
fn sync_failed(error: &DbErr) -> bool {
    let code = cause(error).and_then(|error| error.as_database_error()).and_then(|error| error.code());
    code.is_some_and(|code| SYNC_FAILED.contains(&code.as_ref()))
}

/// PostgreSQL's error codes of a server that cannot accept this connection now
/// (<https://www.postgresql.org/docs/current/errcodes-appendix.html>): it starts, stops, recovers, or has too many
/// connections.
const NOT_NOW: [&str; 4] = ["57P01", "57P02", "57P03", "53300"];

/// Class of PostgreSQL's error codes of a connection that was lost.
const CONNECTION_CLASS: &str = "08";

/// Returns whether the database could not be reached, or does not accept connections now: its host may be starting, or
/// its name may not be known yet.
pub(super) fn is_unreachable(error: &DbErr) -> bool {
    if matches!(error, DbErr::ConnectionAcquire(_)) {
        return true;
    }
    match cause(error) {
        Some(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut) => true,
        Some(error) => error.as_database_error().and_then(|error| error.code()).is_some_and(|code| {
            NOT_NOW.contains(&code.as_ref()) || (code.len() == 5 && code.starts_with(CONNECTION_CLASS))
        }),
        None => false,
    }
}

/// Returns the driver's error, or `None` if the driver reported none.
fn cause(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error))
        | DbErr::Conn(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn callers_can_tell_a_timeout_from_other_errors() {
        let late = crate::server::store::with_timeout(std::future::pending::<Result<(), StoreError>>()).await;
        assert!(matches!(late, Err(StoreError::Timeout)));
        let through_seaorm = StoreError::from(DbErr::Custom(TIMED_OUT.to_owned()));
        assert!(matches!(through_seaorm, StoreError::Timeout));
        assert!(matches!(StoreError::from(DbErr::Custom("a bug".to_owned())), StoreError::Database(_)));
    }

    #[tokio::test]
    async fn callers_can_tell_a_value_that_is_refused_from_an_outage() {
        use sea_orm::ConnectionTrait;
        let database = sea_orm::Database::connect("sqlite::memory:").await.unwrap();
        database.execute_unprepared("CREATE TABLE short (text TEXT CHECK (length(text) < 3))").await.unwrap();
        let refused = database.execute_unprepared("INSERT INTO short VALUES ('long')").await.unwrap_err();
        assert!(matches!(refused.into(), StoreError::Unstorable(_)));
        let missing = database.execute_unprepared("INSERT INTO other VALUES (1)").await.unwrap_err();
        assert!(matches!(missing.into(), StoreError::Database(_)));
    }
}
