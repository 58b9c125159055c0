//! Rooms in which an author holds a name.

use crate::domain::RoomName;
use crate::server::auth::identity::AuthorId;
use crate::server::store::entity::{name, room};
use crate::server::store::{Store, StoreError};
use crate::server::telemetry::metrics::timed;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

impl Store {
    /// Returns the names of up to `limit` rooms in which the author holds a name: those where it was used last come
    /// first.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn rooms_of_author(&self, author: &AuthorId, limit: u64) -> Result<Vec<RoomName>, StoreError> {
        let held = name::Entity::find()
            .select_only()
            .column(name::Column::RoomId)
            .filter(name::Column::Author.eq(author.as_bytes().to_vec()))
            .group_by(name::Column::RoomId)
            .order_by_desc(name::Column::At.max())
            .order_by_desc(name::Column::RoomId)
            .limit(limit);
        let ids: Vec<i64> = timed("rooms", held.into_tuple().all(&self.reader)).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let names = room::Entity::find()
            .select_only()
            .columns([room::Column::Id, room::Column::Name])
            .filter(room::Column::Id.is_in(ids.iter().copied()));
        let names: Vec<(i64, String)> = timed("rooms", names.into_tuple().all(&self.reader)).await?;
        let name = |id: &i64| names.iter().find(|(other, _)| other == id).map(|(_, name)| name.clone());
        Ok(ids.iter().filter_map(name).map(RoomName::from_trusted).collect())
    }
}
