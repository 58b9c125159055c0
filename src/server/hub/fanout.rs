//! Fan-out of events to shards of subscribers. One task writes to all subscribers of a shard, because waking a task per
//! connection would cost as much again as the writing.

use super::LiveRoom;
use super::in_flight::InFlight;
use super::subscriber::Subscriber;
use super::tail_buffer::{StreamPosition, TailRead};
use super::write_coalescer::WriteCoalescer;
use crate::domain::Seq;
use crate::server::sync::lock;
use crate::server::websocket::{EncodedFrames, TextFrame};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;

/// Maximum number of subscribers per fan-out task: enough to be cheap, few enough to occupy every core.
const MAX_SUBSCRIBERS_PER_SHARD: usize = 128;

/// Number of consecutive writes after which a fan-out task checks for presence and hints.
const MAX_CONSECUTIVE_BATCHES: usize = 16;

/// A transient hint, shown to every subscriber except its sender.
#[derive(Clone, Debug)]
pub(super) struct EphemeralFrame {
    /// `None` if the hint comes from another node.
    pub(super) from: Option<u64>,
    pub(super) text: TextFrame,
}

/// Up to [`MAX_SUBSCRIBERS_PER_SHARD`] subscribers of a room, served by one fan-out task.
#[derive(Default)]
pub(super) struct SubscriberShard {
    subscribers: Mutex<Vec<Arc<Subscriber>>>,
}

impl SubscriberShard {
    /// Adds a subscriber. Returns `false` if the shard is full.
    pub(super) fn add(&self, subscriber: &Arc<Subscriber>) -> bool {
        let mut subscribers = lock(&self.subscribers);
        let fits = subscribers.len() < MAX_SUBSCRIBERS_PER_SHARD;
        if fits {
            subscribers.push(subscriber.clone());
        }
        fits
    }

    /// Removes a subscriber.
    pub(super) fn remove(&self, subscriber: &Arc<Subscriber>) {
        lock(&self.subscribers).retain(|other| !Arc::ptr_eq(subscriber, other));
    }

    /// Returns a snapshot of the subscribers, so that joining does not wait while events are written.
    pub(super) fn subscribers(&self) -> Vec<Arc<Subscriber>> {
        lock(&self.subscribers).clone()
    }

    /// Writes the events after `position` in batches. Returns the new position and whether more events may follow.
    /// `overdue` is the time since gathering them has ended, if they were gathered for a crowd.
    async fn deliver(&self, live: &LiveRoom, mut position: Seq, overdue: Option<Duration>) -> (Seq, bool) {
        for _ in 0..MAX_CONSECUTIVE_BATCHES {
            match live.read_after(position) {
                TailRead::UpToDate => {
                    // In another history, the shard continues at its known head.
                    let head = live.head();
                    if head < position {
                        position = head;
                        self.subscribers().iter().for_each(|subscriber| subscriber.writer.notify());
                    }
                    return (position, false);
                }
                TailRead::Frames(frames) => {
                    let after = position;
                    position += frames.len() as Seq;
                    let frames = EncodedFrames::new(&frames);
                    for subscriber in self.subscribers() {
                        subscriber.deliver(after, position, &frames);
                    }
                    live.delivery_timer.delivered(overdue);
                }
                TailRead::Evicted => {
                    // The events were evicted from the tail buffer: each subscriber pulls them, and the shard continues
                    // at the head.
                    position = live.head();
                    self.subscribers().iter().for_each(|subscriber| subscriber.writer.notify());
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
    shard: Arc<SubscriberShard>,
    live: Weak<LiveRoom>,
    mut position: Seq,
    in_flight: InFlight,
    mut delivered: watch::Receiver<StreamPosition>,
    mut presence: watch::Receiver<TextFrame>,
    mut hints: broadcast::Receiver<EphemeralFrame>,
) {
    let mut coalescer = WriteCoalescer::new(delivered.borrow().bytes);
    loop {
        // Unbiased, so that presence and hints are sent even under a constant stream of events.
        tokio::select! {
            changed = delivered.changed() => {
                coalescer.wait(position, &in_flight, &mut delivered).await;
                let Some(live) = live.upgrade().filter(|_| changed.is_ok()) else { return };
                let newest = *delivered.borrow_and_update();
                let before = position;
                let has_more;
                (position, has_more) = shard.deliver(&live, position, coalescer.overdue()).await;
                let coalescing_delay = if has_more { Duration::ZERO } else { live.coalescing_delay() };
                coalescer.record_batch((position - before).max(0), newest.bytes, coalescing_delay);
                if has_more {
                    delivered.mark_changed();
                }
            }
            changed = presence.changed() => {
                if changed.is_err() {
                    return;
                }
                let frame = presence.borrow_and_update().clone();
                for subscriber in shard.subscribers().iter().filter(|subscriber| subscriber.has_hints()) {
                    let is_written = subscriber.writer.try_write(frame.bytes());
                    if !is_written {
                        subscriber.owes_presence.store(true, Ordering::Relaxed);
                        subscriber.writer.notify();
                    }
                }
            }
            hint = hints.recv() => match hint {
                Ok(EphemeralFrame { from, text }) => {
                    for subscriber in shard.subscribers().iter().filter(|to| to.has_hints() && Some(to.connection) != from) {
                        subscriber.writer.try_write(text.bytes());
                    }
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
        tokio::task::coop::consume_budget().await;
    }
}
