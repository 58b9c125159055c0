//! Tokens of the API. Only a hash of each is stored. There is no foreign key, because nodes and commands of the previous
//! release delete rooms without knowing of this table.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A dump of an earlier schema that was loaded over this one leaves the table, with tokens of later rooms.
        manager.drop_table(Table::drop().table(Tokens::Table).if_exists().to_owned()).await?;
        let tokens = Table::create()
            .table(Tokens::Table)
            .col(ColumnDef::new(Tokens::Id).string().not_null().primary_key())
            .col(ColumnDef::new(Tokens::Hash).binary().not_null().unique_key())
            .col(ColumnDef::new(Tokens::Author).binary().not_null())
            .col(ColumnDef::new(Tokens::Label).string().not_null())
            .col(ColumnDef::new(Tokens::RoomId).big_integer())
            .col(ColumnDef::new(Tokens::MadeAt).big_integer().not_null())
            .col(ColumnDef::new(Tokens::UsedAt).big_integer())
            .col(ColumnDef::new(Tokens::EndedAt).big_integer())
            .to_owned();
        manager.create_table(tokens).await?;
        for (name, column) in [("tokens_by_author", Tokens::Author), ("tokens_by_room", Tokens::RoomId)] {
            let index = Index::create().name(name).table(Tokens::Table).col(column).to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

#[derive(DeriveIden)]
enum Tokens {
    Table,
    Id,
    Hash,
    Author,
    Label,
    RoomId,
    MadeAt,
    UsedAt,
    EndedAt,
}
