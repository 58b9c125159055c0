//! An index of moderation events, which stand between the messages of a page. Without it, a query would read all the
//! edits, deletions and reactions between them.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.has_index("events", MODERATIONS_INDEX).await? {
            return Ok(());
        }
        let moderations = format!("CREATE INDEX {MODERATIONS_INDEX} {MODERATIONS_INDEX_ON}");
        manager.get_connection().execute_unprepared(&moderations).await.map(|_| ())
    }
}

/// The name of the index of moderation events.
pub const MODERATIONS_INDEX: &str = "events_moderations";

/// The table, columns and condition of the index: the numbers of a room's moderation events.
pub const MODERATIONS_INDEX_ON: &str = "ON events (room_id, seq) WHERE kind = 3";
