//! Read-only inspection of a database, for `parlour check`.

use super::files::{assert_all_accessible, has_side_files};
use super::options::{CONNECT_TIMEOUT, options};
use super::postgres::connect_postgres;
use super::schema::assert_not_newer;
use super::sqlite::sqlite_file;
use super::{file_system, readiness};
use crate::server::store::{OpenError, Store};
use migrations::{Migrator, MigratorTrait};
use sea_orm::{Database, DatabaseConnection};

impl Store {
    /// Returns the names of the migrations that a server would apply at its start. Writes nothing, and creates no file.
    ///
    /// # Errors
    ///
    /// Returns an error if the database at `url` does not answer, or if no server could start on it.
    pub(crate) async fn inspect(url: &str) -> Result<Vec<String>, OpenError> {
        let connection = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => connect_to_inspect(url).await?,
            Some("postgres" | "postgresql") => {
                let connection = connect_postgres(url).await?;
                readiness::assert_writable(&connection).await?;
                connection
            }
            _ => return Err(OpenError::unknown(url)),
        };
        assert_not_newer(&connection, url).await?;
        let pending = Migrator::get_pending_migrations_read_only(&connection).await;
        connection.close().await?;
        Ok(pending?.iter().map(|migration| migration.name().to_owned()).collect())
    }
}

async fn connect_to_inspect(url: &str) -> Result<DatabaseConnection, OpenError> {
    let file = sqlite_file(url)?;
    if !file.is_file() {
        let what = "does not exist: the server creates it at its first start; check --data";
        return Err(OpenError::File { path: file.display().to_string(), what: what.to_owned() });
    }
    file_system::examine(&file)?;
    assert_all_accessible(&file)?;
    // To read a database that no process has open, SQLite would create files beside it, unless it is declared
    // immutable.
    let at_rest = !has_side_files(&file);
    let mut options = options(url);
    options
        .max_connections(1)
        .test_before_acquire(false)
        .map_sqlx_sqlite_opts(move |sqlite| sqlite.read_only(true).immutable(at_rest).busy_timeout(CONNECT_TIMEOUT));
    Ok(Database::connect(options).await?)
}
