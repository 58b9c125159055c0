//! Messages are found without reading what lies between them: edits, deletions and acts of moderation may be many.
//!
//! PostgreSQL keeps writers out of a table while it builds an index in a transaction. A server that starts on a large
//! database has therefore built it beside them already, and this step finds it there.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Where it is there, not even the lock of a statement that does nothing is taken.
        if manager.has_index("events", MESSAGES_INDEX).await? {
            return Ok(());
        }
        let messages = format!("CREATE INDEX {MESSAGES_INDEX} {MESSAGES_INDEX_ON}");
        manager.get_connection().execute_unprepared(&messages).await.map(|_| ())
    }
}

/// The name of the index of messages.
pub const MESSAGES_INDEX: &str = "events_messages";

/// What it is an index of: the numbers of a room's messages, removed ones included.
pub const MESSAGES_INDEX_ON: &str = "ON events (room_id, seq) WHERE kind = 0";
