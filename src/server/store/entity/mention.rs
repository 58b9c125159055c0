//! A mention: a name held in the room that the text of an event names after `@`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mentions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub room_id: i64,
    /// Number of the event with the text: a message, or an edit.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// Order among the mentions of the text, from 0.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    /// Number of the message that has the text.
    pub message: i64,
    /// Identity of the holder: 16 bytes of a hash, as in the log.
    pub author: Vec<u8>,
    /// The name as its holder wrote it.
    pub username: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
