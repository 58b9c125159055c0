//! An index of edits and deletions by the message that they change. A deletion blanks all previous texts of a message,
//! and must not scan the whole room for them.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let changes = "CREATE INDEX events_changes ON events (room_id, target) WHERE target IS NOT NULL";
        manager.get_connection().execute_unprepared(changes).await.map(|_| ())
    }
}
