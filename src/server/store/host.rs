//! What the host does in a room, by command.

use super::{Appended, Draft, Entry, Locking, Store};
use crate::server::identity::Author;
use crate::server::random;
use sea_orm::DbErr;

impl Store {
    /// Puts what the host does into a room's log. What became of it.
    pub(crate) async fn act_as_host(&self, room_id: i64, draft: Draft) -> Result<Appended, DbErr> {
        let id = random::event_id();
        let removes = matches!(draft, Draft::Delete { .. });
        let appended =
            self.append(&[Entry { room_id, begins: None, author: Author::HOST, id, draft }], Locking::Wait).await?;
        if removes {
            self.redact_rest().await?;
            self.forget_deleted_now().await;
        }
        appended.into_iter().next().ok_or_else(|| DbErr::RecordNotFound(format!("room {room_id}")))
    }
}
