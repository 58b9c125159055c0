//! The number of erasures in a room, which pages and entity tags depend on: an erased name may leave without an event.
//! Also an index of the names held in a room by their last use.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let erasures = ColumnDef::new(Rooms::Erasures).big_integer().not_null().default(0).to_owned();
        manager.alter_table(Table::alter().table(Rooms::Table).add_column(erasures).to_owned()).await?;
        let by_use =
            Index::create().name("names_by_use").table(Names::Table).col(Names::RoomId).col(Names::At).to_owned();
        manager.create_index(by_use).await
    }
}

#[derive(DeriveIden)]
enum Rooms {
    Table,
    Erasures,
}

#[derive(DeriveIden)]
enum Names {
    Table,
    RoomId,
    At,
}
