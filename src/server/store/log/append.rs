//! Appends to the log: a batch of entries becomes events in one transaction. Only the journal calls this.

use super::redaction::redact_edits;
use crate::domain::{Rejection, RejectionCode, Seq};
use crate::server::store::database::chunks::{chunked, insert, select_pairs};
use crate::server::store::database::clock;
use crate::server::store::database::sqlite_thread::WriteJob;
use crate::server::store::entity::{event, room};
use crate::server::store::rooms::derived_room::DerivationKey;
use crate::server::store::rooms::members::Memberships;
use crate::server::store::rooms::username_claims::UsernameClaims;
use crate::server::store::{AppendRequest, AppendResult, NewEvent, Store, StoreError};
use crate::server::time::now_ms;
use event::{Column, Kind, Model};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseBackend, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType, OnConflict},
};
use std::collections::HashMap;
use std::time::Instant;

/// Behavior of an append when another node holds the lock of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locking {
    /// Wait for the lock, up to the lock timeout of 3 s.
    Wait,
    /// Skip the room: its entries return [`AppendResult::RoomLocked`].
    Skip,
}

/// Sets the time to wait for a room's row lock to 3 s, and reads the database's time in UTC milliseconds. All nodes use
/// that time instead of their own clocks.
const LOCK_TIMEOUT_AND_NOW: &str =
    "SELECT set_config('lock_timeout', '3s', true), (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

type IdempotencyKey = (i64, Vec<u8>, String);

impl Store {
    /// Appends `entries` in order, and returns the result of each. When this returns `Ok`, the commit is on stable
    /// storage.
    ///
    /// The entries share one transaction, unless the database can never store one of them. That entry is rejected, and
    /// bisection finds it: the other entries are committed in as many transactions as that takes.
    ///
    /// # Errors
    ///
    /// Returns an error if the database does not answer, or cannot be written. The outcome is then unknown; retrying is
    /// safe because every entry has an id.
    pub(crate) async fn append(
        &self,
        entries: &[AppendRequest],
        locking: Locking,
    ) -> Result<Vec<AppendResult>, StoreError> {
        let writing = self.failing.begin(entries.iter().map(AppendRequest::bytes).sum());
        let mut appended = Vec::with_capacity(entries.len());
        let mut rest: Vec<&[AppendRequest]> = vec![entries];
        while let Some(batch) = rest.pop() {
            match self.append_at_once(batch, locking).await {
                Ok(done) => appended.extend(done),
                Err(StoreError::Unstorable(error)) => match batch {
                    [] => {}
                    [_] => {
                        tracing::warn!(%error, "The database cannot store a message; rejected it");
                        let detail = "This cannot be stored.";
                        appended.push(AppendResult::Rejected(Rejection::new(RejectionCode::Invalid, detail)));
                    }
                    _ => {
                        let (first, second) = batch.split_at(batch.len() / 2);
                        rest.extend([second, first]);
                    }
                },
                Err(error) => return Err(error),
            }
        }
        writing.stored();
        self.record_appends(appended.iter().filter(|appended| matches!(appended, AppendResult::Appended(_))).count());
        if entries.iter().any(|entry| matches!(entry.new_event, NewEvent::Delete { .. })) {
            self.schedule_checkpoint();
        }
        Ok(appended)
    }

    /// Appends all entries in one transaction, or none.
    async fn append_at_once(
        &self,
        entries: &[AppendRequest],
        locking: Locking,
    ) -> Result<Vec<AppendResult>, StoreError> {
        let begins = entries.iter().any(|entry| entry.begins.is_some());
        // Read before the transaction begins, which waits for nothing but its own statements.
        let site = if begins { Some(self.derivation().await?.clone()) } else { None };
        let (appended, has_rest) = self.write(AppendJob { entries: entries.to_vec(), locking, site }).await?;
        if has_rest {
            self.schedule_redaction();
        }
        Ok(appended)
    }
}

/// The transaction of a batch. Returns the result of each entry, and whether edits of deleted messages remain to be
/// blanked.
struct AppendJob {
    entries: Vec<AppendRequest>,
    locking: Locking,
    /// The site's key, if an entry begins a room.
    site: Option<DerivationKey>,
}

impl WriteJob for AppendJob {
    type Output = (Vec<AppendResult>, bool);

