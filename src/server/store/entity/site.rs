//! Values of the whole site, by name.

use sea_orm::entity::prelude::*;

/// Name of the site's key for ids and epochs. A restore removes it, because ids and epochs derived in the lost history
/// must not occur again.
pub(crate) const DERIVATION_KEY: &str = "rooms";

/// Name of the site's flag that a backup was restored.
pub(crate) const RESTORED_KEY: &str = "restored";

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "site")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub value: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
