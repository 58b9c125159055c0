//! A room with connections on this node. Published frames update it. If they leave a gap, it catches up from the log.

use super::backfill::BackfillError;
use super::fanout::{self, EphemeralFrame, SubscriberShard};
use super::history::History;
use super::in_flight::InFlight;
use super::presence::Participants;
use super::subscriber::Subscriber;
use super::tail_buffer::{StreamPosition, TailBuffer, TailRead};
use super::{EventFrame, Hub, MAX_BATCH_BYTES, MAX_BATCH_EVENTS, catch_up, moderation};
use crate::domain::Seq;
use crate::server::store::{RoomRef, StoreError};
use crate::server::sync::lock;
use crate::server::telemetry::metrics::DeliveryTimer;
use crate::server::websocket::TextFrame;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::{OnceCell, broadcast, watch};

/// Maximum number of hints that a subscriber may lag behind before it misses some.
const EPHEMERAL_CAPACITY: usize = 16;

/// A room with connections on this node.
pub(crate) struct LiveRoom {
    pub(crate) room: RoomRef,
    /// The hub that lists this room while it lives.
    pub(super) hub: Hub,
    opened: OnceCell<()>,
    pub(super) history: Mutex<History>,
    pub(super) tail: Mutex<TailBuffer>,
    /// Number of erasures in the room, as the database had it last.
    erasures: AtomicI64,
    /// The newest delivered position, which only serves to wake the fan-out tasks and senders.
    pub(super) delivered: watch::Sender<StreamPosition>,
    pub(super) in_flight: InFlight,
    /// Transactions of this node in flight into the room's log.
    pub(super) writing: InFlight,
    pub(super) delivery_timer: DeliveryTimer,
    shards: Mutex<Vec<Arc<SubscriberShard>>>,
    participants: Mutex<Participants>,
    /// Whether a message was allowed to create this room, which had no row in the database.
    pub(super) begun: AtomicBool,
    /// Whether the other nodes were asked for their participants.
    presence_requested: AtomicBool,
    /// The close code with which every connection has to end; 0 while the room lives.
    pub(super) ended: AtomicU16,
    /// The frame with the current participants.
    presence: watch::Sender<TextFrame>,
    ephemeral: broadcast::Sender<EphemeralFrame>,
    pub(super) enforcing: moderation::Enforcing,
}

impl LiveRoom {
    pub(super) fn new(room: RoomRef, hub: Hub) -> Self {
        Self {
            history: Mutex::new(History::new(room.epoch.clone())),
            room,
            hub,
            opened: OnceCell::new(),
            tail: Mutex::default(),
            erasures: AtomicI64::default(),
            delivered: watch::Sender::new(StreamPosition::default()),
            in_flight: InFlight::default(),
            writing: InFlight::default(),
            delivery_timer: DeliveryTimer::default(),
            shards: Mutex::default(),
            participants: Mutex::default(),
            begun: AtomicBool::default(),
            presence_requested: AtomicBool::default(),
            ended: AtomicU16::default(),
            presence: watch::Sender::new(TextFrame::default()),
            ephemeral: broadcast::Sender::new(EPHEMERAL_CAPACITY),
            enforcing: moderation::Enforcing::default(),
        }
    }

    /// Reads the head from the database. The room is subscribed before: frames published during the read raise
    /// `target_seq`, and the room catches up with them.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::RoomGone`] if the log is lost, or an error if the database cannot be read.
    pub(super) async fn open(self: &Arc<Self>) -> Result<(), StoreError> {
        let read = async {
            let current = self.hub.current(&self.room).await?;
            let head = current.as_ref().map_or(0, |current| current.head);
            self.erasures.store(current.as_ref().map_or(0, |current| current.erasures), Ordering::Relaxed);
            if let Some(current) = current {
                lock(&self.history).epoch = current.epoch;
            }
            {
                let mut tail = lock(&self.tail);
                tail.open = true;
                tail.head = head;
            }
            self.catch_up_to(head);
            Ok(())
        };
        self.opened.get_or_try_init(|| read).await.map(|&()| ())
    }

    /// Returns the newest number delivered on this node.
    pub(crate) fn head(&self) -> Seq {
        lock(&self.tail).head
    }

    /// Returns the newest number delivered on this node, or `None` if the room is not open yet.
    pub(super) fn delivered(&self) -> Option<Seq> {
        let tail = lock(&self.tail);
        tail.open.then_some(tail.head)
    }

    /// Returns the events after `after` from the tail buffer, up to one write's worth.
    pub(super) fn read_after(&self, after: Seq) -> TailRead {
        lock(&self.tail).read_after(after, MAX_BATCH_EVENTS, MAX_BATCH_BYTES)
    }

    /// Returns the event `seq`, if the tail buffer has it.
    pub(super) fn reach_event(&self, seq: Seq) -> TailRead {
        lock(&self.tail).read_after(seq - 1, 1, 0)
    }

    /// Reads some of the frames after `after` from the log.
    ///
    /// # Errors
    ///
    /// Returns [`BackfillError::Purged`] if the log no longer holds the next events.
    pub(super) async fn read(&self, after: Seq) -> Result<Vec<TextFrame>, BackfillError> {
        self.hub.backfill_cache.read(self.room.id, after).await
    }

