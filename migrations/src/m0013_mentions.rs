//! Mentions of names in messages, and the name of each claim as its holder wrote it.
//!
//! An index of changes without replies: since then, a message may refer to another one by `target`, too.

use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A dump of an earlier schema that was loaded over this one leaves the table, with rows of later rooms.
        manager.drop_table(Table::drop().table(Mentions::Table).if_exists().to_owned()).await?;
        let is_sqlite = manager.get_database_backend() == DatabaseBackend::Sqlite;
        // No foreign key: nodes of the previous release delete rooms and events without knowing this table.
        let mut mentions = Table::create()
            .table(Mentions::Table)
            .col(ColumnDef::new(Mentions::RoomId).big_integer().not_null())
            .col(ColumnDef::new(Mentions::Seq).big_integer().not_null())
            .col(ColumnDef::new(Mentions::Position).integer().not_null())
            .col(ColumnDef::new(Mentions::Message).big_integer().not_null())
            .col(ColumnDef::new(Mentions::Author).binary().not_null())
            .col(ColumnDef::new(Mentions::Username).text().not_null())
            .primary_key(Index::create().col(Mentions::RoomId).col(Mentions::Seq).col(Mentions::Position))
            .to_owned();
        if is_sqlite {
            mentions.extra("WITHOUT ROWID");
        }
        manager.create_table(mentions).await?;
        let by_author = Index::create()
            .name("mentions_by_author")
            .table(Mentions::Table)
            .col(Mentions::Author)
            .col(Mentions::RoomId)
            .col(Mentions::Message)
            .to_owned();
        manager.create_index(by_author).await?;
        // Nodes of the previous release leave it NULL, or as it was.
        let username = ColumnDef::new(Names::Username).text().to_owned();
        manager.alter_table(Table::alter().table(Names::Table).add_column(username).to_owned()).await?;
        let connection = manager.get_connection();
        if !is_sqlite {
            // Names are found by their beginning, byte by byte, whatever the collation of the database is.
            let by_prefix = "CREATE INDEX names_by_prefix ON names (room_id, skeleton COLLATE \"C\")";
            connection.execute_unprepared(by_prefix).await?;
        }
        if manager.has_index("events", EDITS_INDEX).await? {
            return Ok(());
        }
        connection.execute_unprepared(&format!("CREATE INDEX {EDITS_INDEX} {EDITS_INDEX_ON}")).await.map(|_| ())
    }
}

/// The name of the index of changes without replies.
pub const EDITS_INDEX: &str = "events_edits";

/// The table, columns and condition of the index: the events that change a message, by the number of the message.
pub const EDITS_INDEX_ON: &str = "ON events (room_id, target) WHERE target IS NOT NULL AND kind <> 0";

#[derive(DeriveIden)]
enum Mentions {
    Table,
    RoomId,
    Seq,
    Position,
    Message,
    Author,
    Username,
}

#[derive(DeriveIden)]
enum Names {
    Table,
    Username,
}
