//! A reaction: a person reacts to a message with an emoji.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reactions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub room_id: i64,
    /// Number of the message.
    #[sea_orm(primary_key, auto_increment = false)]
    pub target: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub emoji: String,
    /// Identity of the person: 16 bytes of a hash, as in the log.
    #[sea_orm(primary_key, auto_increment = false)]
    pub author: Vec<u8>,
    /// Name of the person at that time.
    pub username: String,
    /// Number of the event of the reaction.
    pub seq: i64,
    /// Time of the event, in UTC milliseconds.
    pub at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