    /// Adds a subscriber to a shard, whose fan-out task writes to it until it is removed.
    pub(super) fn subscribe(self: &Arc<Self>, subscriber: &Arc<Subscriber>) -> Arc<SubscriberShard> {
        let mut shards = lock(&self.shards);
        if let Some(shard) = shards.iter().find(|shard| shard.add(subscriber)) {
            return shard.clone();
        }
        let shard = Arc::new(SubscriberShard::default());
        shard.add(subscriber);
        shards.push(shard.clone());
        let (delivered, presence, hints) =
            (self.delivered.subscribe(), self.presence.subscribe(), self.ephemeral.subscribe());
        // Connections pull the earlier events themselves.
        let position = self.head();
        let in_flight = self.in_flight.clone();
        tokio::spawn(fanout::run_shard(
            shard.clone(),
            Arc::downgrade(self),
            position,
            in_flight,
            delivered,
            presence,
            hints,
        ));
        shard
    }

    /// Catches up with the log, which has events up to `seq`.
    pub(crate) fn catch_up_to(self: &Arc<Self>, seq: Seq) {
        let mut tail = lock(&self.tail);
        tail.target_seq = tail.target_seq.max(seq);
        if tail.open && !tail.catching_up && tail.target_seq > tail.head {
            tail.catching_up = true;
            tokio::spawn(catch_up::backfill(Arc::downgrade(self)));
        }
    }

    pub(super) fn publish(self: &Arc<Self>, frames: Vec<EventFrame>) {
        let Some(last) = frames.last().map(|frame| frame.seq) else { return };
        let moderates = frames.iter().any(EventFrame::is_moderation);
        if frames.iter().any(EventFrame::removes) {
            self.hub.backfill_cache.evict_room(self.room.id);
        }
        let delivered = lock(&self.tail).append(frames);
        match delivered {
            Some(_) => self.announce(),
            None => self.catch_up_to(last),
        }
        // The head has moved before this: a later subscriber sees that and checks for itself.
        if moderates {
            tokio::spawn(moderation::enforce_moderation(Arc::downgrade(self)));
        }
    }

    /// Ends the room: every connection is closed with this close code.
    pub(super) fn end(&self, code: u16) {
        // Stored before the subscribers are listed: a later subscriber reads this.
        self.ended.store(code, Ordering::Relaxed);
        self.subscribers().iter().for_each(|subscriber| subscriber.disconnect_with(code));
    }

    /// Returns the number of events in memory.
    #[cfg(test)]
    pub(crate) fn buffered_events(&self) -> usize {
        lock(&self.tail).len()
    }

    /// Evicts the events before `oldest`, and later edits of them.
    pub(super) fn evict_before(&self, oldest: Seq) {
        let mut tail = lock(&self.tail);
        tail.evict_before(oldest);
        tail.redact(|seq| seq < oldest);
    }

    /// Evicts frames of removed messages, so that they are read from the log again: their author may have been erased
    /// since. After an erasure in the room, evicts all: other messages may mention the author.
    pub(super) fn evict_outdated(&self, erasures: i64) {
        match self.erasures.swap(erasures, Ordering::Relaxed) == erasures {
            true => lock(&self.tail).evict_redacted(),
            false => self.evict_before(Seq::MAX),
        }
    }

    /// Returns the subscribers on this node.
    pub(super) fn subscribers(&self) -> Vec<Arc<Subscriber>> {
        let shards = lock(&self.shards).clone();
        shards.iter().flat_map(|shard| shard.subscribers()).collect()
    }

    pub(super) fn participants(&self) -> MutexGuard<'_, Participants> {
        lock(&self.participants)
    }

    /// Sends the current participants to every subscriber, if they have changed.
    pub(super) fn publish_presence(&self) {
        let frame = {
            let participants = self.participants();
            let local = participants.local();
            let frame = participants.frame(&local);
            TextFrame::new(&frame.encode())
        };
        self.presence.send_if_modified(|published| {
            let is_changed = *published != frame;
            *published = frame;
            is_changed
        });
    }

    /// Returns whether the other nodes have to be asked for their participants. Returns `true` only once.
    pub(super) fn should_request_presence(&self) -> bool {
        !self.presence_requested.swap(true, Ordering::Relaxed)
    }

    /// Returns the frame with the current participants, which is empty until they are first published.
    pub(super) fn presence(&self) -> TextFrame {
        self.presence.borrow().clone()
    }

    pub(super) fn send_ephemeral(&self, hint: EphemeralFrame) {
        // An error means that there are no receivers.
        let _ = self.ephemeral.send(hint);
    }

    /// Notifies the fan-out tasks, which then check whether an entry is still in flight.
    pub(super) fn notify_subscribers(&self) {
        self.delivered.send_modify(|_| {});
    }

    /// Continues at the next event that the log holds, because the events before it were purged. Readers get a reset
    /// when they pull.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(super) async fn skip(&self) -> Result<(), StoreError> {
        if let Some(next) = self.hub.store.next(self.room.id, self.head()).await? {
            lock(&self.tail).skip_to(next);
            self.announce();
        }
        Ok(())
    }

    /// Wakes the fan-out tasks if the head has moved.
    fn announce(&self) {
        self.delivery_timer.now();
        // The head is read inside: after a reset it is lower, and a late call must not restore the earlier one.
        self.delivered.send_if_modified(|newest| {
            let position = lock(&self.tail).position();
            std::mem::replace(newest, position) != position
        });
    }
}

impl Drop for LiveRoom {
    fn drop(&mut self) {
        if let Some(known) = self.known_head() {
            lock(&self.hub.remembered).put(self.room.id, known);
        }
        let mut rooms = lock(&self.hub.rooms);
        // Another caller may have opened it again in the meantime.
        if rooms.get(&self.room.id).is_some_and(|live| live.strong_count() == 0) {
            rooms.remove(&self.room.id);
        }
    }
}
