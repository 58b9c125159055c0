//! Reactions and pins: who reacts to a message with which emoji, the number of people for each, and the pinned messages.
//! There are no foreign keys, because nodes and commands of the previous release delete rooms without knowing of these
//! tables.

use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Rooms without reactions and pins need not look for any.
        let annotated = ColumnDef::new(Rooms::Annotated).boolean().not_null().default(false).to_owned();
        manager.alter_table(Table::alter().table(Rooms::Table).add_column(annotated).to_owned()).await?;

        let reactions = Table::create()
            .table(Reactions::Table)
            .col(ColumnDef::new(Reactions::RoomId).big_integer().not_null())
            .col(ColumnDef::new(Reactions::Target).big_integer().not_null())
            .col(ColumnDef::new(Reactions::Emoji).string().not_null())
            .col(ColumnDef::new(Reactions::Author).binary().not_null())
            .col(ColumnDef::new(Reactions::Username).string().not_null())
            .col(ColumnDef::new(Reactions::Seq).big_integer().not_null())
            .col(ColumnDef::new(Reactions::At).big_integer().not_null())
            .primary_key(
                Index::create()
                    .col(Reactions::RoomId)
                    .col(Reactions::Target)
                    .col(Reactions::Emoji)
                    .col(Reactions::Author),
            )
            .to_owned();
        // A page reads at most twenty rows of these for a message, however many people have reacted to it.
        let counts = Table::create()
            .table(ReactionCounts::Table)
            .col(ColumnDef::new(ReactionCounts::RoomId).big_integer().not_null())
            .col(ColumnDef::new(ReactionCounts::Target).big_integer().not_null())
            .col(ColumnDef::new(ReactionCounts::Emoji).string().not_null())
            .col(ColumnDef::new(ReactionCounts::Count).integer().not_null())
            .col(ColumnDef::new(ReactionCounts::FirstSeq).big_integer().not_null())
            .primary_key(
                Index::create().col(ReactionCounts::RoomId).col(ReactionCounts::Target).col(ReactionCounts::Emoji),
            )
            .to_owned();
        let pins = Table::create()
            .table(Pins::Table)
            .col(ColumnDef::new(Pins::RoomId).big_integer().not_null())
            .col(ColumnDef::new(Pins::Seq).big_integer().not_null())
            .col(ColumnDef::new(Pins::At).big_integer().not_null())
            .col(ColumnDef::new(Pins::PinnedBy).big_integer().not_null())
            .primary_key(Index::create().col(Pins::RoomId).col(Pins::Seq))
            .to_owned();
        for mut table in [reactions, counts, pins] {
            // A dump of an earlier schema that was loaded over this one leaves the tables, with rows of other rooms.
            if let Some(TableRef::Table(name, _)) = table.get_table_name().cloned() {
                manager.drop_table(Table::drop().table(name).if_exists().to_owned()).await?;
            }
            if manager.get_database_backend() == DatabaseBackend::Sqlite {
                table.extra("WITHOUT ROWID");
            }
            manager.create_table(table).await?;
        }
        let by_author = Index::create()
            .name("reactions_by_author")
            .table(Reactions::Table)
            .col(Reactions::Author)
            .col(Reactions::RoomId)
            .col(Reactions::Target)
            .to_owned();
        manager.create_index(by_author).await
    }
}

#[derive(DeriveIden)]
enum Rooms {
    Table,
    Annotated,
}

#[derive(DeriveIden)]
enum Reactions {
    Table,
    RoomId,
    Target,
    Emoji,
    Author,
    Username,
    Seq,
    At,
}

#[derive(DeriveIden)]
enum ReactionCounts {
    Table,
    RoomId,
    Target,
    Emoji,
    Count,
    FirstSeq,
}

#[derive(DeriveIden)]
enum Pins {
    Table,
    RoomId,
    Seq,
    At,
    PinnedBy,
}
