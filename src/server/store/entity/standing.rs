//! A membership: an author's rights in a room, where they differ from the default.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "standings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub room_id: i64,
    /// Identity of the author: 16 bytes of a hash, as in the log.
    #[sea_orm(primary_key, auto_increment = false)]
    pub author: Vec<u8>,
    /// Whether the author may enter a locked room.
    pub member: bool,
    /// End of a mute, in UTC milliseconds.
    pub muted_until: i64,
    /// End of a ban, in UTC milliseconds.
    pub banned_until: i64,
    /// Time of the author's last message in slow mode, in UTC milliseconds. For the newcomers of a network: the time up
    /// to which their shared quota is used up.
    pub spoke_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