    async fn run(self, transaction: &impl ConnectionTrait) -> Result<Self::Output, StoreError> {
        let begun = begun_at(transaction).await?;
        if let Some(site) = &self.site {
            site.begin_rooms(transaction, &self.entries).await?;
        }
        let mut batch = AppendBatch::lock(transaction, &self.entries, self.locking, begun).await?;
        let appended = self.entries.iter().map(|entry| batch.append(entry)).collect();
        let has_rest = batch.write(transaction).await?;
        Ok((appended, has_rest))
    }
}

/// Returns the time in UTC milliseconds, and the instant at which this process asked for it. Also sets PostgreSQL's
/// lock timeout.
async fn begun_at(transaction: &impl ConnectionTrait) -> Result<(i64, Instant), DbErr> {
    if transaction.get_database_backend() != DatabaseBackend::Postgres {
        return Ok((now_ms(), Instant::now()));
    }
    let query = Statement::from_string(DatabaseBackend::Postgres, LOCK_TIMEOUT_AND_NOW);
    let row = transaction.query_one_raw(query).await?;
    let missing = || DbErr::RecordNotFound("the time".to_owned());
    Ok((row.ok_or_else(missing)?.try_get_by_index(1)?, Instant::now()))
}

/// Rooms, events and claims that one append transaction has read, and the changes it will write.
struct AppendBatch {
    now: i64,
    locking: Locking,
    rooms: HashMap<i64, room::Model>,
    /// Stored events whose ids occur in this batch, and the events that this batch adds.
    by_id: HashMap<IdempotencyKey, Model>,
    /// Messages that this batch edits or deletes.
    targets: HashMap<(i64, Seq), Model>,
    names: UsernameClaims,
    memberships: Memberships,
    new: Vec<IdempotencyKey>,
}

impl AppendBatch {
    /// Locks the rooms first and reads the rest after that: numbers are assigned in commit order, and a repeated id is
    /// found before it takes a number.
    async fn lock(
        transaction: &impl ConnectionTrait,
        entries: &[AppendRequest],
        locking: Locking,
        (begun, since): (i64, Instant),
    ) -> Result<Self, DbErr> {
        let mut ids: Vec<i64> = entries.iter().map(|entry| entry.room_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut rooms = HashMap::new();
        for ids in chunked(transaction.get_database_backend(), &ids) {
            let query =
                room::Entity::find().filter(room::Column::Id.is_in(ids.iter().copied())).order_by_asc(room::Column::Id);
            let query = match locking {
                Locking::Wait => query.lock(LockType::Update),
                Locking::Skip => query.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked),
            };
            rooms.extend(query.all(transaction).await?.into_iter().map(|room| (room.id, room)));
        }

        let locked = || entries.iter().filter(|entry| rooms.contains_key(&entry.room_id));
        // Other nodes may have written while this one waited for the locks.
        let now = begun + i64::try_from(since.elapsed().as_millis()).unwrap_or_default();
        let names = UsernameClaims::look_up(transaction, locked(), now).await?;
        let ids: Vec<(i64, String)> = locked().map(|entry| (entry.room_id, entry.id.as_str().to_owned())).collect();
        let target = |entry: &AppendRequest| entry.new_event.target().map(|target| (entry.room_id, target));
        let targets: Vec<(i64, Seq)> = locked().filter_map(target).collect();
        let known = select_pairs(transaction, event::Entity::find, [Column::RoomId, Column::Id], &ids).await?;
        let by_id = known.into_iter().map(|row| (idempotency_key(&row), row)).collect();
        let targets = select_pairs(transaction, event::Entity::find, [Column::RoomId, Column::Seq], &targets).await?;
        let targets = targets.into_iter().map(|row| ((row.room_id, row.seq), row)).collect();
        let memberships = Memberships::look_up(transaction, entries, &rooms, &targets, now).await?;
        Ok(Self { now, locking, rooms, by_id, targets, names, memberships, new: Vec::new() })
    }

