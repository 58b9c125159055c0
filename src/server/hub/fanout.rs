//! Rows of seats: connections that are written to by one task, in one loop. Waking a task per connection would cost as
//! much again as the writing.

use super::in_flight::InFlight;
use super::tail_buffer::TailRead;
use super::write_coalescer::WriteCoalescer;
use super::{LiveRoom, lock};
use crate::domain::Seq;
use crate::server::auth::identity::AuthorId;
use crate::server::websocket::{SocketWriter, TextFrame, concat_frames};
use axum::body::Bytes;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;

/// How many connections one task writes to: enough to be cheap, few enough to occupy every core.
const MAX_SUBSCRIBERS_PER_SHARD: usize = 128;

/// How many events go out in one write.
pub(super) const MAX_BATCH_EVENTS: usize = 64;

/// Bytes of events that go out in one write, beyond the first event: what waits for a client that does not read is not
/// much more.
pub(super) const TURN_BYTES: usize = 32 << 10;

/// Writes after which a row looks whether something else is to be told.
const TURNS: usize = 16;

/// Something that is shown for a moment to everybody but the connection it comes from.
#[derive(Clone, Debug)]
pub(super) struct EphemeralFrame {
    /// `None` when it comes from another node.
    pub(super) from: Option<u64>,
    pub(super) text: TextFrame,
}

/// One connection, for those who deliver to it.
pub(super) struct Subscriber {
    pub(super) connection: u64,
    pub(super) wire: Arc<SocketWriter>,
    /// The last number that it was sent. Who holds this writes.
    position: Mutex<Seq>,
    /// It has not been told who is here now.
    pub(super) owes_presence: AtomicBool,
    pub(super) author: AuthorId,
    /// The close code with which it has to go; 0 while it may stay.
    pub(super) disconnect_code: AtomicU16,
    /// Until when its author says nothing, in UTC milliseconds; 0 if they may.
    muted_until: AtomicI64,
}

impl Subscriber {
    pub(super) fn new(connection: u64, author: AuthorId, wire: Arc<SocketWriter>, after: Seq) -> Self {
        let (position, owes_presence, expelled) = (Mutex::new(after), AtomicBool::new(true), AtomicU16::new(0));
        Self {
            connection,
            wire,
            position,
            owes_presence,
            author,
            disconnect_code: expelled,
            muted_until: AtomicI64::new(0),
        }
    }

    /// Shows nobody that the author is writing until then, in UTC milliseconds.
    pub(super) fn mute(&self, until: i64) {
        self.muted_until.store(until, Ordering::Relaxed);
    }

    /// Whether the author says nothing at this time, in UTC milliseconds.
    pub(super) fn is_muted(&self, now: i64) -> bool {
        self.muted_until.load(Ordering::Relaxed) > now
    }

    /// Has the connection end with this close code.
    pub(super) fn disconnect_with(&self, code: u16) {
        self.disconnect_code.store(code, Ordering::Relaxed);
        self.wire.notify();
    }

    /// Goes on in another history, which is known up to `head`: `reset` comes first.
    pub(super) fn reset_to(&self, reset: &TextFrame, head: Seq) {
        // Held until the reset is queued: what is written next comes after it.
        let mut position = self.position();
        self.wire.enqueue(reset.bytes().clone());
        *position = head;
        drop(position);
        self.wire.notify();
    }

    pub(super) fn position(&self) -> MutexGuard<'_, Seq> {
        lock(&self.position)
    }

    /// Writes the events after `after` up to `last`, if they are what comes next and the socket takes them; else the
    /// connection pulls them itself.
    fn deliver(&self, after: Seq, last: Seq, frames: &Bytes) {
        let mut position = self.position();
        if *position == after && self.wire.try_write(frames) {
            *position = last;
        } else if *position < last {
            self.wire.notify();
        }
    }
}

/// Up to [`SEATS`] connections of a room.
#[derive(Default)]
pub(super) struct SubscriberShard {
    subscribers: Mutex<Vec<Arc<Subscriber>>>,
}

impl SubscriberShard {
    /// Takes `place` in, if there is room.
    pub(super) fn add(&self, place: &Arc<Subscriber>) -> bool {
        let mut places = lock(&self.subscribers);
        let fits = places.len() < MAX_SUBSCRIBERS_PER_SHARD;
        if fits {
            places.push(place.clone());
        }
        fits
    }

    /// Lets go of `place`.
    pub(super) fn remove(&self, place: &Arc<Subscriber>) {
        lock(&self.subscribers).retain(|other| !Arc::ptr_eq(place, other));
    }

    /// Those who sit here just now: nobody waits for the door while they are written to.
    pub(super) fn subscribers(&self) -> Vec<Arc<Subscriber>> {
        lock(&self.subscribers).clone()
    }

    /// Writes what followed `position`, turn by turn, and says how far that goes, and whether there may be more.
    async fn deliver(&self, live: &LiveRoom, mut position: Seq) -> (Seq, bool) {
        for _ in 0..TURNS {
            match live.read_after(position) {
                TailRead::UpToDate => {
                    // In another history, this row goes on where that is known.
                    let head = live.head();
                    if head < position {
                        position = head;
                        self.subscribers().iter().for_each(|place| place.wire.notify());
                    }
                    return (position, false);
                }
                TailRead::Frames(frames) => {
                    let after = position;
                    position += frames.len() as Seq;
                    let frames = concat_frames(&frames);
                    for place in self.subscribers() {
                        place.deliver(after, position, &frames);
                    }
                    live.delivery_timer.delivered();
                }
                TailRead::Evicted => {
                    // It has left the tail. Everybody goes on alone, and this row from here.
                    position = live.head();
                    self.subscribers().iter().for_each(|place| place.wire.notify());
                }
            }
            // What is ready in other rooms is written in between.
            tokio::task::yield_now().await;
        }
        (position, true)
    }
}

/// Writes to a row whatever there is after `position`, for as long as the room lives.
pub(super) async fn run_shard(
    row: Arc<SubscriberShard>,
    live: Weak<LiveRoom>,
    mut position: Seq,
    coming: InFlight,
    mut delivered: watch::Receiver<Seq>,
    mut presence: watch::Receiver<TextFrame>,
    mut hints: broadcast::Receiver<EphemeralFrame>,
) {
    let mut gathering = WriteCoalescer::new();
    loop {
        // In no order: while events come without end, presence and hints have their turn.
        tokio::select! {
            changed = delivered.changed() => {
                gathering.wait(position, &coming, &mut delivered).await;
                let Some(live) = live.upgrade().filter(|_| changed.is_ok()) else { return };
                delivered.borrow_and_update();
                let before = position;
                let more;
                (position, more) = row.deliver(&live, position).await;
                gathering.record_batch((position - before).max(0));
                if more {
                    delivered.mark_changed();
                }
            }
            changed = presence.changed() => {
                if changed.is_err() {
                    return;
                }
                let frame = presence.borrow_and_update().clone();
                for place in row.subscribers() {
                    let told = place.wire.try_write(frame.bytes());
                    if !told {
                        place.owes_presence.store(true, Ordering::Relaxed);
                        place.wire.notify();
                    }
                }
            }
            hint = hints.recv() => match hint {
                Ok(EphemeralFrame { from, text }) => {
                    for place in row.subscribers().iter().filter(|place| Some(place.connection) != from) {
                        place.wire.try_write(text.bytes());
                    }
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
        tokio::task::coop::consume_budget().await;
    }
}
