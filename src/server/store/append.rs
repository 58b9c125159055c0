//! Writing the log: a batch of entries becomes events in one transaction. Only the journal calls this.

use super::names::{self, Names};
use super::runs::{among, insert, runs};
use super::standings::Standings;
use super::{Appended, Draft, Entry, Store, entity::event, entity::room, now};
use crate::domain::{Rejection, RejectionCode, Seq};
use event::{Column, Kind, Model};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType, OnConflict},
};
use std::collections::HashMap;

/// What to do when another node is writing the same room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locking {
    /// Wait for it, up to the lock time-out.
    Wait,
    /// Leave that room's entries out: they come back as [`Appended::Locked`].
    Skip,
}

/// How long a room's row may be locked by somebody else before senders are told.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '3s'";

type Key = (i64, Vec<u8>, String);

impl Store {
    /// Appends `entries` in their order, in one transaction, and says of each what became of it. When this returns
    /// `Ok`, the commit is on stable storage; when it returns an error, the outcome is unknown, and trying again
    /// is safe, because every entry has an id.
    pub(crate) async fn append(&self, entries: &[Entry], locking: Locking) -> Result<Vec<Appended>, DbErr> {
        let writing = self.failing.begin();
        let transaction = self.begin().await?;
        if !self.is_sqlite() {
            transaction.execute_unprepared(LOCK_TIMEOUT).await?;
        }
        self.begin_rooms(&transaction, entries).await?;
        let mut batch = Batch::lock(&transaction, entries, locking).await?;
        let mut appended: Vec<Appended> = entries.iter().map(|entry| batch.append(entry)).collect();
        batch.write(&transaction).await?;
        for (entry, appended) in entries.iter().zip(&mut appended) {
            // Which name is free instead can be told now that all the others are written.
            if let (Draft::Message { username, .. }, Appended::Rejected(rejection)) = (&entry.draft, appended)
                && rejection.code == RejectionCode::UsernameTaken
            {
                *rejection = names::taken(&transaction, entry.room_id, username, &entry.author).await?;
            }
        }
        transaction.commit().await?;
        writing.stored();
        self.has_grown(appended.iter().filter(|appended| matches!(appended, Appended::New(_))).count());
        if entries.iter().any(|entry| matches!(entry.draft, Draft::Delete { .. })) {
            self.forget_deleted();
        }
        Ok(appended)
    }
}

/// A transaction's view of the rooms it writes, and what it will write.
struct Batch {
    now: i64,
    locking: Locking,
    rooms: HashMap<i64, room::Model>,
    /// Events that have an id of this batch already, and those that this batch adds.
    by_id: HashMap<Key, Model>,
    /// Messages that this batch edits or deletes.
    targets: HashMap<(i64, Seq), Model>,
    names: Names,
    standings: Standings,
    new: Vec<Key>,
}

impl Batch {
    /// Locks the rooms first, then looks up: numbers are given in the order of commits, and a repeated id is
    /// found before it takes a number.
    async fn lock(transaction: &DatabaseTransaction, entries: &[Entry], locking: Locking) -> Result<Self, DbErr> {
        let mut ids: Vec<i64> = entries.iter().map(|entry| entry.room_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut rooms = HashMap::new();
        for ids in runs(transaction.get_database_backend(), &ids) {
            let some =
                room::Entity::find().filter(room::Column::Id.is_in(ids.iter().copied())).order_by_asc(room::Column::Id);
            let some = match locking {
                Locking::Wait => some.lock(LockType::Update),
                Locking::Skip => some.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked),
            };
            rooms.extend(some.all(transaction).await?.into_iter().map(|room| (room.id, room)));
        }

        let locked = || entries.iter().filter(|entry| rooms.contains_key(&entry.room_id));
        let now = now();
        let names = Names::look_up(transaction, locked(), now).await?;
        let ids: Vec<(i64, String)> = locked().map(|entry| (entry.room_id, entry.id.as_str().to_owned())).collect();
        let target = |entry: &Entry| entry.draft.target().map(|target| (entry.room_id, target));
        let targets: Vec<(i64, Seq)> = locked().filter_map(target).collect();
        let known = among(transaction, event::Entity::find, [Column::RoomId, Column::Id], &ids).await?;
        let by_id = known.into_iter().map(|row| (key(&row), row)).collect();
        let targets = among(transaction, event::Entity::find, [Column::RoomId, Column::Seq], &targets).await?;
        let targets = targets.into_iter().map(|row| ((row.room_id, row.seq), row)).collect();
        let standings = Standings::look_up(transaction, entries, &rooms, &targets).await?;
        Ok(Self { now, locking, rooms, by_id, targets, names, standings, new: Vec::new() })
    }

