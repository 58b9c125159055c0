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
    /// Retention of messages as the host has set it, in days. `None`: the site's setting applies; 0: unlimited.
    pub keep_days: Option<i32>,
    /// Of a private room: the invitation key that a new visitor has to present, as text.
    pub invitation: Option<String>,
    /// Title, if it is not the room's name.
    pub title: Option<String>,
    /// Number of the event that set the title last.
    pub title_seq: Option<i64>,
    /// Author of the title: 16 bytes of a hash.
    pub title_by: Option<Vec<u8>>,
    /// Topic, if there is one.
    pub topic: Option<String>,
    /// Number of the event that set the topic last.
    pub topic_seq: Option<i64>,
    /// Author of the topic: 16 bytes of a hash.
    pub topic_by: Option<Vec<u8>>,
    /// Retention of messages as the owner has set it, in days. `None`, or longer: as long as the host keeps them.
    pub retention: Option<i32>,
    /// Whether a message here ever had a reaction or a pin: otherwise there are none to look up.
    pub annotated: bool,
    /// Number of erasures that may have removed something from the room's pages without an event.
    pub erasures: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
