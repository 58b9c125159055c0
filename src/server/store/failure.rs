//! Errors of the database that say more than "not now".

use sea_orm::{DbErr, RuntimeErr};

/// SQLite's codes for a sync that failed: of the file, and of its directory (<https://www.sqlite.org/rescode.html>).
const SYNC_FAILED: [&str; 2] = ["1034", "1290"];

/// Whether the disk did not sync. The system may since have dropped what it could not write, so nothing that this
/// process believes to be stored can be relied upon (Rebello et al., "Can Applications Recover from fsync Failures?",
/// USENIX ATC 2020).
pub(crate) fn sync_failed(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))
    | DbErr::Conn(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| SYNC_FAILED.contains(&code.as_ref()))
}
