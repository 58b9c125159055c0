//! Options of every connection, and the settings that are read back from the database.

use crate::server::store::OpenError;
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, Statement};
use std::time::Duration;

/// Timeout for connecting to the database.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Returns the options that all connections have in common.
pub(crate) fn options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.sqlx_logging(false).acquire_timeout(CONNECT_TIMEOUT).connect_timeout(CONNECT_TIMEOUT);
    options
}

/// Reads a durability setting back. The log relies on commits that survive a power failure.
///
/// # Errors
///
/// Returns [`OpenError::NotDurable`] unless `query` yields `expected`.
pub(crate) async fn assert_durable(
    connection: &DatabaseConnection,
    query: &str,
    expected: &str,
) -> Result<(), OpenError> {
    let backend = connection.get_database_backend();
    let row = connection.query_one_raw(Statement::from_string(backend, query)).await?;
    let found = match &row {
        Some(row) => {
            row.try_get_by_index::<String>(0).or_else(|_| row.try_get_by_index::<i32>(0).map(|n| n.to_string()))?
        }
        None => String::new(),
    };
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(OpenError::NotDurable(format!("{query} returned {found}, not {expected}")))
}
