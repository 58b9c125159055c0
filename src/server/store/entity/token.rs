//! A token of the API. The token itself is not stored, only its hash.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tokens")]
pub struct Model {
    /// The public id, by which a token is revoked.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// SHA-256 of the token: 32 bytes.
    pub hash: Vec<u8>,
    /// Identity that the token proves: 16 bytes, as in the log.
    pub author: Vec<u8>,
    /// The default name of the token's messages.
    pub label: String,
    /// The only room in which the token is valid, or `None` if it is valid in all rooms.
    pub room_id: Option<i64>,
    /// Time of creation, in UTC milliseconds.
    pub made_at: i64,
    /// Time of the last use, in UTC milliseconds, updated at most once an hour.
    pub used_at: Option<i64>,
    /// Time of revocation, in UTC milliseconds.
    pub ended_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
