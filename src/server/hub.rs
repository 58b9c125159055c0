//! The rooms alive on this node. Each keeps the newest number delivered and the last frames; a connection keeps its
//! own position and pulls from there, out of the tail while it keeps up, out of the log when it has fallen behind.
//! So nobody is skipped, nobody is sent n+1 before n, and a slow reader costs a number, not a queue.

use super::store::{Room, Store};
use crate::domain::{Event, EventBody, Seq};
use crate::protocol::ServerFrame;
use axum::extract::ws::Utf8Bytes;
use sea_orm::DbErr;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{OnceCell, watch};

/// How much of a room's end is kept in memory, in frames and in bytes.
const TAIL_FRAMES: usize = 512;
const TAIL_BYTES: usize = 1 << 20;

/// How many events are read from the log at once.
const READ: u64 = 200;

/// How long to wait before asking a database again that did not answer.
const RETRY: Duration = Duration::from_millis(250);

/// An event as it goes over every socket of a room: encoded once, its bytes shared.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) text: Utf8Bytes,
    /// A deletion: frames before it may hold what was deleted, and are dropped from memory.
    pub(crate) deletion: bool,
}

impl From<Event> for Frame {
    fn from(event: Event) -> Self {
        let deletion = matches!(event.body, EventBody::Deleted { .. });
        Self { text: ServerFrame::from(event).encode().into(), deletion }
    }
}

/// The live rooms of this node, by their ids.
#[derive(Clone)]
pub(crate) struct Hub {
    store: Store,
    rooms: Arc<Mutex<HashMap<i64, Weak<LiveRoom>>>>,
}

impl Hub {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, rooms: Arc::default() }
    }

    /// The live room, opened if nobody is in it yet. It lives as long as somebody holds it.
    pub(crate) async fn enter(&self, room: &Room) -> Result<Arc<LiveRoom>, DbErr> {
        let live = {
            let mut rooms = lock(&self.rooms);
            match rooms.get(&room.id).and_then(Weak::upgrade) {
                Some(live) => live,
                None => {
                    rooms.retain(|_, live| live.strong_count() > 0);
                    let live = Arc::new(LiveRoom::new(room.clone(), self.store.clone()));
                    rooms.insert(room.id, Arc::downgrade(&live));
                    live
                }
            }
        };
        live.open().await?;
        Ok(live)
    }

    /// Tells a live room that `frames` are in its log, numbered from `first`. Rooms without connections need nothing.
    pub(crate) fn publish(&self, room_id: i64, first: Seq, frames: Vec<Frame>) {
        if let Some(live) = self.live(room_id) {
            live.publish(first, frames);
        }
    }

    /// Somebody knows of `seq` in this room.
    pub(crate) fn want(&self, room_id: i64, seq: Seq) {
        if let Some(live) = self.live(room_id) {
            live.want(seq);
        }
    }

    /// Compares every live room with the database, and heals those that are behind.
    pub(crate) async fn check(&self) -> Result<(), DbErr> {
        let ids: Vec<i64> = lock(&self.rooms).keys().copied().collect();
        for ids in ids.chunks(1000) {
            for (id, head) in self.store.heads(ids).await? {
                if let Some(live) = self.live(id) {
                    live.want(head);
                }
            }
        }
        Ok(())
    }

    fn live(&self, room_id: i64) -> Option<Arc<LiveRoom>> {
        lock(&self.rooms).get(&room_id).and_then(Weak::upgrade)
    }
}

/// A room with connections on this node.
pub(crate) struct LiveRoom {
    pub(crate) room: Room,
    store: Store,
    opened: OnceCell<()>,
    tail: Mutex<Tail>,
    /// The newest number that connections can have; waking them is all it is for.
    delivered: watch::Sender<Seq>,
}

/// The end of the log, in memory: `frames` are numbered up to `delivered`.
#[derive(Default)]
struct Tail {
    open: bool,
    delivered: Seq,
    frames: VecDeque<Frame>,
    bytes: usize,
    /// The newest number that anybody has spoken of.
    wanted: Seq,
    healing: bool,
}

