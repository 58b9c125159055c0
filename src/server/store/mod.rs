//! The database: opening it, and the queries on it. Only the journal writes events.

pub(crate) mod admin;
pub(crate) mod annotations;
pub(crate) mod database;
mod entity;
mod error;
pub(crate) mod hooks;
pub(crate) mod log;
pub(crate) mod rooms;
mod secrets;
mod sqlite_failure;
pub(crate) mod tokens;

pub(crate) use admin::list_rooms::RoomSummary;
pub(crate) use database::timeout::with_timeout;
pub use error::{OpenError, StoreError};
pub(crate) use hooks::incoming::IncomingHook;
pub(crate) use hooks::listing::{HookDirection, HookSummary};
pub(crate) use hooks::outgoing::LeasedHook;
pub(crate) use log::append_batch::Locking;
pub(crate) use log::entry::{AppendRequest, AppendResult, NewEvent, NewReaction, Subject};
pub(crate) use log::mention_candidates::MentionCandidates;
pub(crate) use log::retention::{ExpiringRoom, RetentionPolicy};
pub(crate) use rooms::epochs::RoomHead;
pub(crate) use rooms::membership::Membership;
pub(crate) use rooms::room::{RoomRecord, RoomRef};
pub(crate) use rooms::username_claims::TakenName;
pub(crate) use tokens::{MAX_ROOM_TOKENS, NewToken, TokenRecord};

use crate::domain::RoomName;
use database::single_flight::SingleFlight;
use database::sqlite_thread::WriteJob;
use database::timeout::TimeoutConnection;
use database::write_connection::{WriteConnection, WriteTransaction};
use entity::room;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QuerySelect};
use std::sync::Arc;

/// A cheap-to-clone handle on the database.
#[derive(Clone)]
pub struct Store {
    /// SQLite: exactly one connection, so that there is one writer. PostgreSQL: the pool.
    writer: WriteConnection,
    /// SQLite: read-only connections. PostgreSQL: the same pool.
    reader: TimeoutConnection,
    /// Room lookups that are still valid.
    lookups: rooms::room_lookups::RoomLookups,
    /// Room lookups in flight.
    found: SingleFlight<RoomName, Result<Option<RoomRecord>, StoreError>>,
    /// Look-ups of the rooms that were deleted at an address.
    vacated: SingleFlight<RoomName, Result<Option<i64>, StoreError>>,
    derivation: rooms::derived_room::RoomDerivation,
    growth: database::statistics::AppendCounter,
    failing: database::readiness::WriteHealth,
    wal: database::checkpoint::Checkpointer,
    redacting: log::redaction::RedactionLock,
    suggesting: rooms::username_suggestions::SuggestionLimit,
    /// Look-ups of tokens that are still valid.
    tokens: tokens::TokenLookups,
    /// SQLite: the file and its lock, held as long as the process lives, so that no second process writes the file.
    held: Option<Arc<database::files::HeldFile>>,
}

/// Statement that limits the wait for a room's row lock to 3 s. After that, the write fails.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '3s'";

impl Store {
    /// Returns a handle on opened connections. `held` keeps other processes from writing to an SQLite file.
    pub(crate) fn new(
        writer: WriteConnection,
        reader: TimeoutConnection,
        held: Option<database::files::HeldFile>,
    ) -> Self {
        let index = held.as_ref().map(|held| database::wal_index::WalIndex::new(held.path()));
        Self {
            writer,
            reader,
            lookups: rooms::room_lookups::RoomLookups::new(index),
            found: SingleFlight::default(),
            vacated: SingleFlight::default(),
            derivation: rooms::derived_room::RoomDerivation::default(),
            growth: database::statistics::AppendCounter::default(),
            failing: database::readiness::WriteHealth::default(),
            wal: database::checkpoint::Checkpointer::default(),
            redacting: log::redaction::RedactionLock::default(),
            suggesting: rooms::username_suggestions::SuggestionLimit::default(),
            tokens: tokens::TokenLookups::default(),
            held: held.map(Arc::new),
        }
    }

    /// Returns the number of write transactions that can run in parallel.
    pub(crate) fn writers(&self) -> usize {
        if self.is_sqlite() { 1 } else { database::postgres::POSTGRES_WRITERS }
    }

    /// Begins a write transaction. On SQLite it waits for other writers at the start, not in the middle, and nobody else
    /// writes until it ends. If the caller is cancelled, the transaction is rolled back.
    ///
    /// # Errors
    ///
    /// Returns an error if the database does not answer, or cannot be written.
    async fn begin(&self) -> Result<WriteTransaction, DbErr> {
        self.assert_in_place()?;
        self.writer.begin().await
    }

    /// Runs `job` in a write transaction, and commits it: on SQLite without waiting between its statements. When this
    /// returns `Ok`, the commit is on stable storage. If the caller is cancelled, the transaction is committed or rolled
    /// back.
    ///
    /// # Errors
    ///
    /// Returns an error if the database does not answer, or cannot be written. The outcome may be unknown.
    async fn write<J: WriteJob>(&self, job: J) -> Result<J::Output, StoreError> {
        self.assert_in_place()?;
        self.writer.write(job).await
    }

    /// Begins a write transaction in one room, and locks the room's row before anything else of the room. All writers
    /// do so, which prevents deadlocks. Returns `None` if there is no such room.
    async fn begin_in(&self, room_id: i64) -> Result<Option<WriteTransaction>, DbErr> {
        let transaction = self.begin().await?;
        if !self.is_sqlite() {
            transaction.execute_unprepared(LOCK_TIMEOUT).await?;
        }
        let room = room::Entity::find_by_id(room_id).select_only().column(room::Column::Id).lock_exclusive();
        let found = room.into_tuple::<i64>().one(&transaction).await?;
        Ok(found.map(|_| transaction))
    }

    /// Closes every connection; SQLite then merges its write-ahead log into the file.
    ///
    /// # Errors
    ///
    /// Returns an error if a connection cannot be closed.
    pub(crate) async fn close(self) -> Result<(), StoreError> {
        if let Some(held) = self.held.as_deref().filter(|_| self.assert_in_place().is_ok()) {
            database::provenance::leave_file(&self.writer, held).await;
        }
        self.reader.connection().close_by_ref().await?;
        Ok(self.writer.close().await?)
    }

    /// Returns whether this is the embedded database: one process, one writer, no other node.
    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.writer, WriteConnection::Sqlite { .. })
    }
}
