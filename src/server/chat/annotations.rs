//! Reactions and pins of a room, for visitors who may enter it.

use super::Chat;
use super::access::AccessDenied;
use crate::domain::{Quote, ReactionsPage, RoomName, Seq};
use crate::server::auth::visitor::Visitor;

impl Chat {
    /// Returns the reactions to the messages from `first` to `last`, as the visitor sees them.
    ///
    /// # Errors
    ///
    /// Returns why the visitor may not enter.
    pub(crate) async fn reactions(
        &self,
        name: &RoomName,
        visitor: &Visitor,
        range: (Seq, Seq),
    ) -> Result<ReactionsPage, AccessDenied> {
        let found = self.admit(name, visitor).await?;
        if !found.annotated {
            return Ok(ReactionsPage { head: found.head, messages: Vec::new() });
        }
        Ok(self.store.reactions_between(found.room.id, range, &visitor.author).await?)
    }

    /// Returns the message that was pinned last, or `None` if none is pinned.
    ///
    /// # Errors
    ///
    /// Returns why the visitor may not enter.
    pub(crate) async fn latest_pin(&self, name: &RoomName, visitor: &Visitor) -> Result<Option<Quote>, AccessDenied> {
        let found = self.admit(name, visitor).await?;
        Ok(self.store.latest_pin(&found).await?)
    }
}
