//! Reactions in the transaction of a batch, in rooms that it has locked.

use super::{AnnotationOutcome, check_target, unknown};
use crate::domain::emoji::{MAX_EMOJI_PER_MESSAGE, MAX_REACTIONS_PER_MESSAGE};
use crate::domain::{Emoji, Event, EventBody, Rejection, RejectionCode, Seq, Timestamp, Username};
use crate::server::auth::identity::tag_of;
use crate::server::store::database::chunks::{chunked, insert, select_pairs};
use crate::server::store::entity::{event, reaction, reaction_count};
use crate::server::store::{AppendRequest, NewEvent, NewReaction};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, OnConflict, Query};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, IntoSimpleExpr, QueryFilter};
use std::collections::{HashMap, HashSet};

/// A room, a message, an emoji and an author as stored.
type ReactionKey = (i64, Seq, String, Vec<u8>);

/// A room, a message and an emoji.
type CountKey = (i64, Seq, String);

/// The reactions that a batch has read and changes.
#[derive(Default)]
pub(crate) struct ReactionBatch {
    known: HashMap<ReactionKey, reaction::Model>,
    /// The emoji of each message.
    counts: HashMap<(i64, Seq), HashMap<String, reaction_count::Model>>,
    changed: HashSet<ReactionKey>,
}

impl ReactionBatch {
    /// Looks up the reactions that these entries change.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn look_up<'a>(
        transaction: &impl ConnectionTrait,
        entries: impl Iterator<Item = &'a AppendRequest>,
    ) -> Result<Self, DbErr> {
        let wanted: HashSet<ReactionKey> = entries
            .filter_map(|entry| match &entry.new_event {
                NewEvent::React(reaction) => Some(key(entry, reaction)),
                _ => None,
            })
            .collect();
        let mut batch = Self::default();
        if wanted.is_empty() {
            return Ok(batch);
        }
        let messages: HashSet<(i64, Seq)> = wanted.iter().map(|(room_id, target, ..)| (*room_id, *target)).collect();
        let messages: Vec<(i64, Seq)> = messages.into_iter().collect();
        let wanted: Vec<ReactionKey> = wanted.into_iter().collect();
        for keys in chunked(transaction.get_database_backend(), &wanted) {
            let rows = reaction::Entity::find().filter(is_one_of(keys)).all(transaction).await?;
            batch.known.extend(rows.into_iter().map(|row| (key_of(&row), row)));
        }
        use reaction_count::Column::{RoomId, Target};
        for row in select_pairs(transaction, reaction_count::Entity::find, [RoomId, Target], &messages).await? {
            batch.counts.entry((row.room_id, row.target)).or_default().insert(row.emoji.clone(), row);
        }
        Ok(batch)
    }

    /// Applies a reaction whose event would have this number and time.
    ///
    /// # Errors
    ///
    /// Returns a rejection if there is no such message, or if it has too many reactions.
    pub(crate) fn react(
        &mut self,
        entry: &AppendRequest,
        new: &NewReaction,
        target: Option<&event::Model>,
        (seq, at): (Seq, i64),
    ) -> Result<AnnotationOutcome, Rejection> {
        check_target(target)?;
        let key = key(entry, new);
        let stored = self.known.get(&key);
        if stored.is_some() == new.on {
            return Ok(AnnotationOutcome::Needless(Box::new(match stored {
                Some(row) => event_of(row, entry),
                None => withdrawn(entry, new),
            })));
        }
        let counts = self.counts.entry((entry.room_id, new.target)).or_default();
        let emoji = new.emoji.as_str();
        if new.on {
            check_limits(counts, emoji)?;
            let first = || count(&key, seq);
            counts.entry(emoji.to_owned()).or_insert_with(first).count += 1;
            let row = reaction::Model {
                room_id: entry.room_id,
                target: new.target,
                emoji: emoji.to_owned(),
                author: entry.author.as_bytes().to_vec(),
                username: new.username.as_str().to_owned(),
                seq,
                at,
            };
            self.known.insert(key.clone(), row);
        } else {
            if let Some(row) = counts.get_mut(emoji) {
                row.count -= 1;
            }
            counts.retain(|_, row| row.count > 0);
            self.known.remove(&key);
        }
        self.changed.insert(key);
        Ok(AnnotationOutcome::Changed)
    }

    /// Writes the changes.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn write(mut self, transaction: &impl ConnectionTrait) -> Result<(), DbErr> {
        let (mut new, mut gone) = (Vec::new(), Vec::new());
        let (mut counts, mut uncounted) = (Vec::new(), Vec::new());
        let changed: HashSet<CountKey> =
            self.changed.iter().map(|(room_id, target, emoji, _)| (*room_id, *target, emoji.clone())).collect();
        for key in self.changed {
            match self.known.remove(&key) {
                Some(row) => new.push(row),
                None => gone.push(key),
            }
        }
        for (room_id, target, emoji) in changed {
            match self.counts.get_mut(&(room_id, target)).and_then(|counts| counts.remove(&emoji)) {
                Some(row) => counts.push(row),
                None => uncounted.push((room_id, target, emoji)),
            }
        }
        {
            use reaction::Column::{At, Author, Emoji, RoomId, Seq, Target, Username};
            let again =
                OnConflict::columns([RoomId, Target, Emoji, Author]).update_columns([Username, Seq, At]).to_owned();
            insert(transaction, &new, Some(&again)).await?;
            for keys in chunked(transaction.get_database_backend(), &gone) {
                reaction::Entity::delete_many().filter(is_one_of(keys)).exec(transaction).await?;
            }
        }
        use reaction_count::Column::{Count, Emoji, FirstSeq, RoomId, Target};
        let again = OnConflict::columns([RoomId, Target, Emoji]).update_columns([Count, FirstSeq]).to_owned();
        insert(transaction, &counts, Some(&again)).await?;
        for keys in chunked(transaction.get_database_backend(), &uncounted) {
            let columns = Expr::tuple([RoomId, Target, Emoji].map(IntoSimpleExpr::into_simple_expr));
            let mut wanted = Query::select();
            let names = ["column1", "column2", "column3"].map(Alias::new);
            wanted.columns(names).from_values(keys.iter().cloned(), Alias::new("wanted"));
            reaction_count::Entity::delete_many().filter(columns.in_subquery(wanted)).exec(transaction).await?;
        }
        Ok(())
    }
}