    fn append(&mut self, entry: &AppendRequest) -> AppendResult {
        let Some(room) = self.rooms.get_mut(&entry.room_id) else {
            return match self.locking {
                Locking::Skip => AppendResult::RoomLocked,
                // The address now leads to another room, which the client finds when it reconnects.
                Locking::Wait if entry.begins.is_some() => AppendResult::Rejected(Rejection::unavailable()),
                Locking::Wait => {
                    AppendResult::Rejected(Rejection::new(RejectionCode::NotFound, "This room was deleted."))
                }
            };
        };
        let key = (entry.room_id, entry.author.as_bytes().to_vec(), entry.id.as_str().to_owned());
        if let Some(stored) = self.by_id.get(&key) {
            return if entry.new_event.matches(stored) {
                AppendResult::Duplicate(stored.clone().into())
            } else {
                let detail = "This id already stands for something else.";
                AppendResult::Rejected(Rejection::new(RejectionCode::IdConflict, detail))
            };
        }
        if let Err(rejection) = self.memberships.authorize(room, entry, self.now) {
            return AppendResult::Rejected(rejection);
        }
        let seq = room.head + 1;
        let mut moderation = None;
        let target = entry.new_event.target().map(|target| (entry.room_id, target));
        if let NewEvent::Moderate { action, subject, seconds } = &entry.new_event {
            let target = target.and_then(|target| self.targets.get(&target));
            let subject = subject.as_ref().and_then(|subject| subject.resolve(target));
            match self.memberships.moderate(room, entry, (*action, *seconds), subject, self.now) {
                Ok(done) => moderation = Some(done),
                Err(rejection) => return AppendResult::Rejected(rejection),
            }
        } else if let Some(target) = target {
            let above = room.owner.as_deref() == Some(entry.author.as_bytes()) || entry.author.is_host();
            if let Err(rejection) =
                entry.new_event.apply_to_target(self.targets.get_mut(&target), &entry.author, above, seq)
            {
                return AppendResult::Rejected(rejection);
            }
        }
        if let NewEvent::Message { username, .. } = &entry.new_event
            && !self.names.claim(entry.room_id, username, &entry.author)
        {
            return AppendResult::Rejected(Rejection::new(RejectionCode::UsernameTaken, "This name is in use."));
        }
        self.memberships.record_activity(room, entry, self.now);
        if room.owner.is_none() && matches!(entry.new_event, NewEvent::Message { .. }) && !entry.author.is_guest() {
            room.owner = Some(entry.author.as_bytes().to_vec());
        }
        room.head = seq;
        room.last_at = clock::next_at(room.last_at, self.now);
        let mut row = entry.new_event.to_model(entry, seq, room.last_at);
        if let Some(moderation) = moderation {
            row.text = serde_json::to_string(&moderation).expect("an act is plain data");
        }
        self.new.push(key.clone());
        self.by_id.insert(key, row.clone());
        AppendResult::Appended(row.into())
    }

    /// Writes the batch. Returns whether edits of deleted messages remain to be blanked.
    async fn write(self, transaction: &impl ConnectionTrait) -> Result<bool, DbErr> {
        if self.new.is_empty() {
            return Ok(false);
        }
        let mut changed: Vec<room::Model> = Vec::new();
        let mut rows: Vec<Model> = Vec::new();
        let Self { rooms, mut by_id, names, memberships, .. } = self;
        for key in &self.new {
            rows.extend(by_id.remove(key));
        }
        for room in rooms.into_values() {
            if rows.iter().any(|row| row.room_id == room.id) {
                changed.push(room);
            }
        }
        insert(transaction, &rows, None).await?;
        // One statement updates many heads: the rows exist, so each insert becomes an update.
        let heads = OnConflict::column(room::Column::Id)
            .update_columns([
                room::Column::Head,
                room::Column::LastAt,
                room::Column::Owner,
                room::Column::SlowMode,
                room::Column::Locked,
                room::Column::Moderated,
                room::Column::Invitation,
            ])
            .to_owned();
        insert(transaction, &changed, Some(&heads)).await?;
        let mut has_rest = false;
        for row in rows.iter().filter(|row| row.target.is_some()) {
            has_rest |= update_target(transaction, row).await?;
        }
        memberships.write(transaction).await?;
        names.write(transaction).await?;
        Ok(has_rest)
    }
}

/// Points an edited message at its newest text, or blanks all texts of a deleted one. Returns whether there are too
/// many edits to blank in this transaction.
async fn update_target(transaction: &impl ConnectionTrait, row: &Model) -> Result<bool, DbErr> {
    let message = Column::RoomId.eq(row.room_id).and(Column::Seq.eq(row.target));
    let update = event::Entity::update_many();
    match row.kind {
        Kind::Message | Kind::Moderated => return Ok(false),
        Kind::Edited => {
            update.col_expr(Column::EditedBy, Expr::value(row.seq)).filter(message).exec(transaction).await?;
        }
        Kind::Deleted => {
            update
                .col_expr(Column::Text, Expr::value(""))
                .col_expr(Column::DeletedBy, Expr::value(row.seq))
                .filter(message)
                .exec(transaction)
                .await?;
            return redact_edits(transaction, row.room_id, row.target.as_slice()).await;
        }
    }
    Ok(false)
}

fn idempotency_key(row: &Model) -> IdempotencyKey {
    (row.room_id, row.author.clone(), row.id.clone())
}
