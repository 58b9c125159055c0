//! Actions of the host in a room, started by a command.

use crate::server::auth::identity::AuthorId;
use crate::server::random;
use crate::server::store::{AppendRequest, AppendResult, Locking, NewEvent, Store, StoreError};

impl Store {
    /// Appends an action of the host to a room's log, and returns its result.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written. The outcome is then unknown.
    pub(crate) async fn append_as_host(&self, room_id: i64, new_event: NewEvent) -> Result<AppendResult, StoreError> {
        let id = random::event_id();
        let removes = new_event.removes_text();
        let appended = self
            .append(&[AppendRequest { room_id, begins: None, author: AuthorId::HOST, id, new_event }], Locking::Wait)
            .await?;
        if removes {
            self.redact_pending().await?;
            self.checkpoint_now().await;
        }
        appended.into_iter().next().ok_or_else(|| StoreError::RoomGone(room_id))
    }
}
