//! Previews of the rooms that a visitor knows: the newest message, and what is unread.

use super::Chat;
use crate::domain::history::MAX_UNREAD_ROOMS;
use crate::domain::quote::excerpt;
use crate::domain::{LastMessage, Message, RoomName, RoomPosition, RoomPreview, RoomPreviews, Seq};
use crate::server::auth::visitor::Visitor;
use crate::server::store::{RoomRecord, StoreError};

/// Maximum number of rooms in the front page as the server renders it.
const MAX_OWN_ROOMS: u64 = 10;

impl Chat {
    /// Returns previews of those of the first [`MAX_UNREAD_ROOMS`] rooms whose state is another one than the visitor
    /// knows, and the places of the others. Leaves out rooms that do not exist, and those that the visitor may not enter,
    /// by the same queries.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn preview_rooms(
        &self,
        positions: &[RoomPosition],
        visitor: &Visitor,
    ) -> Result<RoomPreviews, StoreError> {
        let mut wanted: Vec<(usize, RoomName)> = Vec::new();
        for (index, position) in positions.iter().enumerate().take(MAX_UNREAD_ROOMS) {
            match RoomName::parse(&position.room) {
                Ok(name) if wanted.iter().all(|(_, known)| *known != name) => wanted.push((index, name)),
                _ => {}
            }
        }
        let names: Vec<RoomName> = wanted.iter().map(|(_, name)| name.clone()).collect();
        let mut found = self.find_all(&names, visitor).await?;
        let mut previews = RoomPreviews::default();
        for (index, name) in wanted {
            let Some(place) = found.iter().position(|it| it.room.name == name) else { continue };
            let found = found.swap_remove(place);
            if state_of(&found) == positions[index].state {
                previews.unchanged.push(index);
            } else {
                previews.changed.push(self.preview(found, positions[index].read, visitor).await?);
            }
        }
        Ok(previews)
    }

    /// Returns the preview of a room that the visitor may enter and has read up to `read`.
    async fn preview(&self, found: RoomRecord, read: Seq, visitor: &Visitor) -> Result<RoomPreview, StoreError> {
        let last = |(author, message): (Vec<u8>, Message)| LastMessage {
            own: author == visitor.author.as_bytes(),
            username: message.username,
            excerpt: excerpt(&message.text),
            at: message.sent_at,
        };
        let (room_id, head, author) = (found.room.id, found.head, &visitor.author);
        let newest = if head > 0 { self.store.newest_message(room_id).await? } else { None };
        let (mut unread, mut mentions) = (0, 0);
        if head > read {
            unread = self.store.count_unread(room_id, read, author).await?;
        }
        if unread > 0 {
            mentions = self.store.count_mentions(room_id, read, author).await?;
        }
        let (state, title) = (state_of(&found), found.own_title().map(str::to_owned));
        Ok(RoomPreview { room: found.room.name, title, state, head, unread, mentions, last: newest.map(last) })
    }

    /// Returns previews of the rooms in which the visitor holds a name, without unread counts, because the server does
    /// not know what the visitor has read. The room that was written in last comes first.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn preview_own_rooms(&self, visitor: &Visitor) -> Result<Vec<RoomPreview>, StoreError> {
        if !visitor.has_persistent_identity {
            return Ok(Vec::new());
        }
        let names = self.store.rooms_of_author(&visitor.author, MAX_OWN_ROOMS).await?;
        let position =
            |name: &RoomName| RoomPosition { room: name.as_str().to_owned(), read: Seq::MAX, state: String::new() };
        self.preview_rooms(&names.iter().map(position).collect::<Vec<_>>(), visitor)
            .await
            .map(|previews| previews.changed)
    }
}

/// Returns the state of a room that a preview shows. The oldest message, the title and names may change without an event:
/// retention and erasure remove them.
fn state_of(found: &RoomRecord) -> String {
    let title = found.own_title().unwrap_or_default().bytes();
    let title = title.fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{}.{}.{}.{}.{title:x}", found.room.epoch.0, found.head, found.first, found.erasures)
}
