//! Rooms, and the log of each: events numbered 1, 2, 3 … by `(room_id, seq)`.

use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Site-wide values: the key that signs identities, the name of the relay's channels.
        let site = Table::create()
            .table(Site::Table)
            .col(ColumnDef::new(Site::Name).string().not_null().primary_key())
            .col(ColumnDef::new(Site::Value).binary().not_null())
            .to_owned();
        manager.create_table(site).await?;

        let rooms = Table::create()
            .table(Rooms::Table)
            .col(ColumnDef::new(Rooms::Id).big_integer().not_null().auto_increment().primary_key())
            .col(ColumnDef::new(Rooms::Name).string().not_null().unique_key())
            .col(ColumnDef::new(Rooms::Epoch).string().not_null())
            .col(ColumnDef::new(Rooms::Head).big_integer().not_null())
            .col(ColumnDef::new(Rooms::LastAt).big_integer().not_null())
            .to_owned();
        manager.create_table(rooms).await?;

        let mut events = Table::create()
            .table(Events::Table)
            .col(ColumnDef::new(Events::RoomId).big_integer().not_null())
            .col(ColumnDef::new(Events::Seq).big_integer().not_null())
            .col(ColumnDef::new(Events::Author).binary().not_null())
            .col(ColumnDef::new(Events::Id).string().not_null())
            .col(ColumnDef::new(Events::Kind).small_integer().not_null())
            .col(ColumnDef::new(Events::At).big_integer().not_null())
            .col(ColumnDef::new(Events::Username).string().not_null())
            .col(ColumnDef::new(Events::Target).big_integer())
            .col(ColumnDef::new(Events::Text).text().not_null())
            .col(ColumnDef::new(Events::EditedBy).big_integer())
            .col(ColumnDef::new(Events::DeletedBy).big_integer())
            .primary_key(Index::create().col(Events::RoomId).col(Events::Seq))
            .foreign_key(ForeignKey::create().from(Events::Table, Events::RoomId).to(Rooms::Table, Rooms::Id))
            .to_owned();
        if manager.get_database_backend() == DatabaseBackend::Sqlite {
            // The table is clustered by its primary key, so that a page of history is contiguous on disk.
            events.extra("WITHOUT ROWID");
        }
        manager.create_table(events).await?;

        let once = Index::create()
            .name("events_once")
            .table(Events::Table)
            .col(Events::RoomId)
            .col(Events::Id)
            .col(Events::Author)
            .unique()
            .to_owned();
        manager.create_index(once).await
    }
}

#[derive(DeriveIden)]
enum Site {
    Table,
    Name,
    Value,
}

#[derive(DeriveIden)]
enum Rooms {
    Table,
    Id,
    Name,
    Epoch,
    Head,
    LastAt,
}

#[derive(DeriveIden)]
enum Events {
    Table,
    RoomId,
    Seq,
    Author,
    Id,
    Kind,
    At,
    Username,
    Target,
    Text,
    EditedBy,
    DeletedBy,
}