/// Checks that a message may have one more reaction with this emoji.
fn check_limits(counts: &HashMap<String, reaction_count::Model>, emoji: &str) -> Result<(), Rejection> {
    let invalid = |detail: &str| Err(Rejection::new(RejectionCode::Invalid, detail));
    if counts.len() >= MAX_EMOJI_PER_MESSAGE && !counts.contains_key(emoji) {
        return invalid("A message can have at most 20 different emoji.");
    }
    let all: i64 = counts.values().map(|row| i64::from(row.count)).sum();
    if all >= i64::from(MAX_REACTIONS_PER_MESSAGE) {
        return invalid("A message can have at most 500 reactions.");
    }
    Ok(())
}

fn key(entry: &AppendRequest, new: &NewReaction) -> ReactionKey {
    (entry.room_id, new.target, new.emoji.as_str().to_owned(), entry.author.as_bytes().to_vec())
}

fn key_of(row: &reaction::Model) -> ReactionKey {
    (row.room_id, row.target, row.emoji.clone(), row.author.clone())
}

fn count((room_id, target, emoji, _): &ReactionKey, first_seq: Seq) -> reaction_count::Model {
    reaction_count::Model { room_id: *room_id, target: *target, emoji: emoji.clone(), count: 0, first_seq }
}

/// Returns the condition that selects these reactions.
fn is_one_of(keys: &[ReactionKey]) -> Expr {
    use reaction::Column::{Author, Emoji, RoomId, Target};
    let mut wanted = Query::select();
    let names = ["column1", "column2", "column3", "column4"].map(Alias::new);
    wanted.columns(names).from_values(keys.iter().cloned(), Alias::new("wanted"));
    Expr::tuple([RoomId, Target, Emoji, Author].map(IntoSimpleExpr::into_simple_expr)).in_subquery(wanted)
}

/// Returns the event of a reaction, with the id of the entry that repeats it.
fn event_of(row: &reaction::Model, entry: &AppendRequest) -> Event {
    let body = EventBody::Reacted {
        target: row.target,
        emoji: Emoji::from_trusted(row.emoji.clone()),
        on: true,
        username: Username::from_trusted(row.username.clone()),
        tag: tag_of(&row.author),
    };
    Event { seq: row.seq, id: entry.id.clone(), at: Timestamp(row.at), body }
}

/// Returns the event that took back a reaction, without its number.
fn withdrawn(entry: &AppendRequest, NewReaction { target, emoji, username, .. }: &NewReaction) -> Event {
    let (id, at) = unknown(&entry.id);
    let (target, emoji, username, tag) = (*target, emoji.clone(), username.clone(), entry.author.tag());
    Event { seq: 0, id, at, body: EventBody::Reacted { target, emoji, on: false, username, tag } }
}
