//! A batch of entries in one transaction: numbers are assigned under the locks of the rooms, then everything is written.

use super::idempotency::{IdempotencyKey, idempotency_key, network_key};
use super::mentions::{by_event, may_mention, with_mentions};
use super::redaction::update_target;
use crate::domain::{Event, Rejection, RejectionCode, Seq, Username};
use crate::server::store::annotations::AnnotationOutcome;
use crate::server::store::annotations::pin_batch::PinBatch;
use crate::server::store::annotations::reaction_batch::ReactionBatch;
use crate::server::store::annotations::removal::forget_annotations;
use crate::server::store::database::chunks::{chunked, insert, select_pairs};
use crate::server::store::database::clock;
use crate::server::store::entity::{event, mention, room};
use crate::server::store::rooms::members::Memberships;
use crate::server::store::rooms::room_texts::{self, ReplacedText};
use crate::server::store::rooms::username_claims::UsernameClaims;
use crate::server::store::{AppendRequest, AppendResult, NewEvent};
use event::{Column, Kind, Model};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{LockBehavior, LockType, OnConflict},
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

/// Rooms, events and claims that one append transaction has read, and the changes it will write.
pub(super) struct AppendBatch {
    now: i64,
    locking: Locking,
    rooms: HashMap<i64, room::Model>,
    /// Stored events whose ids occur in this batch, and the events that this batch adds.
    by_id: HashMap<IdempotencyKey, Model>,
    /// Recent events of guests, by the author that represents the guests of their network.
    by_network: HashMap<IdempotencyKey, IdempotencyKey>,
    /// Messages that this batch edits or deletes.
    targets: HashMap<(i64, Seq), Model>,
    names: UsernameClaims,
    memberships: Memberships,
    reactions: ReactionBatch,
    pins: PinBatch,
    /// Names that the stored and the new events mention.
    mentioned: HashMap<(i64, Seq), Vec<Username>>,
    /// Mentions that this batch adds.
    mentions: Vec<mention::Model>,
    /// Titles and topics that this batch replaces.
    replaced: Vec<ReplacedText>,
    new: Vec<IdempotencyKey>,
}

