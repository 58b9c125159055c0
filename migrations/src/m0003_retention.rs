//! The retention time of each room's messages.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // NULL: the default of the site. 0: unlimited.
        let days = ColumnDef::new(Rooms::KeepDays).integer().null().to_owned();
        manager.alter_table(Table::alter().table(Rooms::Table).add_column(days).to_owned()).await
    }
}

#[derive(DeriveIden)]
enum Rooms {
    Table,
    KeepDays,
}
