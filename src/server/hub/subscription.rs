//! A connection's seat in a live room: while it is held, its participant is here, and the room's row writes to it.

use super::backfill::BackfillError;
use super::fanout::{EphemeralFrame, Subscriber, SubscriberShard};
use super::tail_buffer::TailRead;
use super::{LiveRoom, PresenceChange, moderation};
use crate::domain::{Epoch, Participant, Seq, Username};
use crate::protocol::ServerFrame;
use crate::server::auth::identity::AuthorId;
use crate::server::store::{RoomRef, now};
use crate::server::websocket::{SocketWriter, TextFrame};
use sea_orm::DbErr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a connection has got of what follows its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PullResult {
    /// It has everything.
    Nothing,
    /// Something was queued; there may be more.
    Queued,
    /// What follows this number has to be read out of the log.
    Behind(Seq),
}

pub(crate) struct Subscription {
    live: Arc<LiveRoom>,
    row: Arc<SubscriberShard>,
    place: Arc<Subscriber>,
    participant: Participant,
}

impl Subscription {
    /// Takes a seat in `live`. From here on, `wire` carries what follows `after`; what it shall carry before is queued.
    pub(crate) fn new(
        live: &Arc<LiveRoom>,
        author: AuthorId,
        participant: Participant,
        wire: &Arc<SocketWriter>,
        after: Seq,
    ) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let connection = NEXT.fetch_add(1, Ordering::Relaxed);
        let place = Arc::new(Subscriber::new(connection, author, wire.clone(), after));
        live.participants().insert(connection, participant.clone(), author.to_bytes());
        let row = live.subscribe(&place);
        live.hub.notify_presence(PresenceChange::Local(live.room.id));
        Self { live: live.clone(), row, place, participant }
    }

    /// The room that it is in.
    pub(crate) fn room(&self) -> &RoomRef {
        &self.live.room
    }

    pub(crate) fn participant(&self) -> &Participant {
        &self.participant
    }

    /// The close code with which the connection has to go, once it has to.
    pub(crate) fn disconnect_code(&self) -> Option<u16> {
        Some(self.place.disconnect_code.load(Ordering::Relaxed)).filter(|code| *code != 0)
    }

    /// Looks for a ban or a lock, as those do who enforce it: who was admitted before it and sat down after they looked
    /// was not seen.
    pub(crate) async fn enforce(&self) -> Result<(), DbErr> {
        moderation::disconnect_banned(&self.live, std::slice::from_ref(&self.place)).await
    }

    /// The last number that this connection was sent.
    pub(crate) fn position(&self) -> Seq {
        *self.place.position()
    }

    /// The newest number of the log, as far as this node knows.
    pub(crate) fn head(&self) -> Seq {
        self.live.head().max(self.position())
    }

    /// Goes back to `after`, to send again what followed.
    pub(crate) fn rewind(&self, after: Seq) {
        let mut position = self.place.position();
        *position = after.min(*position);
    }

    /// Queues what the row leaves to this connection: what follows its position, a turn's worth, and who is here.
    pub(crate) fn pull(&self) -> PullResult {
        let mut position = self.place.position();
        match self.live.read_after(*position) {
            TailRead::UpToDate => {
                drop(position);
                self.pull_presence()
            }
            TailRead::Frames(frames) => {
                *position += frames.len() as Seq;
                self.place.wire.queue_all(&frames);
                PullResult::Queued
            }
            TailRead::Evicted => PullResult::Behind(*position),
        }
    }

    /// Queues an event that was sent before.
    pub(crate) fn pull_again(&self, seq: Seq) -> PullResult {
        match self.live.reach_event(seq) {
            TailRead::Frames(frames) => {
                self.place.wire.queue_all(&frames);
                PullResult::Queued
            }
            // The tail does not have it any more, or not yet.
            TailRead::Evicted | TailRead::UpToDate => PullResult::Behind(seq - 1),
        }
    }

    /// Reads out of the log what follows `after`. Cancelling it loses nothing.
    pub(crate) async fn read(&self, after: Seq) -> Result<Vec<TextFrame>, BackfillError> {
        self.live.read(after).await
    }

    /// Queues what was read out of the log after `after`, if it is still what follows. Where the log does not hold that
    /// any more, the reader is told, and goes on from the newest.
    pub(crate) fn take_read(
        &self,
        after: Seq,
        read: Result<Vec<TextFrame>, BackfillError>,
    ) -> Result<(), BackfillError> {
        match read {
            Ok(frames) => {
                let mut position = self.place.position();
                if *position == after {
                    *position += frames.len() as Seq;
                    self.place.wire.queue_all(&frames);
                }
                Ok(())
            }
            Err(BackfillError::Purged) => {
                if self.position() == after {
                    self.skip();
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Queues the event `seq`, which was sent before and was read out of the log again. One that the log does not hold
    /// any more is let be.
    pub(crate) fn take_again(&self, read: Result<Vec<TextFrame>, BackfillError>) -> Result<(), BackfillError> {
        match read {
            Ok(frames) => self.place.wire.queue_all(&frames[..1]),
            Err(BackfillError::Purged) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Goes on from the newest number: what lies between is not kept any more.
    fn skip(&self) {
        // Held until the reset is queued: what the row writes comes after it.
        let mut position = self.place.position();
        let head = self.live.head().max(*position);
        *position = head;
        self.place.wire.enqueue(self.live.reset(head).bytes().clone());
    }

    /// Tells a connection that was greeted with `epoch` if the room has begun anew or has ended since.
    pub(crate) fn keep_to(&self, epoch: &Epoch) {
        match self.live.ended.load(Ordering::Relaxed) {
            0 => {}
            code => self.place.disconnect_with(code),
        }
        if self.live.epoch() != *epoch {
            let head = self.live.head();
            self.place.reset_to(&self.live.reset(head), head);
        }
    }

    fn pull_presence(&self) -> PullResult {
        let owed = self.place.owes_presence.swap(false, Ordering::Relaxed);
        let frame = if owed { self.live.presence() } else { TextFrame::default() };
        if frame.is_empty() {
            return PullResult::Nothing;
        }
        self.place.wire.enqueue(frame.bytes().clone());
        PullResult::Queued
    }

    /// Appears under another name from now on.
    pub(crate) fn rename(&mut self, username: Username) {
        if username != self.participant.username {
            self.participant.username = username;
            let (connection, author) = (self.place.connection, self.place.author.to_bytes());
            self.live.participants().insert(connection, self.participant.clone(), author);
            self.live.hub.notify_presence(PresenceChange::Local(self.live.room.id));
        }
    }

    /// Says nothing until then, in UTC milliseconds, as was known on the way in.
    pub(crate) fn mute(&self, until: i64) {
        self.place.mute(until);
    }

    /// Shows the others that something is being written here, unless its author is muted.
    pub(crate) fn send_typing(&self) {
        if self.place.is_muted(now()) {
            return;
        }
        let text = TextFrame::new(&ServerFrame::Typing(self.participant.clone()).encode());
        self.live.send_ephemeral(EphemeralFrame { from: Some(self.place.connection), text: text.clone() });
        self.live.hub.notify_presence(PresenceChange::Typing(self.live.room.id, text));
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.row.remove(&self.place);
        self.live.participants().remove(self.place.connection);
        self.live.hub.notify_presence(PresenceChange::Local(self.live.room.id));
    }
}
