//! Deletion of a room with all its data. Afterwards its address leads to a vacant room.

use crate::domain::{RoomName, Seq};
use crate::server::store::annotations::removal::forget_annotations_in;
use crate::server::store::entity::{event, name, room, standing};
use crate::server::store::hooks::listing::delete_hooks_in;
use crate::server::store::log::mentions::forget_mentions_until;
use crate::server::store::log::retention::{ExpiringRoom, PURGE_BATCH};
use crate::server::store::tokens::forget_tokens_in;
use crate::server::store::{Store, StoreError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

impl Store {
    /// Deletes a room. First removes its events in small transactions, so that other rooms do not wait, then the rest
    /// and the room itself in one transaction. An interrupted deletion leaves a room without its oldest messages, and
    /// can be started again.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written. The deletion can then be started again.
    pub(crate) async fn delete_room(&self, room_id: i64) -> Result<(), StoreError> {
        while self.purge_expired(ExpiringRoom::nothing(room_id)).await? == PURGE_BATCH {}
        self.forget_names_in(room_id).await?;
        self.forget_reactions_up_to(room_id, Seq::MAX).await?;
        // Read before the transaction begins, because there may be no second connection to write with.
        self.derivation().await?;
        // Writers that hold the room's lock finish first; later writers find no room.
        let Some(transaction) = self.begin_in(room_id).await? else { return Ok(()) };
        let row = room::Entity::find_by_id(room_id).one(&transaction).await?;
        event::Entity::delete_many().filter(event::Column::RoomId.eq(room_id)).exec(&transaction).await?;
        forget_mentions_until(&transaction, room_id, Seq::MAX).await?;
        name::Entity::delete_many().filter(name::Column::RoomId.eq(room_id)).exec(&transaction).await?;
        standing::Entity::delete_many().filter(standing::Column::RoomId.eq(room_id)).exec(&transaction).await?;
        forget_tokens_in(&transaction, room_id).await?;
        forget_annotations_in(&transaction, room_id).await?;
        delete_hooks_in(&transaction, room_id).await?;
        room::Entity::delete_by_id(room_id).exec(&transaction).await?;
        if let Some(row) = row {
            self.note_deletion(&transaction, &RoomName::from_trusted(row.name)).await?;
        }
        transaction.commit().await?;
        self.checkpoint_now().await;
        Ok(())
    }
}
