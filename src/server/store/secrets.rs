//! Secrets of the site, which are the same on every node.

use super::entity::site;
use super::{Store, StoreError};
use crate::server::random::bits;
use crate::server::time::now_ms;
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait, sea_query::OnConflict};

/// Name of the `site` row with the time since which the site has TLS, in UTC milliseconds, big endian; 0 if always.
const TLS_SINCE_KEY: &str = "tls";

impl Store {
    /// Returns 32 secret random bytes stored under `name`. The first call on any node creates them; every later call
    /// returns the same bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read or written.
    pub(crate) async fn get_or_create_secret(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        if let Some(row) = site::Entity::find_by_id(name).one(&self.reader).await? {
            return Ok(row.value);
        }
        let random = [bits(), bits()].concat();
        let row = site::ActiveModel { name: Set(name.to_owned()), value: Set(random) };
        let at_most_once = OnConflict::column(site::Column::Name).do_nothing().to_owned();
        site::Entity::insert(row).on_conflict(at_most_once).exec_without_returning(&self.writer).await?;
        let row = site::Entity::find_by_id(name).one(&self.writer).await?;
        row.map(|row| row.value).ok_or_else(|| DbErr::RecordNotFound(name.to_owned()).into())
    }

    /// Returns the time since which the site has TLS, in UTC milliseconds, as the first call on any node has recorded
    /// it. Returns `None` if it has no TLS now, or has always had TLS: then the secret `of_visitors` did not exist
    /// before, because there were no visitors.
    ///
    /// # Errors
    ///
    /// Returns an error if the database does not answer.
    pub(crate) async fn tls_since(&self, has_tls: bool, of_visitors: &str) -> Result<Option<i64>, StoreError> {
        if !has_tls {
            site::Entity::delete_by_id(TLS_SINCE_KEY).exec(&self.writer).await?;
            return Ok(None);
        }
        if site::Entity::find_by_id(TLS_SINCE_KEY).one(&self.writer).await?.is_none() {
            let has_visitors = site::Entity::find_by_id(of_visitors).one(&self.writer).await?.is_some();
            let since = if has_visitors { now_ms() } else { 0 };
            let row =
                site::ActiveModel { name: Set(TLS_SINCE_KEY.to_owned()), value: Set(since.to_be_bytes().to_vec()) };
            let at_most_once = OnConflict::column(site::Column::Name).do_nothing().to_owned();
            site::Entity::insert(row).on_conflict(at_most_once).exec_without_returning(&self.writer).await?;
        }
        let row = site::Entity::find_by_id(TLS_SINCE_KEY).one(&self.writer).await?;
        let since = row.and_then(|row| row.value.try_into().ok()).map(i64::from_be_bytes);
        Ok(since.filter(|since| *since > 0))
    }
}
