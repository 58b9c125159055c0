//! The log: appending, reading, retention.

pub(crate) mod append;
pub(crate) mod append_batch;
pub(crate) mod entry;
pub(crate) mod history;
pub(crate) mod idempotency;
pub(crate) mod mention_candidates;
pub(crate) mod mentions;
pub(crate) mod moderation_notes;
mod newest_message;
pub(crate) mod quotes;
pub(crate) mod recent_authors;
pub(crate) mod redaction;
pub(crate) mod retention;
