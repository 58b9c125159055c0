//! A username claim in a room, by skeleton: a name has one row for each of its skeletons.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "names")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub room_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub skeleton: String,
    /// Identity of the holder: 16 bytes of a hash, as in the log.
    pub author: Vec<u8>,
    /// Time of the last use, in UTC milliseconds, updated at most once a day.
    pub at: i64,
    /// The name as its holder wrote it last. Nodes of earlier releases do not set it: it is then missing, or one that
    /// looks alike.
    pub username: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
