//! Private rooms: the invitation that a new visitor must present.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let invitation = ColumnDef::new(Rooms::Invitation).text().to_owned();
        manager.alter_table(Table::alter().table(Rooms::Table).add_column(invitation).to_owned()).await
    }
}

#[derive(DeriveIden)]
enum Rooms {
    Table,
    Invitation,
}
