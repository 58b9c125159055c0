//! Quotes of messages, for clients that have a reply but not the message that it replies to.

use super::Chat;
use super::access::AccessDenied;
use crate::domain::{Quote, RoomName, Seq};
use crate::server::auth::visitor::Visitor;
use crate::server::store::RoomRecord;

impl Chat {
    /// Returns quotes of the messages with these numbers, as far as the room has them.
    ///
    /// # Errors
    ///
    /// Returns why the visitor may not enter.
    pub(crate) async fn quotes(
        &self,
        name: &RoomName,
        visitor: &Visitor,
        seqs: Vec<Seq>,
    ) -> Result<Vec<Quote>, AccessDenied> {
        let RoomRecord { room, .. } = self.admit(name, visitor).await?;
        Ok(self.store.quotes(room.id, seqs).await?)
    }
}
