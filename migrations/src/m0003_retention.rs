//! How long each room keeps its messages.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // No value: as the site does. 0: for ever.
        let days = ColumnDef::new(Rooms::KeepDays).integer().null().to_owned();
        manager.alter_table(Table::alter().table(Rooms::Table).add_column(days).to_owned()).await
    }
}

#[derive(DeriveIden)]
enum Rooms {
    Table,
    KeepDays,
}
