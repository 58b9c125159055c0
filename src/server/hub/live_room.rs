//! A room with connections on this node: kept up to date by what is published, and by the log where that leaves a gap.

use super::backfill::BackfillError;
use super::fanout::{self, EphemeralFrame, MAX_BATCH_EVENTS, Subscriber, SubscriberShard, TURN_BYTES};
use super::in_flight::InFlight;
use super::presence::Participants;
use super::reconciler::History;
use super::tail_buffer::{TailBuffer, TailRead};
use super::{EventFrame, Hub, lock, moderation};
use crate::domain::Seq;
use crate::server::store::RoomRef;
use crate::server::telemetry::metrics::DeliveryTimer;
use crate::server::websocket::TextFrame;
use sea_orm::DbErr;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;
use tokio::sync::{OnceCell, broadcast, watch};

/// How many events are read from the log at once: with the longest messages, a tail's worth.
const BACKFILL_BATCH: u64 = 64;

/// How long to wait before asking a database again that did not answer.
const BACKFILL_RETRY_DELAY: Duration = Duration::from_millis(250);

/// How many hints a connection may be behind before it misses some.
const EPHEMERAL_CAPACITY: usize = 16;

/// A room with connections on this node.
pub(crate) struct LiveRoom {
    pub(crate) room: RoomRef,
    /// Where this room is listed, as long as it lives.
    pub(super) hub: Hub,
    opened: OnceCell<()>,
    pub(super) history: Mutex<History>,
    pub(super) tail: Mutex<TailBuffer>,
    /// The newest number that connections can have; waking the rows is all it is for.
    pub(super) delivered: watch::Sender<Seq>,
    pub(super) in_flight: InFlight,
    /// Transactions of this node that write to the room.
    pub(super) writing: InFlight,
    pub(super) delivery_timer: DeliveryTimer,
    shards: Mutex<Vec<Arc<SubscriberShard>>>,
    participants: Mutex<Participants>,
    /// Whether a message was let begin this room, which had no row.
    pub(super) begun: AtomicBool,
    /// Whether the other nodes were asked who is there.
    presence_requested: AtomicBool,
    /// The close code with which everybody has to go; 0 while the room goes on.
    pub(super) ended: AtomicU16,
    /// The frame that tells who is here.
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
            delivered: watch::Sender::new(0),
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

