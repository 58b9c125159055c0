//! How somebody stands in a room, where that differs from how everybody does.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "standings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub room_id: i64,
    /// Who: 16 bytes of a hash, as in the log.
    #[sea_orm(primary_key, auto_increment = false)]
    pub author: Vec<u8>,
    /// Whether a locked room lets them in.
    pub member: bool,
    /// Until when they say nothing, in UTC milliseconds.
    pub muted_until: i64,
    /// Until when they stay away, in UTC milliseconds.
    pub banned_until: i64,
    /// When they last said something in slow mode, in UTC milliseconds. Of the newcomers of a network: up to when they have
    /// used up their share.
    pub spoke_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
