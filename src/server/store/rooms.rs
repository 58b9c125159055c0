//! Rooms: found by name, made at the first visit, and the newest number of each.

use super::{Store, entity::room};
use crate::domain::{Epoch, RoomName, Seq};
use sea_orm::{ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, sea_query::OnConflict};

/// A room as the server knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) id: i64,
    pub(crate) name: RoomName,
    pub(crate) epoch: Epoch,
}

impl Store {
    /// The room of this name and the head of its log. A room exists as soon as its address is visited.
    pub(crate) async fn room(&self, name: &RoomName) -> Result<(Room, Seq), DbErr> {
        let find = || room::Entity::find().filter(room::Column::Name.eq(name.as_str()));
        let row = match find().one(&self.reader).await? {
            Some(row) => row,
            None => {
                let new = room::ActiveModel {
                    name: Set(name.as_str().to_owned()),
                    epoch: Set(new_epoch()),
                    head: Set(0),
                    last_at: Set(0),
                    ..Default::default()
                };
                // Two first visitors at once: one row, and both read it.
                let at_most_once = OnConflict::column(room::Column::Name).do_nothing().to_owned();
                room::Entity::insert(new).on_conflict(at_most_once).exec_without_returning(&self.writer).await?;
                let missing = || DbErr::RecordNotFound(format!("room {name}"));
                find().one(&self.writer).await?.ok_or_else(missing)?
            }
        };
        Ok((Room { id: row.id, name: name.clone(), epoch: Epoch(row.epoch) }, row.head))
    }

    /// The newest number of each of these rooms' logs.
    pub(crate) async fn heads(&self, rooms: &[i64]) -> Result<Vec<(i64, Seq)>, DbErr> {
        room::Entity::find()
            .select_only()
            .columns([room::Column::Id, room::Column::Head])
            .filter(room::Column::Id.is_in(rooms.iter().copied()))
            .into_tuple()
            .all(&self.reader)
            .await
    }
}

/// Eight random characters.
fn new_epoch() -> String {
    uuid::Uuid::new_v4().simple().to_string()[..8].to_owned()
}
