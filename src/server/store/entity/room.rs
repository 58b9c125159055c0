//! A room: its name, which history it has, and the newest number of its log.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rooms")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique)]
    pub name: String,
    pub epoch: String,
    /// The newest number of the log; 0 while it is empty.
    pub head: i64,
    /// When the newest event was stored, in UTC milliseconds: no later event gets an earlier time, unless this one cannot
    /// be.
    pub last_at: i64,
    /// Whose it is: whoever spoke first, or was given it since. 16 bytes of a hash.
    pub owner: Option<Vec<u8>>,
    /// How long everybody waits between two messages, in seconds; 0 if they need not.
    pub slow_mode: i32,
    /// Whether only members come in.
    pub locked: bool,
    /// Whether anything was ever moderated here: else nobody's standing needs looking up.
    pub moderated: bool,
    /// For how many days its messages are kept. No value: as the site does; 0: for ever.
    pub keep_days: Option<i32>,
    /// Of a private room: what whoever comes for the first time has to bring, as the text of a key.
    pub invitation: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
