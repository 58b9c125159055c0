//! A connection to SQLite whose statements run on the calling thread. Its futures are ready at the first poll, so that
//! a whole transaction runs without waiting for another thread.

use super::sqlite_row::{RowShape, bind, to_result, to_rows};
use crate::server::store::OpenError;
use crate::server::store::sqlite_failure::failed;
use crate::server::sync::lock;
use rusqlite::{Connection, OpenFlags};
use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, ExecResult, QueryResult, Statement};
use std::cell::OnceCell;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

/// Number of statements that stay prepared: more than the store has, each in all its lengths (see `chunked`).
const PREPARED_STATEMENTS: usize = 512;

/// Settings of the connection: commits are on disk when they return, and removed data is overwritten. Statement
/// journals, which can roll back a failed statement of many rows, stay in memory, not in a file.
const SQLITE_SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA foreign_keys = ON;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA temp_store = MEMORY;";

/// Settings that are read back, with the values on which the log relies.
pub(super) const DURABLE: [(&str, &str); 2] = [("PRAGMA journal_mode", "wal"), ("PRAGMA synchronous", "2")];

/// The SQLite file that a connection writes.
#[derive(Clone, Debug)]
pub(crate) struct WrittenFile {
    pub(crate) path: PathBuf,
    /// Name of SQLite's interface to the file system, if it is not the default one.
    pub(crate) vfs: Option<String>,
    /// Time for which a transaction waits for other processes that write.
    pub(crate) busy_timeout: Duration,
}

impl WrittenFile {
    /// Opens a connection that writes.
    ///
    /// # Errors
    ///
    /// Returns an error if the file does not exist, cannot be opened, or promises no durable commits.
    fn connect(&self) -> Result<Connection, OpenError> {
        let connection = self.open().map_err(failed)?;
        for (query, expected) in DURABLE {
            let found = connection.query_row(query, [], |row| {
                let value = row.get_ref(0)?;
                value.as_str().map(str::to_owned).or_else(|_| Ok(value.as_i64()?.to_string()))
            });
            let found: String = found.map_err(failed)?;
            if !found.eq_ignore_ascii_case(expected) {
                return Err(OpenError::NotDurable(format!("{query} returned {found}, not {expected}")));
            }
        }
        Ok(connection)
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match &self.vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(&self.path, flags, vfs.as_str())?,
            None => Connection::open_with_flags(&self.path, flags)?,
        };
        connection.busy_timeout(self.busy_timeout)?;
        connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
        connection.execute_batch(SQLITE_SETTINGS)?;
        Ok(connection)
    }
}

/// A connection whose statements run on the calling thread.
pub(crate) struct DirectConnection {
    file: WrittenFile,
    /// Never locked by two threads at once: the lock only lets futures hold a reference.
    connection: Mutex<Connection>,
}

impl DirectConnection {
    /// Opens a connection that writes.
    ///
    /// # Errors
    ///
    /// Returns an error if the file does not exist, cannot be opened, or promises no durable commits.
    pub(crate) fn open(file: WrittenFile) -> Result<Self, OpenError> {
        let connection = Mutex::new(file.connect()?);
        Ok(Self { file, connection })
    }

    /// Runs a statement that returns no rows.
    ///
    /// # Errors
    ///
    /// Returns an error if SQLite refuses the statement.
    pub(crate) fn execute(&self, statement: &Statement) -> Result<ExecResult, DbErr> {
        let connection = lock(&self.connection);
        let mut prepared = connection.prepare_cached(&statement.sql).map_err(failed)?;
        bind(&mut prepared, statement.values.as_ref())?;
        let mut rows = prepared.raw_query();
        while rows.next().map_err(failed)?.is_some() {}
        drop(rows);
        to_result(connection.changes())
    }

    /// Runs statements that are not worth preparing.
    ///
    /// # Errors
    ///
    /// Returns an error if SQLite refuses one of them.
    pub(crate) fn execute_batch(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let connection = lock(&self.connection);
        connection.execute_batch(sql).map_err(failed)?;
        to_result(connection.changes())
    }

    /// Returns up to `limit` rows of a query.
    ///
    /// # Errors
    ///
    /// Returns an error if SQLite refuses the query, or a value is not of its column's type.
    pub(crate) fn query(&self, statement: &Statement, limit: usize) -> Result<Vec<QueryResult>, DbErr> {
        let connection = lock(&self.connection);
        let mut prepared = connection.prepare_cached(&statement.sql).map_err(failed)?;
        bind(&mut prepared, statement.values.as_ref())?;
        let mut rows = prepared.raw_query();
        let shape = OnceCell::new();
        let mut found = Vec::new();
        while found.len() < limit {
            let Some(row) = rows.next().map_err(failed)? else { break };
            found.push(shape.get_or_init(|| RowShape::of(row.as_ref())).read(row)?);
        }
        to_rows(found)
    }

    /// Begins a write transaction. Waits for other processes now, not in the middle.
    ///
    /// # Errors
    ///
    /// Returns an error if another process writes for too long, or the file cannot be written.
    pub(crate) fn begin(&self) -> Result<(), DbErr> {
        self.end();
        self.run("BEGIN IMMEDIATE")
    }

    /// Commits the transaction. When this returns `Ok`, it is on stable storage.
    ///
    /// # Errors
    ///
    /// Returns an error if it could not be stored. The transaction is then still open, unless SQLite ended it.
    pub(crate) fn commit(&self) -> Result<(), DbErr> {
        self.run("COMMIT")
    }

    /// Rolls back the transaction, if one is open. SQLite itself has ended some transactions that failed (a full disk).
    /// If it cannot be rolled back, a new connection replaces this one.
    pub(crate) fn end(&self) {
        let is_open = || !lock(&self.connection).is_autocommit();
        if !is_open() {
            return;
        }
        if let Err(error) = self.run("ROLLBACK") {
            tracing::debug!(%error, "A transaction could not be rolled back");
        }
        if is_open() {
            match self.file.connect() {
                Ok(connection) => *lock(&self.connection) = connection,
                Err(error) => {
                    tracing::warn!(%error, "A connection whose transaction does not end could not be replaced")
                }
            }
        }
    }

    /// Truncates the write-ahead log, waiting up to `busy_timeout` for readers. Returns whether it is empty now.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) fn truncate_log(&self, busy_timeout: Duration) -> Result<bool, DbErr> {
        let connection = lock(&self.connection);
        connection.busy_timeout(busy_timeout).map_err(failed)?;
        let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        connection.busy_timeout(self.file.busy_timeout).map_err(failed)?;
        Ok(busy.map_err(failed)? == 0)
    }

    /// Closes the connection. The last one of all processes merges the write-ahead log into the file.
    ///
    /// # Errors
    ///
    /// Returns an error if SQLite refuses.
    pub(crate) fn close(self) -> Result<(), DbErr> {
        self.end();
        let connection = self.connection.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        connection.close().map_err(|(_, error)| failed(error))
    }

    fn run(&self, sql: &str) -> Result<(), DbErr> {
        lock(&self.connection).prepare_cached(sql).and_then(|mut prepared| prepared.execute([])).map_err(failed)?;
        Ok(())
    }
}

#[async_trait]
impl ConnectionTrait for DirectConnection {
    fn get_database_backend(&self) -> DatabaseBackend {
        DatabaseBackend::Sqlite
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.execute(&statement)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.execute_batch(sql)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query(&statement, 1)?.pop())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.query(&statement, usize::MAX)
    }
}
