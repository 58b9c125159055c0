//! The number of times that a room with a name was deleted, which distinguishes the next room of that name.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A dump of an earlier schema that was loaded over this one leaves the table, with numbers of later rooms.
        manager.drop_table(Table::drop().table(DeletedRooms::Table).if_exists().to_owned()).await?;
        let deleted = Table::create()
            .table(DeletedRooms::Table)
            // A keyed hash of the room's name: the name itself is deleted with the room.
            .col(ColumnDef::new(DeletedRooms::Address).binary().not_null().primary_key())
            .col(ColumnDef::new(DeletedRooms::Times).big_integer().not_null())
            .to_owned();
        manager.create_table(deleted).await
    }
}

#[derive(DeriveIden)]
enum DeletedRooms {
    Table,
    Address,
    Times,
}
