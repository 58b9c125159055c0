//! Unread messages of the rooms that a visitor knows.

use super::Chat;
use super::access::AccessDenied;
use crate::domain::history::MAX_UNREAD_ROOMS;
use crate::domain::{ReadMarker, RoomName, Seq};
use crate::server::auth::visitor::Visitor;
use crate::server::store::StoreError;
use std::collections::HashMap;

impl Chat {
    /// Returns the unread count of each room, in order: messages of other authors after the read marker. A room that
    /// does not exist counts 0. A duplicate room repeats the first count.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn count_unread(&self, rooms: &[ReadMarker], visitor: &Visitor) -> Result<Vec<u64>, StoreError> {
        let mut counted = HashMap::new();
        let mut counts = Vec::new();
        for ReadMarker { room, read } in rooms.iter().take(MAX_UNREAD_ROOMS) {
            let Ok(name) = RoomName::parse(room.as_str()) else {
                counts.push(0);
                continue;
            };
            let count = match counted.get(&name) {
                Some(count) => *count,
                None => self.unread(&name, *read, visitor).await?,
            };
            counted.insert(name, count);
            counts.push(count);
        }
        Ok(counts)
    }

    async fn unread(&self, name: &RoomName, read: Seq, visitor: &Visitor) -> Result<u64, StoreError> {
        match self.find(name, visitor).await {
            Ok(Some(found)) if found.head > read => self.store.count_unread(found.room.id, read, &visitor.author).await,
            Err(AccessDenied::Unavailable(error)) => Err(error),
            _ => Ok(0),
        }
    }
}
