//! Secrets of the site, which are the same on every node.

use super::entity::site;
use super::{Store, StoreError};
use crate::server::random::bits;
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait, sea_query::OnConflict};

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
}
