//! An index of messages. Without it, a query would read all the edits, deletions and moderation events between them.
//!
//! PostgreSQL blocks writers while it builds an index in a transaction. On a large database, the server therefore
//! builds the index concurrently before it migrates, and this step finds it in place.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // If the index exists, this avoids even the lock of a no-op statement.
        if manager.has_index("events", MESSAGES_INDEX).await? {
            return Ok(());
        }
        let messages = format!("CREATE INDEX {MESSAGES_INDEX} {MESSAGES_INDEX_ON}");
        manager.get_connection().execute_unprepared(&messages).await.map(|_| ())
    }
}

/// The name of the index of messages.
pub const MESSAGES_INDEX: &str = "events_messages";

/// The table, columns and condition of the index: the numbers of a room's messages, deleted ones included.
pub const MESSAGES_INDEX_ON: &str = "ON events (room_id, seq) WHERE kind = 0";
