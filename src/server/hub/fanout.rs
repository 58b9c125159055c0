//! Fan-out of events to shards of subscribers. One task writes to all subscribers of a shard, because waking a task per
//! connection would cost as much again as the writing.

use super::LiveRoom;
use super::in_flight::InFlight;
use super::tail_buffer::TailRead;
use super::write_coalescer::WriteCoalescer;
use crate::domain::Seq;
use crate::server::auth::identity::AuthorId;
use crate::server::sync::lock;
use crate::server::websocket::{SocketWriter, TextFrame, concat_frames};
use axum::body::Bytes;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;

/// Maximum number of subscribers per fan-out task: enough to be cheap, few enough to occupy every core.
const MAX_SUBSCRIBERS_PER_SHARD: usize = 128;

/// Number of consecutive writes after which a fan-out task checks for presence and hints.
const TURNS: usize = 16;

/// A transient hint, shown to every subscriber except its sender.
#[derive(Clone, Debug)]
pub(super) struct EphemeralFrame {
    /// `None` if the hint comes from another node.
    pub(super) from: Option<u64>,
    pub(super) text: TextFrame,
}

/// A connection as fan-out tasks see it.
pub(super) struct Subscriber {
    pub(super) connection: u64,
    pub(super) wire: Arc<SocketWriter>,
    /// The number of the last event sent to the connection. The holder of the lock writes.
    position: Mutex<Seq>,
    /// Whether the current presence has not been sent to the connection yet.
    pub(super) owes_presence: AtomicBool,
    pub(super) author: AuthorId,
    /// The close code with which the connection has to end; 0 while it may stay.
    pub(super) disconnect_code: AtomicU16,
    /// End of the author's mute, in UTC milliseconds; 0 if the author is not muted.
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

    /// Suppresses typing hints of the author until `until`, in UTC milliseconds.
    pub(super) fn mute(&self, until: i64) {
        self.muted_until.store(until, Ordering::Relaxed);
    }

    /// Returns whether the author is muted at `now`, in UTC milliseconds.
    pub(super) fn is_muted(&self, now: i64) -> bool {
        self.muted_until.load(Ordering::Relaxed) > now
    }

    /// Makes the connection end with this close code.
    pub(super) fn disconnect_with(&self, code: u16) {
        self.disconnect_code.store(code, Ordering::Relaxed);
        self.wire.notify();
    }

    /// Continues in another history, which is known up to `head`. Queues `reset` first.
    pub(super) fn reset_to(&self, reset: &TextFrame, head: Seq) {
        // The lock is held until the reset is queued, so that later events follow it.
        let mut position = self.position();
        self.wire.enqueue(reset.bytes().clone());
        *position = head;
        drop(position);
        self.wire.notify();
    }

    pub(super) fn position(&self) -> MutexGuard<'_, Seq> {
        lock(&self.position)
    }

    /// Writes the events after `after` up to `last` if they come next and the socket takes them. Otherwise notifies the
    /// connection, which pulls them itself.
    fn deliver(&self, after: Seq, last: Seq, frames: &Bytes) {
        let mut position = self.position();
        if *position == after && self.wire.try_write(frames) {
            *position = last;
        } else if *position < last {
            self.wire.notify();
        }
    }
}

/// Up to [`MAX_SUBSCRIBERS_PER_SHARD`] subscribers of a room, served by one fan-out task.
#[derive(Default)]
pub(super) struct SubscriberShard {
    subscribers: Mutex<Vec<Arc<Subscriber>>>,
}

impl SubscriberShard {
    /// Adds a subscriber. Returns `false` if the shard is full.
    pub(super) fn add(&self, place: &Arc<Subscriber>) -> bool {
        let mut places = lock(&self.subscribers);
        let fits = places.len() < MAX_SUBSCRIBERS_PER_SHARD;
        if fits {
            places.push(place.clone());
        }
        fits
    }

    /// Removes a subscriber.
    pub(super) fn remove(&self, place: &Arc<Subscriber>) {
        lock(&self.subscribers).retain(|other| !Arc::ptr_eq(place, other));
    }

    /// Returns a snapshot of the subscribers, so that joining does not wait while events are written.
    pub(super) fn subscribers(&self) -> Vec<Arc<Subscriber>> {
        lock(&self.subscribers).clone()
    }

    /// Writes the events after `position` in batches. Returns the new position and whether more events may follow.
    async fn deliver(&self, live: &LiveRoom, mut position: Seq) -> (Seq, bool) {
        for _ in 0..TURNS {
            match live.read_after(position) {
                TailRead::UpToDate => {
                    // In another history, the shard continues at its known head.
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
                    // The events were evicted from the tail buffer: each subscriber pulls them, and the shard continues
                    // at the head.
                    position = live.head();
                    self.subscribers().iter().for_each(|place| place.wire.notify());
                }
            }
            // Yields so that events of other rooms are written in between.
            tokio::task::yield_now().await;
        }
        (position, true)
    }
}

/// Writes the events after `position` to the subscribers of a shard for as long as the room lives.
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
        // Unbiased, so that presence and hints are sent even under a constant stream of events.
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
