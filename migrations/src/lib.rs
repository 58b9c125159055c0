//! Migrations of Parlour's database schema. They run when the server starts, and are independent of the rest of the
//! code.
//!
//! Each step is one transaction, on SQLite too: if the process ends, a step is either complete and recorded, or has no
//! effect.

pub use sea_orm_migration::prelude::MigratorTrait;
use sea_orm_migration::prelude::*;

mod m0001_log;
mod m0002_names;
mod m0003_retention;
mod m0004_changes;
mod m0005_moderation;
mod m0006_invitations;
mod m0007_messages;
mod m0008_deleted_rooms;
mod m0009_names_by_author;
mod m0010_tokens;
mod m0011_hooks;
mod m0012_room_settings;
mod m0013_mentions;
mod m0014_reactions;
mod m0015_names_of_author;
mod m0016_moderations;
mod m0017_erasures;

pub use m0007_messages::{MESSAGES_INDEX, MESSAGES_INDEX_ON};
pub use m0013_mentions::{EDITS_INDEX, EDITS_INDEX_ON};
pub use m0016_moderations::{MODERATIONS_INDEX, MODERATIONS_INDEX_ON};

/// All steps, in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_log::Migration),
            Box::new(m0002_names::Migration),
            Box::new(m0003_retention::Migration),
            Box::new(m0004_changes::Migration),
            Box::new(m0005_moderation::Migration),
            Box::new(m0006_invitations::Migration),
            Box::new(m0007_messages::Migration),
            Box::new(m0008_deleted_rooms::Migration),
            Box::new(m0009_names_by_author::Migration),
            Box::new(m0010_tokens::Migration),
            Box::new(m0011_hooks::Migration),
            Box::new(m0012_room_settings::Migration),
            Box::new(m0013_mentions::Migration),
            Box::new(m0014_reactions::Migration),
            Box::new(m0015_names_of_author::Migration),
            Box::new(m0016_moderations::Migration),
            Box::new(m0017_erasures::Migration),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_is_one_transaction() {
        for step in Migrator::migrations() {
            assert_eq!(step.use_transaction(), Some(true), "{}", step.name());
        }
    }
}
