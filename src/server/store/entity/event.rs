//! An event of a room's log. Only the oldest rows are ever removed, so that numbers have no gaps; a deletion blanks
//! `text`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub room_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// The author's identity: 16 bytes of a hash.
    pub author: Vec<u8>,
    /// Id that the author gave the event: unique per room and author.
    pub id: String,
    pub kind: Kind,
    /// Time of the event, in UTC milliseconds.
    pub at: i64,
    pub username: String,
    /// Number of the message that an edit, a deletion or a moderation action refers to.
    pub target: Option<i64>,
    /// Text as sent. Edits leave it unchanged, a deletion blanks it.
    pub text: String,
    /// Of a message: the number of the event with its newest text.
    pub edited_by: Option<i64>,
    /// Of a message: the number of the event that deleted it.
    pub deleted_by: Option<i64>,
}

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
pub enum Kind {
    #[sea_orm(num_value = 0)]
    Message,
    #[sea_orm(num_value = 1)]
    Edited,
    #[sea_orm(num_value = 2)]
    Deleted,
    /// Its text is the moderation action as JSON.
    #[sea_orm(num_value = 3)]
    Moderated,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
