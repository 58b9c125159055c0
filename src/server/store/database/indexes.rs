//! Indexes of PostgreSQL that are built beside those who write: a migration, which is one transaction, would keep the
//! nodes that go on serving from writing for as long as that takes.

use migrations::{MESSAGES_INDEX, MESSAGES_INDEX_ON};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, Statement};

/// Builds what the next migrations need and finds missing on a log that is there already.
pub(crate) async fn build_beside_writers(connection: &DatabaseConnection) -> Result<(), DbErr> {
    // Only where the log has been made: not where its tables are still to come, or somebody else's are in their way.
    let has_log = "EXISTS (SELECT 1 FROM seaql_migrations WHERE version = 'm0001_log')";
    if !is_so(connection, "to_regclass('seaql_migrations') IS NOT NULL").await? || !is_so(connection, has_log).await? {
        return Ok(());
    }
    let index = format!("pg_index WHERE indexrelid = to_regclass('{MESSAGES_INDEX}')");
    if is_so(connection, &format!("EXISTS (SELECT 1 FROM {index} AND NOT indisvalid)")).await? {
        // Whoever began to build it was stopped.
        connection.execute_unprepared(&format!("DROP INDEX CONCURRENTLY {MESSAGES_INDEX}")).await?;
    }
    if !is_so(connection, &format!("EXISTS (SELECT 1 FROM {index})")).await? {
        tracing::info!("building the index of messages; the other nodes go on meanwhile");
        connection
            .execute_unprepared(&format!("CREATE INDEX CONCURRENTLY {MESSAGES_INDEX} {MESSAGES_INDEX_ON}"))
            .await?;
    }
    Ok(())
}

async fn is_so(connection: &DatabaseConnection, condition: &str) -> Result<bool, DbErr> {
    let question = Statement::from_string(DatabaseBackend::Postgres, format!("SELECT {condition}"));
    connection.query_one_raw(question).await?.map_or(Ok(false), |row| row.try_get_by_index(0))
}
