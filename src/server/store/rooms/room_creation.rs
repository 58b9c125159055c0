//! Creation of a room's row without a message: by a command that needs the room.

use super::room::RoomRecord;
use crate::domain::RoomName;
use crate::server::auth::identity::AuthorId;
use crate::server::random;
use crate::server::store::{AppendRequest, NewEvent, Store, StoreError};

impl Store {
    /// Returns the room of this name, and stores its row if there is none. Returns `None` for a private room that does not
    /// exist.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn get_or_create_room(&self, name: &RoomName) -> Result<Option<RoomRecord>, StoreError> {
        let found = self.room(name).await?;
        if found.is_some() || name.is_private() {
            return Ok(found);
        }
        let room_id = self.vacant(name).await?.room.id;
        let (author, id) = (AuthorId::HOST, random::event_id());
        let entry = AppendRequest {
            room_id,
            begins: Some(name.clone()),
            author,
            id,
            new_event: NewEvent::Delete { target: 0 },
        };
        let site = self.derivation().await?;
        let transaction = self.begin().await?;
        site.begin_rooms(&transaction, &[entry]).await?;
        transaction.commit().await?;
        self.room(name).await
    }

    /// Returns the room of this name, and stores its row if there is none.
    #[cfg(test)]
    pub(crate) async fn create_room(&self, name: &RoomName) -> Result<RoomRecord, StoreError> {
        Ok(self.get_or_create_room(name).await?.expect("the row was stored"))
    }
}
