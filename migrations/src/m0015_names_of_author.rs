//! An index of names by their holder alone: the front page lists the rooms in which the visitor holds one.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let of_author = Index::create()
            .name("names_of_author")
            .table(Names::Table)
            .col(Names::Author)
            .col(Names::RoomId)
            .col(Names::At)
            .to_owned();
        manager.create_index(of_author).await
    }
}

#[derive(DeriveIden)]
enum Names {
    Table,
    RoomId,
    Author,
    At,
}
