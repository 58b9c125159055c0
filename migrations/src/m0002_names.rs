//! Names held in a room, with their holder and the time of last use.

use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut names = Table::create()
            .table(Names::Table)
            .col(ColumnDef::new(Names::RoomId).big_integer().not_null())
            .col(ColumnDef::new(Names::Skeleton).string().not_null())
            .col(ColumnDef::new(Names::Author).binary().not_null())
            .col(ColumnDef::new(Names::At).big_integer().not_null())
            .primary_key(Index::create().col(Names::RoomId).col(Names::Skeleton))
            .foreign_key(ForeignKey::create().from(Names::Table, Names::RoomId).to(Rooms::Table, Rooms::Id))
            .to_owned();
        if manager.get_database_backend() == DatabaseBackend::Sqlite {
            names.extra("WITHOUT ROWID");
        }
        manager.create_table(names).await
    }
}

#[derive(DeriveIden)]
enum Names {
    Table,
    RoomId,
    Skeleton,
    Author,
    At,
}

#[derive(DeriveIden)]
enum Rooms {
    Table,
    Id,
}
