//! A room: its name, its epoch, and the newest number of its log.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rooms")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique)]
    pub name: String,
    pub epoch: String,
    /// Newest number of the log; 0 while the log is empty.
    pub head: i64,
    /// Time of the newest event, in UTC milliseconds. No later event gets an earlier time, unless this one is
    /// implausibly far ahead.
    pub last_at: i64,
    /// Identity of the owner: the first author, or a later one to whom the room was handed over. 16 bytes of a hash.
    pub owner: Option<Vec<u8>>,
    /// Slow mode's minimum interval between two messages, in seconds; 0 if slow mode is off.
    pub slow_mode: i32,
    /// Whether only members may enter.
    pub locked: bool,
    /// Whether a moderation action was ever performed here: otherwise there are no memberships to look up.
    pub moderated: bool,
    /// Retention of messages, in days. `None`: the site's setting applies; 0: unlimited.
    pub keep_days: Option<i32>,
    /// Of a private room: the invitation key that a new visitor has to present, as text.
    pub invitation: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