impl LiveRoom {
    fn new(room: Room, store: Store) -> Self {
        Self { room, store, opened: OnceCell::new(), tail: Mutex::default(), delivered: watch::Sender::new(0) }
    }

    /// Subscribe, then read: what is published while `head` is being read raises `wanted`, and is healed.
    async fn open(self: &Arc<Self>) -> Result<(), DbErr> {
        let read = async {
            let heads = self.store.heads(&[self.room.id]).await?;
            let head = heads.first().map_or(0, |&(_, head)| head);
            {
                let mut tail = lock(&self.tail);
                tail.open = true;
                tail.delivered = head;
            }
            self.want(head);
            Ok(())
        };
        self.opened.get_or_try_init(|| read).await.map(|&()| ())
    }

    /// The newest number delivered on this node.
    pub(crate) fn head(&self) -> Seq {
        lock(&self.tail).delivered
    }

    /// Follows the log from `after`.
    pub(crate) fn subscribe(self: &Arc<Self>, after: Seq) -> Subscription {
        Subscription { live: self.clone(), position: after, delivered: self.delivered.subscribe() }
    }

    /// Somebody knows of `seq`: what lies between is fetched from the log.
    pub(crate) fn want(self: &Arc<Self>, seq: Seq) {
        let mut tail = lock(&self.tail);
        tail.wanted = tail.wanted.max(seq);
        if tail.open && !tail.healing && tail.wanted > tail.delivered {
            tail.healing = true;
            tokio::spawn(heal(Arc::downgrade(self), self.store.clone()));
        }
    }

    fn publish(self: &Arc<Self>, first: Seq, frames: Vec<Frame>) {
        let last = first + frames.len() as Seq - 1;
        let delivered = lock(&self.tail).append(first, frames);
        match delivered {
            Some(delivered) => self.announce(delivered),
            None => self.want(last),
        }
    }

    fn announce(&self, delivered: Seq) {
        self.delivered.send_if_modified(|newest| delivered > std::mem::replace(newest, delivered.max(*newest)));
    }
}

