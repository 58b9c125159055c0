//! A pinned message of a room.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pins")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub room_id: i64,
    /// Number of the message.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// Time at which it was pinned, in UTC milliseconds.
    pub at: i64,
    /// Number of the event that pinned it.
    pub pinned_by: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
