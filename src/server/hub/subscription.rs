//! Subscription of a connection to a live room. While it is held, its participant is present and a fan-out task writes
//! to it.

use super::backfill::BackfillError;
use super::fanout::{EphemeralFrame, SubscriberShard};
use super::subscriber::Subscriber;
use super::tail_buffer::TailRead;
use super::{LiveRoom, PresenceChange, moderation};
use crate::domain::{Epoch, Participant, Seq, Username};
use crate::protocol::ServerFrame;
use crate::server::auth::identity::AuthorId;
use crate::server::store::{RoomRef, StoreError};
use crate::server::time::now_ms;
use crate::server::websocket::{SocketWriter, TextFrame};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Result of pulling events after a connection's position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PullResult {
    /// The connection has every event.
    Nothing,
    /// Frames were queued; there may be more.
    Queued,
    /// The events after this number have to be read from the log.
    Behind(Seq),
}

pub(crate) struct Subscription {
    live: Arc<LiveRoom>,
    shard: Arc<SubscriberShard>,
    subscriber: Arc<Subscriber>,
    participant: Participant,
    /// Whether the participant is shown to others.
    is_shown: bool,
}

impl Subscription {
    /// Subscribes to `live`. From here on, the events after `after` are written to the socket. Frames that have to
    /// precede them must already be queued. A participant who is not shown is present to nobody.
    pub(crate) fn new(
        live: &Arc<LiveRoom>,
        author: AuthorId,
        (participant, is_shown): (Participant, bool),
        writer: &Arc<SocketWriter>,
        after: Seq,
    ) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let connection = NEXT.fetch_add(1, Ordering::Relaxed);
        let subscriber = Arc::new(Subscriber::new(connection, author, writer.clone(), after));
        if is_shown {
            live.participants().insert(connection, participant.clone(), author.to_bytes());
        }
        live.hub.token_subscribers.add(&subscriber);
        let shard = live.subscribe(&subscriber);
        if is_shown {
            live.hub.notify_presence(PresenceChange::Local(live.room.id));
        }
        Self { live: live.clone(), shard, subscriber, participant, is_shown }
    }

    /// Returns the room of this subscription.
    pub(crate) fn room(&self) -> &RoomRef {
        &self.live.room
    }

    /// Returns the epoch of the history that is delivered now.
    pub(crate) fn epoch(&self) -> Epoch {
        self.live.epoch()
    }

    pub(crate) fn participant(&self) -> &Participant {
        &self.participant
    }

    /// Returns the close code with which the connection has to end, or `None` while it may stay.
    pub(crate) fn disconnect_code(&self) -> Option<u16> {
        Some(self.subscriber.disconnect_code.load(Ordering::Relaxed)).filter(|code| *code != 0)
    }

    /// Checks for a ban or a lock. This covers a visitor who was admitted before it and subscribed after the other
    /// subscribers were checked.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn enforce(&self) -> Result<(), StoreError> {
        moderation::disconnect_banned(&self.live, std::slice::from_ref(&self.subscriber)).await
    }

    /// Returns the number of the last event sent to this connection.
    pub(crate) fn position(&self) -> Seq {
        *self.subscriber.position()
    }

    /// Returns the newest number of the log that this node knows.
    pub(crate) fn head(&self) -> Seq {
        self.live.head().max(self.position())
    }

    /// Waits until the event `seq` is delivered on this node. Cancel safe.
    pub(crate) async fn delivered(&self, seq: Seq) {
        // An error would mean that the room has ended, which this subscription prevents.
        let _ = self.live.delivered.subscribe().wait_for(|newest| newest.seq >= seq).await;
    }

    /// Moves the position back to `after`, so that the events after it are sent again.
    pub(crate) fn rewind(&self, after: Seq) {
        let mut position = self.subscriber.position();
        *position = after.min(*position);
    }

    /// Queues the next batch of events after this subscriber's position, and the current presence if it is outdated.
    pub(crate) fn pull(&self) -> PullResult {
        let mut position = self.subscriber.position();
        match self.live.read_after(*position) {
            TailRead::UpToDate => {
                drop(position);
                self.pull_presence()
            }
            TailRead::Frames(frames) => {
                *position += frames.len() as Seq;
                self.subscriber.writer.queue_all(&frames);
                PullResult::Queued
            }
            TailRead::Evicted => PullResult::Behind(*position),
        }
    }

    /// Queues an event again that was sent before.
    pub(crate) fn pull_again(&self, seq: Seq) -> PullResult {
        match self.live.reach_event(seq) {
            TailRead::Frames(frames) => {
                self.subscriber.writer.queue_all(&frames);
                PullResult::Queued
            }
            // The tail buffer no longer has the event, or does not have it yet.
            TailRead::Evicted | TailRead::UpToDate => PullResult::Behind(seq - 1),
        }
    }

    /// Reads the events after `after` from the log. Cancel safe.
    ///
    /// # Errors
    ///
    /// Returns [`BackfillError::Purged`] if the log no longer holds the next events.
    pub(crate) async fn read(&self, after: Seq) -> Result<Vec<TextFrame>, BackfillError> {
        self.live.read(after).await
    }

    /// Queues events that were read from the log after `after`, if they still come next. If the log no longer holds
    /// them, queues a reset and continues at the head.
    ///
    /// # Errors
    ///
    /// Returns [`BackfillError::Unavailable`] if the log could not be read.
    pub(crate) fn take_read(
        &self,
        after: Seq,
        read: Result<Vec<TextFrame>, BackfillError>,
    ) -> Result<(), BackfillError> {
        match read {
            Ok(frames) => {
                let mut position = self.subscriber.position();
                if *position == after {
                    *position += frames.len() as Seq;
                    self.subscriber.writer.queue_all(&frames);
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

    /// Queues an event that was read from the log to be sent again. Ignores one that the log no longer holds.
    ///
    /// # Errors
    ///
    /// Returns [`BackfillError::Unavailable`] if the log could not be read.
    pub(crate) fn take_again(&self, read: Result<Vec<TextFrame>, BackfillError>) -> Result<(), BackfillError> {
        match read {
            Ok(frames) => self.subscriber.writer.queue_all(&frames[..1]),
            Err(BackfillError::Purged) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Continues at the head, because the log no longer holds the events in between.
    fn skip(&self) {
        // The lock is held until the reset is queued, so that frames of the fan-out task follow it.
        let mut position = self.subscriber.position();
        let head = self.live.head().max(*position);
        *position = head;
        self.subscriber.writer.send(&self.live.reset(head));
    }

    /// Informs a connection that was greeted with `epoch` if the room's history has changed or the room has ended
    /// since.
    pub(crate) fn keep_to(&self, epoch: &Epoch) {
        match self.live.ended.load(Ordering::Relaxed) {
            0 => {}
            code => self.subscriber.disconnect_with(code),
        }
        if self.live.epoch() != *epoch {
            let head = self.live.head();
            self.subscriber.reset_to(&self.live.reset(head), head);
        }
    }

    fn pull_presence(&self) -> PullResult {
        let is_outdated = self.subscriber.owes_presence.swap(false, Ordering::Relaxed);
        let frame = if is_outdated { self.live.presence() } else { TextFrame::default() };
        if frame.is_empty() {
            return PullResult::Nothing;
        }
        self.subscriber.writer.send(&frame);
        PullResult::Queued
    }

    /// Changes the participant's name.
    pub(crate) fn rename(&mut self, username: Username) {
        if username != self.participant.username {
            self.participant.username = username;
            let (connection, author) = (self.subscriber.connection, self.subscriber.author.to_bytes());
            self.live.participants().insert(connection, self.participant.clone(), author);
            self.live.hub.notify_presence(PresenceChange::Local(self.live.room.id));
        }
    }

    /// Mutes the author until `until`, in UTC milliseconds, as was known at admission.
    pub(crate) fn mute(&self, until: i64) {
        self.subscriber.mute(until);
    }

    /// Sends a typing hint to the other subscribers, unless the author is muted or the room has too many readers.
    pub(crate) fn send_typing(&self) {
        if self.subscriber.is_muted(now_ms()) || !self.live.shows_typing() {
            return;
        }
        let text = TextFrame::new(&ServerFrame::Typing(self.participant.clone()).encode());
        self.live.send_ephemeral(EphemeralFrame { from: Some(self.subscriber.connection), text: text.clone() });
        self.live.hub.notify_presence(PresenceChange::Typing(self.live.room.id, text));
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.shard.remove(&self.subscriber);
        self.live.hub.token_subscribers.remove(&self.subscriber);
        if self.is_shown {
            self.live.participants().remove(self.subscriber.connection);
            self.live.hub.notify_presence(PresenceChange::Local(self.live.room.id));
        }
    }
}
