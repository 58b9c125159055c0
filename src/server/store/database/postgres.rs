//! Opening PostgreSQL: one node migrates, and sessions end with the node to which they belong.

use super::indexes::build_beside_writers;
use super::options::{CONNECT_TIMEOUT, assert_durable, options};
use super::provenance;
use super::schema::assert_not_newer;
use super::timeout::TimeoutConnection;
use super::write_connection::WriteConnection;
use crate::server::store::{OpenError, Store};
use migrations::{Migrator, MigratorTrait};
use sea_orm::sqlx::{Connection, PgConnection};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, DbErr, RuntimeErr, Statement,
};
use std::time::Duration;

/// Maximum number of transactions that this node commits in parallel.
pub(crate) const POSTGRES_WRITERS: usize = 4;

/// Key of the advisory lock: any number that every node uses ("parlour" in hexadecimal).
const MIGRATION_LOCK: i64 = 0x0070_6172_6c6f_7572;

/// Interval between attempts to take that lock while another node holds it.
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Settings of each session, which override the server's defaults.
const SETTINGS: [(&str, &str); 6] = [
    ("synchronous_commit", "on"),
    // PostgreSQL ends the transactions of a node that is frozen or cut off, which releases its row locks. No live
    // transaction is idle for this long: the store's own timeout ends it before.
    ("idle_in_transaction_session_timeout", "10s"),
    // Detects a lost node within half a minute. Without effect on a Unix socket.
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "4"),
    ("tcp_user_timeout", "30s"),
];

/// Opens a PostgreSQL database for a server, and migrates it.
///
/// # Errors
///
/// Returns an error if the database cannot be used, or if a migration fails.
pub(crate) async fn open_postgres(url: &str) -> Result<Store, OpenError> {
    let pool = TimeoutConnection::limited(connect_postgres(url).await?);
    migrate_postgres(url).await?;
    Ok(Store::new(WriteConnection::Postgres(pool.clone()), pool, None))
}

/// Opens a pool of connections to PostgreSQL.
///
/// # Errors
///
/// Returns an error if the database does not answer, or guarantees no durable commits.
pub(crate) async fn connect_postgres(url: &str) -> Result<DatabaseConnection, OpenError> {
    let options = session_options(url, 2 * POSTGRES_WRITERS as u32);
    let pool = match Database::connect(options).await {
        Ok(pool) => pool,
        // The pool reports only a timeout; a direct connection reports the cause.
        Err(error) => return Err(why_postgres_refuses(url).await.unwrap_or(error).into()),
    };
    assert_durable(&pool, "SHOW synchronous_commit", "on").await?;
    assert_utf8(&pool).await?;
    Ok(pool)
}

/// Returns [`OpenError::Encoding`] if the database cannot hold every text: it would accept most messages, and fail at
/// the first one that it cannot encode.
async fn assert_utf8(pool: &DatabaseConnection) -> Result<(), OpenError> {
    let query = Statement::from_string(DatabaseBackend::Postgres, "SHOW server_encoding");
    let encoding = match pool.query_one_raw(query).await? {
        Some(row) => row.try_get_by_index::<String>(0)?,
        None => String::new(),
    };
    if encoding == "UTF8" { Ok(()) } else { Err(OpenError::Encoding(encoding)) }
}

async fn why_postgres_refuses(url: &str) -> Option<DbErr> {
    let refused = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect(url)).await.ok()?.err()?;
    Some(DbErr::Conn(RuntimeErr::SqlxError(refused.into())))
}

/// Migrates the database. Several nodes may start at once: the node that holds the lock migrates, and the others then
/// find no pending migrations.
async fn migrate_postgres(url: &str) -> Result<(), OpenError> {
    let connection = Database::connect(session_options(url, 1)).await?;
    let lock = format!("SELECT pg_try_advisory_lock({MIGRATION_LOCK})");
    if !ask(&connection, &lock).await? {
        tracing::info!("Waiting for another node that migrates the database");
        // Polls instead of blocking: a concurrent index build would itself wait for a statement that waits for the
        // lock.
        while !ask(&connection, &lock).await? {
            tokio::time::sleep(LOCK_POLL_INTERVAL).await;
        }
    }
    let migrating = async {
        assert_not_newer(&connection, url).await?;
        build_beside_writers(&connection).await?;
        Migrator::up(&connection, None).await?;
        provenance::settle_postgres(&connection).await
    };
    let migrated = migrating.await;
    connection.execute_unprepared(&format!("SELECT pg_advisory_unlock({MIGRATION_LOCK})")).await?;
    connection.close().await?;
    migrated
}

/// Returns the boolean result of a query, or `false` if there is no row.
async fn ask(connection: &DatabaseConnection, query: &str) -> Result<bool, DbErr> {
    let row = connection.query_one_raw(Statement::from_string(DatabaseBackend::Postgres, query)).await?;
    row.map_or(Ok(false), |row| row.try_get_by_index(0))
}

fn session_options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = options(url);
    options.max_connections(connections).map_sqlx_postgres_opts(|postgres| postgres.options(SETTINGS));
    options
}
