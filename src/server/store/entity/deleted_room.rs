//! Number of rooms that were deleted at an address.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deleted_rooms")]
pub struct Model {
    /// A keyed hash of the room's name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub address: Vec<u8>,
    pub times: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
