//! An outgoing webhook of a room: a reader of the log at a URL.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outgoing_hooks")]
pub struct Model {
    /// The id that is shown, which is no secret.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub room_id: i64,
    pub name: String,
    pub url: String,
    /// Key of the signatures; empty once the hook has ended.
    pub secret: Vec<u8>,
    pub made_at: i64,
    /// Epoch of `position`.
    pub epoch: String,
    /// Number of the last event that the receiver has taken.
    pub position: i64,
    /// Number of failed tries in a row.
    pub failures: i32,
    /// Time of the first of them, in UTC milliseconds.
    pub failing_since: Option<i64>,
    /// Reason of the last failure, or of the end.
    pub failure: Option<String>,
    /// Time before which no try is made, in UTC milliseconds.
    pub next_try_at: i64,
    /// The node that delivers, and the end of its lease in UTC milliseconds. Afterwards: the time of the last delivery.
    pub leased_by: Option<String>,
    pub leased_until: i64,
    pub ended_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
