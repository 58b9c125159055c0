//! Queues of relay messages, both bounded in bytes. Messages with events go first. Presence messages fill the rest of a
//! round trip, so that events never wait behind presence.

use super::RelayMessage;
use crate::server::sync::lock;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// Bounds of the two queues, in bytes.
const MAX_MESSAGE_BYTES: usize = 8 << 20;
const MAX_PRESENCE_BYTES: usize = 128 << 10;

/// Maximum number of bytes of each queue that are published in one round trip.
const MAX_MESSAGE_BATCH_BYTES: usize = 1 << 20;
const MAX_PRESENCE_BATCH_BYTES: usize = 32 << 10;

/// Maximum time that a node takes to announce that it leaves.
const LEAVE_TIMEOUT: Duration = Duration::from_millis(500);

/// Pending relay messages.
#[derive(Default)]
pub(super) struct RelayQueue {
    waiting: Mutex<QueuedMessages>,
    added: Notify,
    left: Notify,
}

#[derive(Default)]
struct QueuedMessages {
    urgent: SizedQueue,
    hints: SizedQueue,
    /// Messages with events were dropped: the other nodes have to compare every room with the database.
    lost: bool,
    /// No further message is accepted.
    closed: bool,
}

#[derive(Default)]
struct SizedQueue {
    bells: VecDeque<RelayMessage>,
    bytes: usize,
}

impl SizedQueue {
    fn push(&mut self, bell: RelayMessage) {
        self.bytes += bell.size();
        self.bells.push_back(bell);
    }

    /// Moves the oldest messages to `taken`: at least one, and at most `most` bytes.
    fn take(&mut self, most: usize, taken: &mut Vec<RelayMessage>) {
        let mut bytes = 0;
        while bytes < most
            && let Some(bell) = self.bells.pop_front()
        {
            bytes += bell.size();
            taken.push(bell);
        }
        self.bytes -= bytes;
    }
}

impl RelayQueue {
    /// Adds a message with events or a heartbeat. If the queue is full, drops it and makes the other nodes compare
    /// their rooms with the database.
    pub(super) fn push_message(&self, bell: RelayMessage) {
        let mut waiting = self.lock();
        if waiting.closed {
            return;
        }
        if waiting.urgent.bytes + bell.size() > MAX_MESSAGE_BYTES {
            waiting.lost = true;
        } else {
            waiting.urgent.push(bell);
        }
        drop(waiting);
        self.added.notify_one();
    }

    /// Adds a presence message. Must not be called if the queue [is full](Self::takes_hints).
    pub(super) fn push_presence(&self, bell: RelayMessage) {
        let mut waiting = self.lock();
        if waiting.closed {
            return;
        }
        waiting.hints.push(bell);
        drop(waiting);
        self.added.notify_one();
    }

    /// Returns whether the queue accepts presence messages.
    pub(super) fn takes_hints(&self) -> bool {
        let waiting = self.lock();
        !waiting.closed && waiting.hints.bytes < MAX_PRESENCE_BYTES
    }

    /// Waits for messages and returns those to publish next, or `None` after the last one. If they cannot be published,
    /// the caller has to [report](Self::lost) them.
    pub(super) async fn next(&self) -> Option<Vec<RelayMessage>> {
        loop {
            {
                let mut waiting = self.lock();
                let mut taken = Vec::new();
                waiting.urgent.take(MAX_MESSAGE_BATCH_BYTES, &mut taken);
                waiting.hints.take(MAX_PRESENCE_BATCH_BYTES, &mut taken);
                if !taken.is_empty() {
                    if std::mem::take(&mut waiting.lost) {
                        taken.insert(0, RelayMessage::All);
                    }
                    return Some(taken);
                }
                if waiting.closed {
                    return None;
                }
            }
            self.added.notified().await;
        }
    }

    /// Records that messages were taken but not published.
    pub(super) fn lost(&self) {
        // The loss is announced before the next message. Retrying immediately would not help while Redis is down.
        self.lock().lost = true;
    }

    /// Records that everything was published.
    pub(super) fn has_left(&self) {
        self.left.notify_one();
    }

    /// Adds the last message, and waits briefly until it is published.
    pub(super) async fn close(&self, last: RelayMessage) {
        {
            let mut waiting = self.lock();
            waiting.hints = SizedQueue::default();
            waiting.urgent.push(last);
            waiting.closed = true;
        }
        self.added.notify_one();
        let _ = timeout(LEAVE_TIMEOUT, self.left.notified()).await;
    }

    /// Returns the number of queued messages.
    pub(super) fn len(&self) -> usize {
        let waiting = self.lock();
        waiting.urgent.bells.len() + waiting.hints.bells.len()
    }

    fn lock(&self) -> MutexGuard<'_, QueuedMessages> {
        lock(&self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(bytes: usize) -> RelayMessage {
        RelayMessage::Room { room: 7, epoch: None, first: 1, last: 1, frames: vec!["x".repeat(bytes)] }
    }

    fn hint() -> RelayMessage {
        RelayMessage::Typing { room: 7, text: "x".repeat(1000) }
    }

    #[tokio::test]
    async fn events_go_first_and_hints_fill_little_of_a_round_trip() {
        let outbox = RelayQueue::default();
        while outbox.takes_hints() {
            outbox.push_presence(hint());
        }
        assert!(outbox.len() * 1000 < 2 * MAX_PRESENCE_BYTES, "they are bounded");
        outbox.push_message(event(10));
        let taken = outbox.next().await.unwrap();
        assert!(matches!(taken[0], RelayMessage::Room { .. }));
        assert!(taken.len() > 1 && taken.iter().map(RelayMessage::size).sum::<usize>() < 2 * MAX_PRESENCE_BATCH_BYTES);
    }

    #[tokio::test]
    async fn an_overflow_becomes_one_request_to_compare_all_rooms() {
        let outbox = RelayQueue::default();
        for _ in 0..1000 {
            outbox.push_message(event(64 << 10));
        }
        assert!(outbox.len() * (64 << 10) <= MAX_MESSAGE_BYTES);
        assert!(matches!(outbox.next().await.unwrap()[0], RelayMessage::All));
        while outbox.len() > 0 {
            assert!(!matches!(outbox.next().await.unwrap()[0], RelayMessage::All), "once");
        }
        outbox.lost();
        outbox.push_message(event(1));
        assert!(matches!(outbox.next().await.unwrap()[0], RelayMessage::All));
    }

    #[tokio::test]
    async fn the_last_bell_is_rung_and_nothing_after_it() {
        let outbox = RelayQueue::default();
        outbox.push_message(event(1));
        let (bells, ()) = tokio::join!(
            async {
                tokio::task::yield_now().await;
                let bells = outbox.next().await.unwrap();
                outbox.push_message(RelayMessage::Beat);
                assert!(outbox.next().await.is_none());
                outbox.has_left();
                bells
            },
            async {
                outbox.close(RelayMessage::Leave).await;
                outbox.push_message(RelayMessage::Beat);
            }
        );
        assert!(matches!(bells.last(), Some(RelayMessage::Leave)));
        assert_eq!(outbox.len(), 0);
    }
}
