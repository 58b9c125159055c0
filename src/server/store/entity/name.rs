//! A name that somebody holds in a room, by one of its skeletons: a name has as many rows as it has skeletons.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "names")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub room_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub skeleton: String,
    /// Who holds it: 16 bytes of a hash, as in the log.
    pub author: Vec<u8>,
    /// When it was last used, in UTC milliseconds, to the day.
    pub at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
