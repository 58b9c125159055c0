//! Ids of events: a repeated id of an author stands for the event that was stored under it. A guest is another author with
//! each request, so an id of a guest is good for all guests of the network, for a short time.

use crate::domain::EventId;
use crate::server::auth::identity::{AuthorId, standing_of};
use crate::server::store::entity::event::{Column, Entity, Model};
use crate::server::store::{Store, StoreError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

/// Time for which the id of a guest's event is good for all guests of the network, in milliseconds.
const GUEST_ID_TTL_MS: i64 = 10 * 60 * 1000;

/// A room, an author as stored, and an id of an event.
pub(super) type IdempotencyKey = (i64, Vec<u8>, String);

/// Returns the key of a stored event.
pub(super) fn idempotency_key(row: &Model) -> IdempotencyKey {
    (row.room_id, row.author.clone(), row.id.clone())
}

/// Returns the key of a guest's event among those of the guest's network, or `None` if its author is no guest, or the id
/// is no longer good for others at `now`.
pub(super) fn network_key(row: &Model, now: i64) -> Option<IdempotencyKey> {
    let author = AuthorId::from_stored(&row.author).filter(AuthorId::is_guest)?;
    (now - row.at < GUEST_ID_TTL_MS).then(|| (row.room_id, author.standing().to_vec(), row.id.clone()))
}

impl Store {
    /// Returns whether the room's log holds an event that answers a further request of `author` with this id.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn has(&self, room_id: i64, author: &AuthorId, id: &EventId) -> Result<bool, StoreError> {
        let found = Entity::find().filter(Column::RoomId.eq(room_id)).filter(Column::Id.eq(id.as_str()));
        let found = found.select_only().columns([Column::Author, Column::At]);
        let Some(guests) = author.id_sharing_guests() else {
            let own = found.filter(Column::Author.eq(author.as_bytes()));
            return Ok(own.into_tuple::<(Vec<u8>, i64)>().one(&self.reader).await?.is_some());
        };
        let since = self.now().await? - GUEST_ID_TTL_MS;
        let found: Vec<(Vec<u8>, i64)> = found.into_tuple().all(&self.reader).await?;
        let mut guest_rows =
            found.iter().filter_map(|(author, at)| Some((<[u8; 16]>::try_from(&author[..]).ok()?, at)));
        Ok(guest_rows
            .any(|(author, at)| *at > since && AuthorId::from(author).is_guest() && standing_of(author) == guests))
    }
}
