//! Epochs of rooms, and the newest numbers of their logs.

use super::room::new_epoch;
use crate::domain::{Epoch, Seq};
use crate::server::store::entity::room;
use crate::server::store::{Store, StoreError};
use crate::server::telemetry::metrics::timed;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

/// The state of a room's log in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoomHead {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) epoch: Epoch,
    /// Newest number of the log.
    pub(crate) head: Seq,
    /// Number of erasures of authors who were in the room.
    pub(crate) erasures: i64,
}

impl Store {
    /// Returns the stored state of these rooms. Leaves out deleted rooms.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn current(&self, rooms: &[i64]) -> Result<Vec<RoomHead>, StoreError> {
        Ok(timed("heads", current(&self.reader, rooms)).await?)
    }

    /// Gives a room a new epoch if its epoch is `outdated`, and returns its state. If several nodes do so at once, all
    /// get the epoch of the first. Returns `None` if the room was deleted.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn renew_epoch(&self, room_id: i64, outdated: &Epoch) -> Result<Option<RoomHead>, StoreError> {
        let is_outdated = room::Column::Id.eq(room_id).and(room::Column::Epoch.eq(outdated.0.as_str()));
        let renew = room::Entity::update_many().col_expr(room::Column::Epoch, Expr::value(new_epoch()));
        renew.filter(is_outdated).exec(&self.writer).await?;
        Ok(current(&self.writer, &[room_id]).await?.pop())
    }
}

/// The columns of a room's row that make up its head.
#[derive(FromQueryResult)]
struct HeadRow {
    id: i64,
    name: String,
    epoch: String,
    head: Seq,
    erasures: i64,
}

async fn current(connection: &impl ConnectionTrait, rooms: &[i64]) -> Result<Vec<RoomHead>, DbErr> {
    use room::Column::{Epoch as EpochColumn, Erasures, Head, Id, Name};
    let rows = room::Entity::find()
        .select_only()
        .columns([Id, Name, EpochColumn, Head, Erasures])
        .filter(Id.is_in(rooms.iter().copied()))
        .into_model::<HeadRow>()
        .all(connection)
        .await?;
    let current =
        |HeadRow { id, name, epoch, head, erasures }| RoomHead { id, name, epoch: Epoch(epoch), head, erasures };
    Ok(rows.into_iter().map(current).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RoomName;

    #[tokio::test]
    async fn of_two_who_renew_an_epoch_both_get_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/parlour.db", directory.path().display())).await.unwrap();
        let room = store.create_room(&RoomName::parse("harbour").unwrap()).await.unwrap().room;
        let first = store.renew_epoch(room.id, &room.epoch).await.unwrap().unwrap();
        let second = store.renew_epoch(room.id, &room.epoch).await.unwrap().unwrap();
        assert_ne!(first.epoch, room.epoch);
        assert_eq!(first, second);
        assert_eq!(store.current(&[room.id, -1]).await.unwrap(), [second]);
        assert_eq!(store.renew_epoch(-1, &room.epoch).await.unwrap(), None);
    }
}
