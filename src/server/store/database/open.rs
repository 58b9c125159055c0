//! Opening the database that a URL names.

use super::files::assert_all_accessible;
use super::postgres::{connect_postgres, open_postgres};
use super::schema::assert_not_newer;
use super::sqlite::{connect_to_read, connect_to_write, open_sqlite, sqlite_file};
use super::timeout::TimeoutConnection;
use super::write_connection::WriteConnection;
use crate::server::config::redacted;
use crate::server::store::{OpenError, Store};
use migrations::{Migrator, MigratorTrait};

impl Store {
    /// Opens and migrates the database at `url` (`sqlite://…` or `postgres://…`). Creates an SQLite file that is
    /// missing.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be used: another process has it open, it promises no durable commits, it
    /// does not answer, or a migration fails.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => open_sqlite(url).await,
            Some("postgres" | "postgresql") => open_postgres(url).await,
            _ => Err(OpenError::unknown(url)),
        }
    }

    /// Opens a database that a server may be using, for a command.
    ///
    /// # Errors
    ///
    /// Returns [`OpenError::NotReady`] if the database does not exist or has pending migrations.
    pub(crate) async fn open_beside(url: &str) -> Result<Self, OpenError> {
        let not_ready = || OpenError::NotReady(redacted(url));
        let store = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") if !sqlite_file(url)?.is_file() => return Err(not_ready()),
            Some("sqlite") => {
                assert_all_accessible(&sqlite_file(url)?)?;
                let reader = connect_to_read(url, 1).await?;
                Self::new(connect_to_write(url).await?, TimeoutConnection::unlimited(reader), None)
            }
            Some("postgres" | "postgresql") => {
                let pool = TimeoutConnection::unlimited(connect_postgres(url).await?);
                Self::new(WriteConnection::Postgres(pool.clone()), pool, None)
            }
            _ => return Err(OpenError::unknown(url)),
        };
        assert_not_newer(store.reader.connection(), url).await?;
        match Migrator::get_pending_migrations_read_only(store.reader.connection()).await {
            Ok(pending) if pending.is_empty() => Ok(store),
            _ => Err(not_ready()),
        }
    }
}