impl AppendBatch {
    /// Locks the rooms first and reads the rest after that: numbers are assigned in commit order, and a repeated id is
    /// found before it takes a number.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(super) async fn lock(
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
        let by_network = known.iter().filter_map(|row| Some((network_key(row, now)?, idempotency_key(row)))).collect();
        let texts: Vec<(i64, Seq)> =
            known.iter().filter(|row| may_mention(row)).map(|row| (row.room_id, row.seq)).collect();
        use mention::Column as Mentioned;
        let mut mentioned =
            select_pairs(transaction, mention::Entity::find, [Mentioned::RoomId, Mentioned::Seq], &texts).await?;
        mentioned.sort_unstable_by_key(|row| row.position);
        let mentioned = by_event(mentioned);
        let by_id = known.into_iter().map(|row| (idempotency_key(&row), row)).collect();
        let targets = select_pairs(transaction, event::Entity::find, [Column::RoomId, Column::Seq], &targets).await?;
        let targets = targets.into_iter().map(|row| ((row.room_id, row.seq), row)).collect();
        let memberships = Memberships::look_up(transaction, entries, &rooms, &targets, now).await?;
        let reactions = ReactionBatch::look_up(transaction, locked()).await?;
        let pins = PinBatch::look_up(transaction, locked()).await?;
        let (mentions, replaced, new) = (Vec::new(), Vec::new(), Vec::new());
        #[rustfmt::skip]
        let batch = Self { now, locking, rooms, by_id, by_network, targets, names, memberships, reactions, pins, mentioned, mentions, replaced, new };
        Ok(batch)
    }

    /// Returns the event of a row that this batch has read or adds.
    fn event(&self, row: Model) -> Event {
        let mentions = self.mentioned.get(&(row.room_id, row.seq)).filter(|_| !row.text.is_empty());
        with_mentions(row.into(), mentions.cloned().unwrap_or_default())
    }

    /// Appends one entry to the batch, and returns its result if the batch is stored.
    pub(super) fn append(&mut self, entry: &AppendRequest) -> AppendResult {
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
        let of_network = entry
            .author
            .id_sharing_guests()
            .and_then(|guests| self.by_network.get(&(entry.room_id, guests.to_vec(), entry.id.as_str().to_owned())));
        if let Some(stored) = self.by_id.get(of_network.unwrap_or(&key)) {
            return if entry.new_event.matches(stored) {
                AppendResult::Duplicate(self.event(stored.clone()))
            } else {
                let detail = "This id already stands for something else.";
                AppendResult::Rejected(Rejection::new(RejectionCode::IdConflict, detail))
            };
        }
        if let Err(rejection) = self.memberships.authorize(room, entry, self.now) {
            return AppendResult::Rejected(rejection);
        }
        let (seq, at) = (room.head + 1, clock::next_at(room.last_at, self.now));
        let mut moderation = None;
        let target = entry.new_event.target().map(|target| (entry.room_id, target));
        if let NewEvent::Moderate { action, subject, seconds, text, .. } = &entry.new_event {
            let target = target.and_then(|target| self.targets.get(&target));
            let subject = subject.as_ref().and_then(|subject| subject.resolve(target));
            match self.memberships.moderate(room, entry, (*action, *seconds), subject, self.now) {
                Ok(mut done) => {
                    if action.has_message() {
                        match self.pins.apply(entry, &mut done, target, (seq, at)) {
                            Ok(AnnotationOutcome::Changed) => room.annotated = true,
                            Ok(AnnotationOutcome::Needless(event)) => return AppendResult::Needless(*event),
                            Err(rejection) => return AppendResult::Rejected(rejection),
                        }
                    }
                    let values = (*seconds, text.as_ref());
                    self.replaced.extend(room_texts::apply(room, &entry.author, values, seq, &mut done));
                    moderation = Some(done);
                }
                Err(rejection) => return AppendResult::Rejected(rejection),
            }
        } else if let NewEvent::React(reaction) = &entry.new_event {
            let target = target.and_then(|target| self.targets.get(&target));
            match self.reactions.react(entry, reaction, target, (seq, at)) {
                Ok(AnnotationOutcome::Changed) => room.annotated = true,
                Ok(AnnotationOutcome::Needless(event)) => return AppendResult::Needless(*event),
                Err(rejection) => return AppendResult::Rejected(rejection),
            }
        } else if let Some(target) = target {
            let above = room.owner.as_deref() == Some(entry.author.as_bytes()) || entry.author.is_host();
            if let Err(rejection) =
                entry.new_event.apply_to_target(self.targets.get_mut(&target), &entry.author, above, seq)
            {
                return AppendResult::Rejected(rejection);
            }
            self.pins.forget_deleted(&entry.new_event, target);
        }
        if let NewEvent::Message { username, .. } = &entry.new_event
            && !self.names.claim(entry.room_id, username, &entry.author)
        {
            return AppendResult::Rejected(Rejection::new(RejectionCode::UsernameTaken, "This name is in use."));
        }
        let mentions = entry.new_event.mentions().map(|candidates| {
            let message =
                if matches!(entry.new_event, NewEvent::Message { .. }) { None } else { entry.new_event.target() };
            let event = (entry.room_id, seq, message.unwrap_or(seq));
            candidates.resolve(event, |skeleton| self.names.holder(entry.room_id, skeleton))
        });
        self.memberships.record_activity(room, entry, self.now);
        let may_own = !entry.author.is_guest() && !entry.author.is_hook();
        if room.owner.is_none() && matches!(entry.new_event, NewEvent::Message { .. }) && may_own {
            room.owner = Some(entry.author.as_bytes().to_vec());
        }
        room.head = seq;
        room.last_at = at;
        let mut row = entry.new_event.to_model(entry, seq, at);
        if let Some(moderation) = moderation {
            row.text = serde_json::to_string(&moderation).expect("an act is plain data");
        }
        self.by_network.extend(network_key(&row, self.now).map(|of_network| (of_network, key.clone())));
        self.new.push(key.clone());
        self.by_id.insert(key, row.clone());
        if let Some(mentions) = mentions.filter(|mentions| !mentions.is_empty()) {
            self.mentioned.extend(by_event(mentions.clone()));
            self.mentions.extend(mentions);
        }
        AppendResult::Appended(self.event(row))
    }

    /// Writes the batch. Returns whether edits of deleted messages remain to be blanked.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(super) async fn write(self, transaction: &impl ConnectionTrait) -> Result<bool, DbErr> {
        if self.new.is_empty() {
            return Ok(false);
        }
        let mut changed: Vec<room::Model> = Vec::new();
        let mut rows: Vec<Model> = Vec::new();
        let Self { rooms, mut by_id, names, memberships, reactions, pins, mentions, replaced, .. } = self;
        for key in &self.new {
            rows.extend(by_id.remove(key));
        }
        for room in rooms.into_values() {
            if rows.iter().any(|row| row.room_id == room.id) {
                changed.push(room);
            }
        }
        insert(transaction, &rows, None).await?;
        // Before the changes: a batch may delete its own messages.
        insert(transaction, &mentions, None).await?;
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
                room::Column::Title,
                room::Column::TitleSeq,
                room::Column::TitleBy,
                room::Column::Topic,
                room::Column::TopicSeq,
                room::Column::TopicBy,
                room::Column::Retention,
                room::Column::Annotated,
            ])
            .to_owned();
        insert(transaction, &changed, Some(&heads)).await?;
        let mut has_rest = false;
        for row in rows.iter().filter(|row| row.target.is_some()) {
            has_rest |= update_target(transaction, row).await?;
        }
        // After the insert: a batch may replace its own texts.
        for text in replaced {
            text.blank(transaction).await?;
        }
        reactions.write(transaction).await?;
        pins.write(transaction).await?;
        let annotated = |row: &&Model| changed.iter().any(|room| room.id == row.room_id && room.annotated);
        let deleted = rows.iter().filter(|row| row.kind == Kind::Deleted).filter(annotated);
        let deleted: Vec<(i64, Seq)> = deleted.filter_map(|row| Some((row.room_id, row.target?))).collect();
        forget_annotations(transaction, &deleted).await?;
        memberships.write(transaction).await?;
        names.write(transaction).await?;
        Ok(has_rest)
    }
}
