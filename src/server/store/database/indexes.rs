//! PostgreSQL indexes that are built concurrently with writes. A migration is one transaction, and would block the
//! writes of the other nodes while it builds the index.

use migrations::{
    EDITS_INDEX, EDITS_INDEX_ON, MESSAGES_INDEX, MESSAGES_INDEX_ON, MODERATIONS_INDEX, MODERATIONS_INDEX_ON,
};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, Statement};

/// The indexes of the log that migrations after the first ones need: the name, and the table, columns and condition.
const INDEXES: [(&str, &str); 3] =
    [(MESSAGES_INDEX, MESSAGES_INDEX_ON), (EDITS_INDEX, EDITS_INDEX_ON), (MODERATIONS_INDEX, MODERATIONS_INDEX_ON)];

/// Builds the indexes that the next migrations need, if the log's tables exist and an index is missing.
///
/// # Errors
///
/// Returns an error if the database cannot be written.
pub(crate) async fn build_beside_writers(connection: &DatabaseConnection) -> Result<(), DbErr> {
    // Only if the log's migration was applied: the tables may not exist yet, or belong to another application.
    let has_log = "EXISTS (SELECT 1 FROM seaql_migrations WHERE version = 'm0001_log')";
    if !is_so(connection, "to_regclass('seaql_migrations') IS NOT NULL").await? || !is_so(connection, has_log).await? {
        return Ok(());
    }
    for (name, on) in INDEXES {
        build(connection, name, on).await?;
    }
    Ok(())
}

async fn build(connection: &DatabaseConnection, name: &str, on: &str) -> Result<(), DbErr> {
    let index = format!("pg_index WHERE indexrelid = to_regclass('{name}')");
    if is_so(connection, &format!("EXISTS (SELECT 1 FROM {index} AND NOT indisvalid)")).await? {
        // An invalid index is left when a concurrent build is interrupted.
        connection.execute_unprepared(&format!("DROP INDEX CONCURRENTLY {name}")).await?;
    }
    if !is_so(connection, &format!("EXISTS (SELECT 1 FROM {index})")).await? {
        tracing::info!(index = name, "Building an index of the log; other nodes keep serving");
        connection.execute_unprepared(&format!("CREATE INDEX CONCURRENTLY {name} {on}")).await?;
    }
    Ok(())
}

async fn is_so(connection: &DatabaseConnection, condition: &str) -> Result<bool, DbErr> {
    let query = Statement::from_string(DatabaseBackend::Postgres, format!("SELECT {condition}"));
    connection.query_one_raw(query).await?.map_or(Ok(false), |row| row.try_get_by_index(0))
}
