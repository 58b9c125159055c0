//! Classification of database errors that are not transient.

use sea_orm::{DbErr, RuntimeErr, sqlx};

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

/// Returns whether the database can never store the value, so that a retry is pointless.
pub(super) fn can_never_be_stored(error: &DbErr) -> bool {
    let Some(error) = cause(error) else { return false };
    if let sqlx::Error::Encode(_) = error {
        return true;
    }
    let Some(error) = error.as_database_error() else { return false };
    let code = error.code().unwrap_or_default();
    let is_class = |class: &&str| code.len() == 5 && code.starts_with(*class);
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        REFUSED_BY_SQLITE.contains(&code.as_ref())
    } else {
        REFUSED_BY_POSTGRES.iter().any(is_class) || RULES_OF_POSTGRES.contains(&code.as_ref())
    }
}

/// Returns whether a sync to disk failed. The system may since have dropped the pages that it could not write, so the
/// process cannot rely on any data that it believes to be stored (Rebello et al., "Can Applications Recover from fsync
/// Failures?", USENIX ATC 2020).
pub(crate) fn sync_failed(error: &DbErr) -> bool {
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
