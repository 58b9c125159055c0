//! Errors of SQLite, in the form in which the rest of the store examines those of every driver.

use sea_orm::sqlx::error::{DatabaseError, ErrorKind};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, sqlx};
use std::borrow::Cow;
use std::error::Error;

/// SQLite's primary result code for a broken rule of the schema (<https://www.sqlite.org/rescode.html>).
const CONSTRAINT: i32 = 19;

/// An error that SQLite returned on the writing connection.
#[derive(Debug, thiserror::Error)]
#[error("(code: {code}) {message}")]
pub(super) struct SqliteFailure {
    /// The extended result code.
    code: i32,
    message: String,
}

impl DatabaseError for SqliteFailure {
    fn message(&self) -> &str {
        &self.message
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(self.code.to_string().into())
    }

    fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

/// Returns the store's form of an error of SQLite's library.
pub(super) fn failed(error: rusqlite::Error) -> DbErr {
    let rusqlite::Error::SqliteFailure(code, message) = error else {
        return DbErr::Query(RuntimeErr::Internal(error.to_string()));
    };
    let message = message.unwrap_or_else(|| code.to_string());
    let failure = SqliteFailure { code: code.extended_code, message };
    let kind = if code.extended_code & 0xff == CONSTRAINT { DbErr::Exec } else { DbErr::Query };
    kind(RuntimeErr::SqlxError(sqlx::Error::from(failure).into()))
}

/// Returns the error of a write to a database that was closed.
pub(super) fn closed() -> DbErr {
    DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)
}

/// Returns whether `error` says that the database was closed.
pub(super) fn is_closed(error: &DbErr) -> bool {
    matches!(error, DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::store::StoreError;

    /// The store's error for an extended result code of SQLite.
    fn with_code(code: i32) -> StoreError {
        failed(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)).into()
    }

    #[test]
    fn callers_get_the_same_cases_as_from_other_drivers() {
        for code in [18, 20, 275, 1811, 1299] {
            assert!(matches!(with_code(code), StoreError::Unstorable(_)), "{code}");
        }
        for code in [1034, 1290] {
            assert!(matches!(with_code(code), StoreError::SyncFailed(_)), "{code}");
        }
        // Busy, full, I/O, read-only, unique, foreign key: the same write may succeed later, or elsewhere.
        for code in [5, 13, 778, 8, 2067, 1555, 787] {
            let error = with_code(code);
            assert!(matches!(error, StoreError::Database(_)), "{code}");
            assert!(error.to_string().contains(&format!("(code: {code})")), "{error}");
        }
    }
}
