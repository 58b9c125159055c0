//! Webhooks of rooms: incoming ones, which post messages, and outgoing ones, which read the log.
//!
//! Neither table refers to `rooms` by a foreign key: the previous release deletes rooms without knowing these tables,
//! and a dump of it can be loaded over this schema. The server removes rows of rooms that are gone.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A dump of an earlier schema that was loaded over this one leaves the tables, with rows of later rooms.
        manager.drop_table(Table::drop().table(IncomingHooks::Table).if_exists().to_owned()).await?;
        manager.drop_table(Table::drop().table(OutgoingHooks::Table).if_exists().to_owned()).await?;
        let incoming = Table::create()
            .table(IncomingHooks::Table)
            .col(ColumnDef::new(IncomingHooks::Id).string().not_null().primary_key())
            .col(ColumnDef::new(IncomingHooks::RoomId).big_integer().not_null())
            .col(ColumnDef::new(IncomingHooks::KeyHash).binary().not_null().unique_key())
            .col(ColumnDef::new(IncomingHooks::Name).text().not_null())
            .col(ColumnDef::new(IncomingHooks::Author).binary().not_null())
            .col(ColumnDef::new(IncomingHooks::MadeAt).big_integer().not_null())
            .col(ColumnDef::new(IncomingHooks::UsedAt).big_integer())
            .col(ColumnDef::new(IncomingHooks::EndedAt).big_integer())
            .to_owned();
        manager.create_table(incoming).await?;
        let outgoing = Table::create()
            .table(OutgoingHooks::Table)
            .col(ColumnDef::new(OutgoingHooks::Id).string().not_null().primary_key())
            .col(ColumnDef::new(OutgoingHooks::RoomId).big_integer().not_null())
            .col(ColumnDef::new(OutgoingHooks::Name).text().not_null())
            .col(ColumnDef::new(OutgoingHooks::Url).text().not_null())
            // The key of the signature itself: a hash of it could not sign.
            .col(ColumnDef::new(OutgoingHooks::Secret).binary().not_null())
            .col(ColumnDef::new(OutgoingHooks::MadeAt).big_integer().not_null())
            .col(ColumnDef::new(OutgoingHooks::Epoch).string().not_null())
            .col(ColumnDef::new(OutgoingHooks::Position).big_integer().not_null())
            .col(ColumnDef::new(OutgoingHooks::Failures).integer().not_null())
            .col(ColumnDef::new(OutgoingHooks::FailingSince).big_integer())
            .col(ColumnDef::new(OutgoingHooks::Failure).text())
            .col(ColumnDef::new(OutgoingHooks::NextTryAt).big_integer().not_null())
            .col(ColumnDef::new(OutgoingHooks::LeasedBy).string())
            .col(ColumnDef::new(OutgoingHooks::LeasedUntil).big_integer().not_null())
            .col(ColumnDef::new(OutgoingHooks::EndedAt).big_integer())
            .to_owned();
        manager.create_table(outgoing).await?;
        let incoming_by_room = Index::create()
            .name("incoming_hooks_by_room")
            .table(IncomingHooks::Table)
            .col(IncomingHooks::RoomId)
            .to_owned();
        manager.create_index(incoming_by_room).await?;
        let outgoing_by_room = Index::create()
            .name("outgoing_hooks_by_room")
            .table(OutgoingHooks::Table)
            .col(OutgoingHooks::RoomId)
            .to_owned();
        manager.create_index(outgoing_by_room).await
    }
}

#[derive(DeriveIden)]
enum IncomingHooks {
    Table,
    Id,
    RoomId,
    KeyHash,
    Name,
    Author,
    MadeAt,
    UsedAt,
    EndedAt,
}

#[derive(DeriveIden)]
enum OutgoingHooks {
    Table,
    Id,
    RoomId,
    Name,
    Url,
    Secret,
    MadeAt,
    Epoch,
    Position,
    Failures,
    FailingSince,
    Failure,
    NextTryAt,
    LeasedBy,
    LeasedUntil,
    EndedAt,
}