    fn append(&mut self, entry: &Entry) -> Appended {
        let Some(room) = self.rooms.get_mut(&entry.room_id) else {
            return match self.locking {
                Locking::Skip => Appended::Locked,
                Locking::Wait => Appended::Rejected(Rejection::new(RejectionCode::NotFound, "This room was deleted.")),
            };
        };
        let key = (entry.room_id, entry.author.as_bytes().to_vec(), entry.id.as_str().to_owned());
        if let Some(stored) = self.by_id.get(&key) {
            return if entry.draft.is(stored) {
                Appended::Repeated(stored.clone().into())
            } else {
                let detail = "This id already stands for something else.";
                Appended::Rejected(Rejection::new(RejectionCode::IdConflict, detail))
            };
        }
        if let Err(rejection) = self.standings.may(room, entry, self.now) {
            return Appended::Rejected(rejection);
        }
        let seq = room.head + 1;
        let mut moderation = None;
        let target = entry.draft.target().map(|target| (entry.room_id, target));
        if let Draft::Moderate { action, subject, seconds } = &entry.draft {
            let target = target.and_then(|target| self.targets.get(&target));
            let subject = subject.as_ref().and_then(|subject| subject.resolve(target));
            match self.standings.moderate(room, entry, (*action, *seconds), subject, self.now) {
                Ok(done) => moderation = Some(done),
                Err(rejection) => return Appended::Rejected(rejection),
            }
        } else if let Some(target) = target {
            let above = room.owner.as_deref() == Some(entry.author.as_bytes()) || entry.author.is_host();
            if let Err(rejection) = entry.draft.change(self.targets.get_mut(&target), &entry.author, above, seq) {
                return Appended::Rejected(rejection);
            }
        }
        if let Draft::Message { username, .. } = &entry.draft
            && !self.names.claim(entry.room_id, username, &entry.author)
        {
            return Appended::Rejected(Rejection::new(RejectionCode::UsernameTaken, "This name is in use."));
        }
        self.standings.did(room, entry, self.now);
        if room.owner.is_none() && matches!(entry.draft, Draft::Message { .. }) && !entry.author.is_guest() {
            room.owner = Some(entry.author.as_bytes().to_vec());
        }
        room.head = seq;
        room.last_at = Ord::max(room.last_at, self.now);
        let mut row = entry.draft.row(entry, seq, room.last_at);
        if let Some(moderation) = moderation {
            row.text = serde_json::to_string(&moderation).expect("an act is plain data");
        }
        self.new.push(key.clone());
        self.by_id.insert(key, row.clone());
        Appended::New(row.into())
    }

    async fn write(self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        if self.new.is_empty() {
            return Ok(());
        }
        let mut changed: Vec<room::Model> = Vec::new();
        let mut rows: Vec<Model> = Vec::new();
        let Self { rooms, mut by_id, names, standings, .. } = self;
        for key in &self.new {
            rows.extend(by_id.remove(key));
        }
        for room in rooms.into_values() {
            if rows.iter().any(|row| row.room_id == room.id) {
                changed.push(room);
            }
        }
        insert(transaction, &rows, None).await?;
        // One statement moves many heads: the rows exist, so each insert turns into its update.
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
        for row in rows.iter().filter(|row| row.target.is_some()) {
            change_target(transaction, row).await?;
        }
        standings.write(transaction).await?;
        names.write(transaction).await
    }
}

/// Points the message at its newest text; of a deleted one, blanks every text there is.
async fn change_target(transaction: &DatabaseTransaction, row: &Model) -> Result<(), DbErr> {
    let message = Column::RoomId.eq(row.room_id).and(Column::Seq.eq(row.target));
    let update = event::Entity::update_many();
    match row.kind {
        Kind::Message | Kind::Moderated => return Ok(()),
        Kind::Edited => {
            update.col_expr(Column::EditedBy, Expr::value(row.seq)).filter(message).exec(transaction).await?;
        }
        Kind::Deleted => {
            let edits =
                Column::RoomId.eq(row.room_id).and(Column::Kind.eq(Kind::Edited)).and(Column::Target.eq(row.target));
            let blank = event::Entity::update_many().col_expr(Column::Text, Expr::value(""));
            blank.filter(edits).exec(transaction).await?;
            update
                .col_expr(Column::Text, Expr::value(""))
                .col_expr(Column::DeletedBy, Expr::value(row.seq))
                .filter(message)
                .exec(transaction)
                .await?;
        }
    }
    Ok(())
}

fn key(row: &Model) -> Key {
    (row.room_id, row.author.clone(), row.id.clone())
}
