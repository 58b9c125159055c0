//! The schema of a database: the migrations that were applied to it.

use crate::server::config::redacted;
use crate::server::store::OpenError;
use migrations::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, Statement};

/// Queries that select a row if migrations were ever applied to the database.
const HAS_MIGRATIONS: [&str; 2] = [
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations'",
    "SELECT relname::text FROM pg_class WHERE oid = to_regclass('seaql_migrations')",
];

/// Returns the names of the migrations that were applied to a database, in their order.
///
/// # Errors
///
/// Returns an error if the database does not answer.
pub(crate) async fn applied_migrations(connection: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let backend = connection.get_database_backend();
    let has_migrations = HAS_MIGRATIONS[usize::from(backend != DatabaseBackend::Sqlite)];
    if connection.query_one_raw(Statement::from_string(backend, has_migrations)).await?.is_none() {
        return Ok(Vec::new());
    }
    let versions = Statement::from_string(backend, "SELECT version FROM seaql_migrations ORDER BY version");
    connection.query_all_raw(versions).await?.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Checks whether this release knows all migrations that were applied to the database at `url`.
///
/// # Errors
///
/// Returns [`OpenError::Newer`] if it does not.
pub(crate) async fn assert_not_newer(connection: &DatabaseConnection, url: &str) -> Result<(), OpenError> {
    let known = Migrator::migrations();
    let applied = applied_migrations(connection).await?;
    match applied.into_iter().find(|applied| known.iter().all(|known| known.name() != applied)) {
        Some(unknown) => Err(OpenError::Newer(redacted(url), unknown)),
        None => Ok(()),
    }
}
