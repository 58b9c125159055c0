//! Opening PostgreSQL: migrated by one node, and with sessions that end with the node that they belong to.

use super::indexes::build_beside_writers;
use super::sqlite::{CONNECT_TIMEOUT, assert_durable, options};
use super::timeout::TimeoutConnection;
use crate::server::store::{Store, StoreError};
use migrations::{Migrator, MigratorTrait};
use sea_orm::sqlx::{Connection, PgConnection};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, DbErr, RuntimeErr, Statement,
};
use std::time::Duration;

/// How many rooms PostgreSQL commits side by side for this node.
pub(crate) const POSTGRES_WRITERS: usize = 4;

/// Any number will do, as long as every node takes the same one ("parlour" in hexadecimal).
const MIGRATION_LOCK: i64 = 0x0070_6172_6c6f_7572;

/// How often a node asks for that lock while another one has it.
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(200);

/// What a session asks for, whatever the server's own defaults are.
const SETTINGS: [(&str, &str); 6] = [
    ("synchronous_commit", "on"),
    // A node that is frozen or cut off lets go of the rooms that it has locked. No transaction that is still wanted
    // pauses for so long: the store gives up what takes longer.
    ("idle_in_transaction_session_timeout", "10s"),
    // One that is gone without a word has gone within half a minute. On a Unix socket these say nothing.
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "4"),
    ("tcp_user_timeout", "30s"),
];

pub(crate) async fn open_postgres(url: &str) -> Result<Store, StoreError> {
    let pool = TimeoutConnection::limited(connect_postgres(url).await?);
    migrate_postgres(url).await?;
    Ok(Store::new(pool.clone(), pool, None))
}

pub(crate) async fn connect_postgres(url: &str) -> Result<DatabaseConnection, StoreError> {
    let options = session_options(url, 2 * POSTGRES_WRITERS as u32);
    let pool = match Database::connect(options).await {
        Ok(pool) => pool,
        // A pool says only that it has waited too long.
        Err(error) => return Err(why_postgres_refuses(url).await.unwrap_or(error).into()),
    };
    assert_durable(&pool, "SHOW synchronous_commit", "on").await?;
    assert_utf8(&pool).await?;
    Ok(pool)
}

/// Refuses a database that cannot hold every text: it would take most messages, and fail at the first that it cannot.
async fn assert_utf8(pool: &DatabaseConnection) -> Result<(), StoreError> {
    let question = Statement::from_string(DatabaseBackend::Postgres, "SHOW server_encoding");
    let encoding = match pool.query_one_raw(question).await? {
        Some(row) => row.try_get_by_index::<String>(0)?,
        None => String::new(),
    };
    if encoding == "UTF8" { Ok(()) } else { Err(StoreError::Encoding(encoding)) }
}

async fn why_postgres_refuses(url: &str) -> Option<DbErr> {
    let refused = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect(url)).await.ok()?.err()?;
    Some(DbErr::Conn(RuntimeErr::SqlxError(refused.into())))
}

/// Several nodes may start at once: whoever holds the lock migrates, the others find nothing left to do.
async fn migrate_postgres(url: &str) -> Result<(), DbErr> {
    let connection = Database::connect(session_options(url, 1)).await?;
    let lock = format!("SELECT pg_try_advisory_lock({MIGRATION_LOCK})");
    if !ask(&connection, &lock).await? {
        tracing::info!("waiting for another node, which holds the lock for migrating the database");
        // A statement that waits for the lock would itself be waited for by an index that is built beside it.
        while !ask(&connection, &lock).await? {
            tokio::time::sleep(LOCK_POLL_INTERVAL).await;
        }
    }
    let migrated = match build_beside_writers(&connection).await {
        Ok(()) => Migrator::up(&connection, None).await,
        Err(error) => Err(error),
    };
    connection.execute_unprepared(&format!("SELECT pg_advisory_unlock({MIGRATION_LOCK})")).await?;
    connection.close().await?;
    migrated
}

/// What the database says to a question of yes or no.
async fn ask(connection: &DatabaseConnection, question: &str) -> Result<bool, DbErr> {
    let row = connection.query_one_raw(Statement::from_string(DatabaseBackend::Postgres, question)).await?;
    row.map_or(Ok(false), |row| row.try_get_by_index(0))
}

fn session_options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = options(url);
    options.max_connections(connections).map_sqlx_postgres_opts(|postgres| postgres.options(SETTINGS));
    options
}
