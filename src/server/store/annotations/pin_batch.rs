//! Pins in the transaction of a batch, in rooms that it has locked.

use super::{AnnotationOutcome, check_target, unknown};
use crate::domain::moderation::{MAX_PINS, Moderation, ModerationAction};
use crate::domain::{Event, EventBody, Rejection, RejectionCode, Seq, Timestamp};
use crate::server::store::database::chunks::{insert, pair_in};
use crate::server::store::entity::{event, pin};
use crate::server::store::{AppendRequest, NewEvent};
use pin::{Column, Entity, Model};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, sea_query::OnConflict};
use std::collections::{HashMap, HashSet};

/// The pins of the rooms in which a batch changes some.
#[derive(Default)]
pub(crate) struct PinBatch {
    known: HashMap<(i64, Seq), Model>,
    changed: HashSet<(i64, Seq)>,
}

impl PinBatch {
    /// Looks up the pins of the rooms in which these entries change some.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn look_up<'a>(
        transaction: &impl ConnectionTrait,
        entries: impl Iterator<Item = &'a AppendRequest>,
    ) -> Result<Self, DbErr> {
        let pins = |entry: &&AppendRequest| matches!(&entry.new_event, NewEvent::Moderate { action, .. } if action.has_message());
        let rooms: HashSet<i64> = entries.filter(pins).map(|entry| entry.room_id).collect();
        let mut batch = Self::default();
        if !rooms.is_empty() {
            let rows = Entity::find().filter(Column::RoomId.is_in(rooms)).all(transaction).await?;
            batch.known.extend(rows.into_iter().map(|row| ((row.room_id, row.seq), row)));
        }
        Ok(batch)
    }

    /// Pins or unpins a message by an event that would have this number and time.
    ///
    /// # Errors
    ///
    /// Returns a rejection if there is no such message, or if the room has too many pins.
    pub(crate) fn apply(
        &mut self,
        entry: &AppendRequest,
        done: &mut Moderation,
        target: Option<&event::Model>,
        (seq, at): (Seq, i64),
    ) -> Result<AnnotationOutcome, Rejection> {
        check_target(target)?;
        let message = target.map(|row| row.seq).unwrap_or_default();
        done.target = Some(message);
        let key = (entry.room_id, message);
        let pins = done.action == ModerationAction::Pin;
        let stored = self.known.get(&key);
        if stored.is_some() == pins {
            let (id, nowhen) = unknown(&entry.id);
            let (seq, at) = stored.map_or((0, nowhen), |pin| (pin.pinned_by, Timestamp(pin.at)));
            let event = Event { seq, id, at, body: EventBody::Moderated(done.clone()) };
            return Ok(AnnotationOutcome::Needless(Box::new(event)));
        }
        if pins {
            if self.known.keys().filter(|(room_id, _)| *room_id == entry.room_id).count() >= MAX_PINS {
                return Err(Rejection::new(RejectionCode::Invalid, "A room can have at most 50 pins."));
            }
            self.known.insert(key, Model { room_id: entry.room_id, seq: message, at, pinned_by: seq });
        } else {
            self.known.remove(&key);
        }
        self.changed.insert(key);
        Ok(AnnotationOutcome::Changed)
    }

    /// Forgets the pin of a message that this event deletes.
    pub(crate) fn forget_deleted(&mut self, event: &NewEvent, message: (i64, Seq)) {
        if matches!(event, NewEvent::Delete { .. }) {
            self.known.remove(&message);
        }
    }

    /// Writes the changes.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn write(mut self, transaction: &impl ConnectionTrait) -> Result<(), DbErr> {
        let (mut new, mut gone) = (Vec::new(), Vec::new());
        for key in self.changed {
            match self.known.remove(&key) {
                Some(row) => new.push(row),
                None => gone.push(key),
            }
        }
        let again = OnConflict::columns([Column::RoomId, Column::Seq])
            .update_columns([Column::At, Column::PinnedBy])
            .to_owned();
        insert(transaction, &new, Some(&again)).await?;
        if !gone.is_empty() {
            let these = pair_in([Column::RoomId, Column::Seq], &gone);
            Entity::delete_many().filter(these).exec(transaction).await?;
        }
        Ok(())
    }
}
