//! Figures about the database as a whole: its size, and the time of its last backup.

use crate::server::store::database::sqlite::connect_to_write;
use crate::server::store::entity::site;
use crate::server::store::{OpenError, Store, StoreError};
use crate::server::time::now_ms;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DatabaseBackend, DbErr, EntityTrait, Statement};

/// Name of the `site` row with the time of the last backup, in UTC milliseconds, big endian.
const BACKUP_KEY: &str = "backup";

const POSTGRES_SIZE: &str = "SELECT pg_database_size(current_database())";

impl Store {
    /// Returns the size of the database, in bytes. For SQLite, that is the file with its write-ahead log.
    ///
    /// # Errors
    ///
    /// Returns an error if the database or its files cannot be read.
    pub(crate) async fn size_bytes(&self) -> Result<u64, StoreError> {
        if let Some(held) = &self.held {
            return held.size_bytes().map_err(|error| DbErr::Custom(error.to_string()).into());
        }
        let row = self.reader.query_one_raw(Statement::from_string(DatabaseBackend::Postgres, POSTGRES_SIZE)).await?;
        let bytes: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        Ok(bytes.unsigned_abs())
    }

    /// Returns the time of the last backup by `parlour backup`, in UTC milliseconds. `None` if there was none.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn last_backup(&self) -> Result<Option<i64>, StoreError> {
        let row = site::Entity::find_by_id(BACKUP_KEY).one(&self.reader).await?;
        Ok(row.and_then(|row| row.value.try_into().ok()).map(i64::from_be_bytes))
    }
}

/// Records in the SQLite database at `url`, beside a server that may be running, that a backup of it was just taken.
/// Logs a warning if that fails: the backup is as good without.
pub(super) async fn record_backup(url: &str) {
    let recorded = async {
        let writer = connect_to_write(url).await?;
        let row = site::ActiveModel { name: Set(BACKUP_KEY.to_owned()), value: Set(now_ms().to_be_bytes().to_vec()) };
        let again = OnConflict::column(site::Column::Name).update_column(site::Column::Value).to_owned();
        site::Entity::insert(row).on_conflict(again).exec_without_returning(&writer).await?;
        Ok::<_, OpenError>(writer.close().await?)
    };
    if let Err(error) = recorded.await {
        tracing::warn!(%error, "The time of the backup could not be recorded for /metrics");
    }
}
