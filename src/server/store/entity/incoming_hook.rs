//! An incoming webhook of a room: an address to which programs post.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "incoming_hooks")]
pub struct Model {
    /// The id that is shown, which is no secret.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub room_id: i64,
    /// SHA-256 of the key in the hook's address.
    #[sea_orm(unique)]
    pub key_hash: Vec<u8>,
    /// Name of messages that bring none.
    pub name: String,
    /// Identity of the hook's messages: 16 bytes.
    pub author: Vec<u8>,
    /// Times in UTC milliseconds. `used_at` is updated at most once a minute.
    pub made_at: i64,
    pub used_at: Option<i64>,
    pub ended_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