/// Brings a room up to what is wanted of it, by reading the log.
async fn heal(live: Weak<LiveRoom>, store: Store) {
    while let Some(live) = live.upgrade() {
        let after = {
            let mut tail = lock(&live.tail);
            if tail.wanted <= tail.delivered {
                tail.healing = false;
                return;
            }
            tail.delivered
        };
        match store.events_after(live.room.id, after, READ).await {
            // Somebody spoke of a number that is not there.
            Ok(events) if events.is_empty() => {
                let mut tail = lock(&live.tail);
                tail.wanted = tail.delivered;
            }
            Ok(events) => live.publish(after + 1, events.into_iter().map(Frame::from).collect()),
            Err(error) => {
                tracing::warn!(room = live.room.id, %error, "the log cannot be read just now");
                drop(live);
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

impl Tail {
    /// Appends what follows, drops what is there already, and returns the newest number; `None` if there is a gap.
    fn append(&mut self, first: Seq, frames: Vec<Frame>) -> Option<Seq> {
        if !self.open || first > self.delivered + 1 {
            return None;
        }
        let known = (self.delivered + 1 - first) as usize;
        for frame in frames.into_iter().skip(known) {
            if frame.deletion {
                self.frames.clear();
                self.bytes = 0;
            }
            self.delivered += 1;
            self.bytes += frame.text.len();
            self.frames.push_back(frame);
            while self.frames.len() > TAIL_FRAMES || self.bytes > TAIL_BYTES {
                let dropped = self.frames.pop_front().map_or(0, |frame| frame.text.len());
                self.bytes -= dropped;
            }
        }
        Some(self.delivered)
    }

    /// Up to `max` frames after `after`; `None` if they begin before the tail.
    fn after(&self, after: Seq, max: usize) -> Option<Vec<Utf8Bytes>> {
        let skip = after - (self.delivered - self.frames.len() as Seq);
        let skip = usize::try_from(skip).ok()?;
        Some(self.frames.iter().skip(skip).take(max).map(|frame| frame.text.clone()).collect())
    }
}

/// One reader's place in a room's log.
pub(crate) struct Subscription {
    live: Arc<LiveRoom>,
    position: Seq,
    delivered: watch::Receiver<Seq>,
}

impl Subscription {
    /// The last number that this reader has got.
    pub(crate) fn position(&self) -> Seq {
        self.position
    }

    /// The newest number of the log, as far as this node knows.
    pub(crate) fn head(&self) -> Seq {
        self.live.head().max(self.position)
    }

    /// Goes back to `after`, to read again what followed.
    pub(crate) fn rewind(&mut self, after: Seq) {
        self.position = self.position.min(after);
    }

    /// The next frames, at most `max` and at least one, without a gap. Cancelling it loses nothing.
    pub(crate) async fn next(&mut self, max: usize) -> Result<Vec<Utf8Bytes>, DbErr> {
        loop {
            self.delivered.borrow_and_update();
            let frames = {
                let tail = lock(&self.live.tail);
                if self.position < tail.delivered { Some(tail.after(self.position, max)) } else { None }
            };
            let frames = match frames {
                None => {
                    // The sender lives in the room, which this holds: waiting cannot fail.
                    let _ = self.delivered.changed().await;
                    continue;
                }
                Some(Some(frames)) => frames,
                Some(None) => {
                    let events =
                        self.live.store.events_after(self.live.room.id, self.position, READ.min(max as u64)).await?;
                    events.into_iter().map(|event| Frame::from(event).text).collect()
                }
            };
            self.position += frames.len() as Seq;
            return Ok(frames);
        }
    }
}

/// A panic elsewhere leaves these plain values whole, so a poisoned lock is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(numbers: std::ops::RangeInclusive<Seq>) -> Vec<Frame> {
        numbers.map(|n| Frame { text: n.to_string().into(), deletion: false }).collect()
    }

    fn open_at(delivered: Seq) -> Tail {
        Tail { open: true, delivered, ..Tail::default() }
    }

    fn texts(tail: &Tail, after: Seq) -> Option<Vec<String>> {
        tail.after(after, 100).map(|texts| texts.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_follows_is_appended_and_what_is_known_dropped() {
        let mut tail = open_at(3);
        assert_eq!(tail.append(4, frames(4..=5)), Some(5));
        assert_eq!(tail.append(4, frames(4..=6)), Some(6));
        assert_eq!(tail.append(1, frames(1..=2)), Some(6));
        assert_eq!(texts(&tail, 3).unwrap(), ["4", "5", "6"]);
        assert_eq!(texts(&tail, 5).unwrap(), ["6"]);
    }

    #[test]
    fn a_gap_is_noticed() {
        let mut tail = open_at(3);
        assert_eq!(tail.append(5, frames(5..=5)), None);
        assert_eq!(tail.delivered, 3);
        assert_eq!(Tail::default().append(1, frames(1..=1)), None, "a room that is not open knows no number");
    }

    #[test]
    fn a_reader_behind_the_tail_is_told_so() {
        let mut tail = open_at(0);
        tail.append(1, frames(1..=TAIL_FRAMES as Seq + 10));
        assert_eq!(texts(&tail, 5), None);
        assert_eq!(texts(&tail, 10).unwrap()[0], "11");
    }

    #[test]
    fn the_tail_is_bounded_in_bytes_too() {
        let mut tail = open_at(0);
        let large = Frame { text: "x".repeat(TAIL_BYTES / 2).into(), deletion: false };
        tail.append(1, vec![large; 3]);
        assert_eq!(tail.frames.len(), 2);
    }

    #[test]
    fn a_deletion_takes_the_deleted_text_out_of_memory() {
        let mut tail = open_at(0);
        tail.append(1, frames(1..=3));
        tail.append(4, vec![Frame { text: "gone".into(), deletion: true }]);
        assert_eq!(texts(&tail, 2), None);
        assert_eq!(texts(&tail, 3).unwrap(), ["gone"]);
    }
}
