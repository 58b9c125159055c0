//! Moderation: the owner and settings of a room, and the standing (muted, banned, …) of participants.

use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            ColumnDef::new(Rooms::Owner).binary(),
            ColumnDef::new(Rooms::SlowMode).integer().not_null().default(0),
            ColumnDef::new(Rooms::Locked).boolean().not_null().default(false),
            ColumnDef::new(Rooms::Moderated).boolean().not_null().default(false),
        ] {
            // SQLite adds one column per statement.
            let add = Table::alter().table(Rooms::Table).add_column(column).to_owned();
            manager.alter_table(add).await?;
        }
        // Existing rooms belong to the author of their first message.
        let owners = "UPDATE rooms SET owner = (SELECT author FROM events \
                      WHERE events.room_id = rooms.id AND kind = 0 ORDER BY seq LIMIT 1)";
        manager.get_connection().execute_unprepared(owners).await?;

        let mut standings = Table::create()
            .table(Standings::Table)
            .col(ColumnDef::new(Standings::RoomId).big_integer().not_null())
            .col(ColumnDef::new(Standings::Author).binary().not_null())
            .col(ColumnDef::new(Standings::Member).boolean().not_null())
            .col(ColumnDef::new(Standings::MutedUntil).big_integer().not_null())
            .col(ColumnDef::new(Standings::BannedUntil).big_integer().not_null())
            .col(ColumnDef::new(Standings::SpokeAt).big_integer().not_null())
            .primary_key(Index::create().col(Standings::RoomId).col(Standings::Author))
            .foreign_key(ForeignKey::create().from(Standings::Table, Standings::RoomId).to(Rooms::Table, Rooms::Id))
            .to_owned();
        if manager.get_database_backend() == DatabaseBackend::Sqlite {
            standings.extra("WITHOUT ROWID");
        }
        manager.create_table(standings).await
    }
}

#[derive(DeriveIden)]
enum Rooms {
    Table,
    Id,
    Owner,
    SlowMode,
    Locked,
    Moderated,
}

#[derive(DeriveIden)]
enum Standings {
    Table,
    RoomId,
    Author,
    Member,
    MutedUntil,
    BannedUntil,
    SpokeAt,
}