    /// Subscribe, then read: what is published while `head` is being read raises `wanted`, and is healed.
    pub(super) async fn open(self: &Arc<Self>) -> Result<(), DbErr> {
        let read = async {
            let current = self.hub.current(self.room.id).await?;
            let head = current.as_ref().map_or(0, |current| current.head);
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

    /// The newest number delivered on this node.
    pub(crate) fn head(&self) -> Seq {
        lock(&self.tail).head
    }

    /// The newest number delivered on this node; `None` as long as the room is not open.
    pub(super) fn delivered(&self) -> Option<Seq> {
        let tail = lock(&self.tail);
        tail.open.then_some(tail.head)
    }

    /// What the tail has after `after`, as much as goes out in one write.
    pub(super) fn read_after(&self, after: Seq) -> TailRead {
        lock(&self.tail).read_after(after, MAX_BATCH_EVENTS, TURN_BYTES)
    }

    /// The event `seq`, if the tail has it.
    pub(super) fn reach_event(&self, seq: Seq) -> TailRead {
        lock(&self.tail).read_after(seq - 1, 1, 0)
    }

    /// Some of the frames after `after`, out of the log.
    pub(super) async fn read(&self, after: Seq) -> Result<Vec<TextFrame>, BackfillError> {
        self.hub.backlog.read(self.room.id, after).await
    }

    /// Has `place` written to whenever there is something, until the row lets go of it.
    pub(super) fn subscribe(self: &Arc<Self>, place: &Arc<Subscriber>) -> Arc<SubscriberShard> {
        let mut rows = lock(&self.shards);
        if let Some(row) = rows.iter().find(|row| row.add(place)) {
            return row.clone();
        }
        let row = Arc::new(SubscriberShard::default());
        row.add(place);
        rows.push(row.clone());
        let (delivered, presence, hints) =
            (self.delivered.subscribe(), self.presence.subscribe(), self.ephemeral.subscribe());
        // What came before, the connections pull.
        let position = self.head();
        let coming = self.in_flight.clone();
        tokio::spawn(fanout::run_shard(
            row.clone(),
            Arc::downgrade(self),
            position,
            coming,
            delivered,
            presence,
            hints,
        ));
        row
    }

    /// Somebody knows of `seq`: what lies between is fetched from the log.
    pub(crate) fn catch_up_to(self: &Arc<Self>, seq: Seq) {
        let mut tail = lock(&self.tail);
        tail.target_seq = tail.target_seq.max(seq);
        if tail.open && !tail.catching_up && tail.target_seq > tail.head {
            tail.catching_up = true;
            tokio::spawn(backfill(Arc::downgrade(self)));
        }
    }

    pub(super) fn publish(self: &Arc<Self>, frames: Vec<EventFrame>) {
        let Some(last) = frames.last().map(|frame| frame.seq) else { return };
        let moderates = frames.iter().any(EventFrame::is_moderation);
        if frames.iter().any(EventFrame::removes) {
            self.hub.backlog.evict_room(self.room.id);
        }
        let delivered = lock(&self.tail).append(frames);
        match delivered {
            Some(delivered) => self.announce(delivered),
            None => self.catch_up_to(last),
        }
        // After the head has moved: whoever sits down later sees that it has, and looks for themselves.
        if moderates {
            tokio::spawn(moderation::enforce_moderation(Arc::downgrade(self)));
        }
    }

    /// The room is no longer what it was: every connection has to go, with this close code.
    pub(super) fn end(&self, code: u16) {
        // Before those inside are looked up: whoever sits down later looks here.
        self.ended.store(code, Ordering::Relaxed);
        self.subscribers().iter().for_each(|place| place.disconnect_with(code));
    }

    /// How many events are in memory.
    #[cfg(test)]
    pub(crate) fn buffered_events(&self) -> usize {
        lock(&self.tail).len()
    }

    /// What stood before `oldest` is no longer kept, nor what was edited into it.
    pub(super) fn evict_before(&self, oldest: Seq) {
        let mut tail = lock(&self.tail);
        tail.evict_before(oldest);
        tail.redact(|seq| seq < oldest);
    }

    /// What was removed is looked up in the log again: since then, its author may have been erased.
    pub(super) fn evict_redacted(&self) {
        lock(&self.tail).evict_redacted();
    }

    /// The connections of this node.
    pub(super) fn subscribers(&self) -> Vec<Arc<Subscriber>> {
        let rows = lock(&self.shards).clone();
        rows.iter().flat_map(|row| row.subscribers()).collect()
    }

    pub(super) fn participants(&self) -> MutexGuard<'_, Participants> {
        lock(&self.participants)
    }

    /// Shows everybody who is here now, if that is news.
    pub(super) fn publish_presence(&self) {
        let frame = {
            let participants = self.participants();
            let here = participants.local();
            let frame = participants.frame(&here);
            TextFrame::new(&frame.encode())
        };
        self.presence.send_if_modified(|told| {
            let news = *told != frame;
            *told = frame;
            news
        });
    }

    /// Whether the other nodes are to be asked who is there; once.
    pub(super) fn should_request_presence(&self) -> bool {
        !self.presence_requested.swap(true, Ordering::Relaxed)
    }

    /// The frame that tells who is here; empty as long as that was not told yet.
    pub(super) fn presence(&self) -> TextFrame {
        self.presence.borrow().clone()
    }

    pub(super) fn send_ephemeral(&self, hint: EphemeralFrame) {
        // Without listeners there is nobody to show it to.
        let _ = self.ephemeral.send(hint);
    }

    /// Has the rows look whether there is still something to wait for.
    pub(super) fn notify_subscribers(&self) {
        self.delivered.send_modify(|_| {});
    }

    /// What follows is not kept any more: goes on from the next event that is. Readers are told when they pull.
    async fn skip(&self) -> Result<(), DbErr> {
        if let Some(next) = self.hub.store.next(self.room.id, self.head()).await? {
            lock(&self.tail).skip_to(next);
            self.announce(next - 1);
        }
        Ok(())
    }

    fn announce(&self, delivered: Seq) {
        self.delivery_timer.now();
        self.delivered.send_if_modified(|newest| delivered > std::mem::replace(newest, delivered.max(*newest)));
    }
}

impl Drop for LiveRoom {
    fn drop(&mut self) {
        if let Some(stands) = self.known_head() {
            lock(&self.hub.remembered).put(self.room.id, stands);
        }
        let mut rooms = lock(&self.hub.rooms);
        // Somebody may have opened it anew in the meantime.
        if rooms.get(&self.room.id).is_some_and(|live| live.strong_count() == 0) {
            rooms.remove(&self.room.id);
        }
    }
}

/// Brings a room up to what is wanted of it, by reading the log.
async fn backfill(live: Weak<LiveRoom>) {
    while let Some(live) = live.upgrade() {
        tokio::task::coop::consume_budget().await;
        let after = {
            let mut tail = lock(&live.tail);
            if tail.target_seq <= tail.head {
                tail.catching_up = false;
                return;
            }
            tail.head
        };
        let healed = match live.hub.store.events_after(live.room.id, after, BACKFILL_BATCH).await {
            // Somebody spoke of a number that is not there.
            Ok(events) if events.is_empty() => {
                let mut tail = lock(&live.tail);
                tail.target_seq = tail.head;
                Ok(())
            }
            Ok(events) => {
                live.publish(events.into_iter().map(EventFrame::from).collect());
                Ok(())
            }
            Err(DbErr::RecordNotFound(_)) => live.skip().await,
            Err(error) => Err(error),
        };
        if healed.is_ok() {
            live.hub.looks.reading.over();
        }
        if let Err(error) = healed {
            live.hub.looks.reading.failed(&error);
            drop(live);
            tokio::time::sleep(BACKFILL_RETRY_DELAY).await;
        }
    }
}
