//! An index of names by their holder. The names of an identity in a room are counted each time it takes one.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let by_author = Index::create()
            .name("names_by_author")
            .table(Names::Table)
            .col(Names::RoomId)
            .col(Names::Author)
            .to_owned();
        manager.create_index(by_author).await
    }
}

#[derive(DeriveIden)]
enum Names {
    Table,
    RoomId,
    Author,
}
