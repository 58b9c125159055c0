//! Tracks which nodes are received, and compensates for those that are not.

use super::queue::RelayQueue;
use super::{Envelope, RELAY_VERSION, RelayEvent, RelayMessage, RelayState, RoomPresence};
use crate::domain::{Epoch, Seq};
use crate::server::hub::{EventFrame, Hub, PresenceChange};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

/// Interval of a node's heartbeat, and the silence after which the relay counts as degraded.
const NODE_HEARTBEAT_INTERVAL: Duration = Duration::from_millis(300);
const DEGRADED_AFTER: Duration = Duration::from_millis(1000);

/// Silence after which a node counts as gone.
const NODE_DOWN_AFTER: Duration = Duration::from_secs(10);

/// Time for which published participants are valid unless they are published again.
const PRESENCE_TTL: Duration = Duration::from_secs(30);

/// Interval of checking for nodes that have been silent.
const NODE_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Tracks which nodes are received. Requests a comparison with the database when a node falls silent or is received
/// again, and when this node was briefly not subscribed.
pub(super) struct NodeMonitor {
    hub: Hub,
    state: watch::Sender<RelayState>,
    outbox: Arc<RelayQueue>,
    old_nodes: Arc<AtomicBool>,
    node: Uuid,
    /// This node, which is known from the beginning, and every node that was received.
    nodes: HashMap<Uuid, Node>,
    /// Sequence number of the last message of each node ever received. It is never forgotten, so that a node which has
    /// left cannot be replayed.
    last: HashMap<Uuid, u64>,
    kept: Instant,
}

/// A node that was received.
#[derive(Clone, Copy)]
struct Node {
    received: Instant,
    speaks: u32,
}

impl NodeMonitor {
    pub(super) fn new(
        node: Uuid,
        hub: Hub,
        state: watch::Sender<RelayState>,
        outbox: Arc<RelayQueue>,
        old_nodes: Arc<AtomicBool>,
    ) -> Self {
        let now = Instant::now();
        let long_ago = now.checked_sub(DEGRADED_AFTER * 2).unwrap_or(now);
        let nodes = HashMap::from([(node, Node { received: long_ago, speaks: RELAY_VERSION })]);
        Self { hub, state, outbox, old_nodes, node, nodes, last: HashMap::new(), kept: now }
    }

    pub(super) async fn run(&mut self, received: &mut mpsc::Receiver<RelayEvent>) {
        let mut beat = interval(NODE_HEARTBEAT_INTERVAL);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                something = received.recv() => match something {
                    Some(RelayEvent::Message(rung)) => self.handle_message(rung).await,
                    Some(RelayEvent::Resubscribed) => self.resync(),
                    None => return,
                },
                _ = beat.tick() => {
                    self.outbox.push_message(RelayMessage::Beat);
                    self.update_health().await;
                }
            }
        }
    }

    async fn handle_message(&mut self, Envelope { node, number, speaks, bell }: Envelope) {
        // Events have numbers of their own, so a repetition is harmless. Every other message counts once.
        if !matches!(bell, RelayMessage::Room { .. }) && number <= self.last.get(&node).copied().unwrap_or_default() {
            return;
        }
        let last = self.last.entry(node).or_default();
        *last = number.max(*last);
        match bell {
            RelayMessage::Room { room, epoch, last, frames, .. } => self.room(room, epoch, last, &frames),
            RelayMessage::All => self.hub.request_reconcile(),
            RelayMessage::Beat => drop(self.nodes.insert(node, Node { received: Instant::now(), speaks })),
            // A node ignores its own messages, other than events.
            _ if node == self.node => {}
            RelayMessage::Leave => {
                self.nodes.remove(&node);
                self.keep().await;
                self.update_health().await;
            }
            RelayMessage::Presence { room, present, asks } => self.presence(node, RoomPresence { room, present, asks }),
            RelayMessage::Presences { rooms } => rooms.into_iter().for_each(|room| self.presence(node, room)),
            RelayMessage::Rooms { rooms } => {
                rooms.into_iter().for_each(|(room, digest)| self.hub.merge_digest(node, room, digest))
            }
            RelayMessage::Typing { room, text } => self.hub.relay_typing(room, &text),
        }
    }

    fn presence(&self, node: Uuid, RoomPresence { room, present, asks }: RoomPresence) {
        self.hub.merge_remote_presence(node, room, present);
        if asks {
            self.hub.notify_presence(PresenceChange::Local(room));
        }
    }

    fn room(&self, room: i64, epoch: Option<Epoch>, last: Seq, frames: &[String]) {
        if epoch.is_some() && self.hub.epoch(room).is_some_and(|own| Some(own) != epoch) {
            // One of the two nodes follows another history than the database.
            return self.hub.request_reconcile();
        }
        // A newer version may have sent frames without numbers.
        match frames.iter().map(|text| EventFrame::parse(text)).collect::<Option<Vec<EventFrame>>>() {
            Some(frames) if !frames.is_empty() => self.hub.publish(room, frames),
            _ => self.hub.catch_up_to(room, last),
        }
    }

    async fn update_health(&mut self) {
        self.nodes.retain(|node, state| *node == self.node || state.received.elapsed() < NODE_DOWN_AFTER);
        self.old_nodes.store(self.nodes.values().any(|state| state.speaks < RELAY_VERSION), Ordering::Relaxed);
        let silent = self.nodes.values().any(|state| state.received.elapsed() > DEGRADED_AFTER);
        let now = if silent { RelayState::Degraded } else { RelayState::Ok };
        let before = self.state.send_replace(now);
        if now != before {
            tracing::info!(state = ?now, "relay");
            self.resync();
        }
        if self.kept.elapsed() >= NODE_CHECK_INTERVAL {
            self.keep().await;
        }
    }

    /// Requests a comparison of everything, because any message may have been missed.
    fn resync(&self) {
        self.hub.notify_presence(PresenceChange::Resync);
        self.hub.request_reconcile();
    }

    /// Forgets the participants of nodes that have gone.
    async fn keep(&mut self) {
        self.kept = Instant::now();
        let nodes: Vec<Uuid> = self.nodes.keys().copied().collect();
        self.hub.prune_nodes(&nodes, PRESENCE_TTL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::store::Store;

    struct Listener {
        watch: NodeMonitor,
        state: watch::Receiver<RelayState>,
        old_nodes: Arc<AtomicBool>,
        numbers: u64,
        _directory: tempfile::TempDir,
    }

    impl Listener {
        async fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let store = Store::open(&format!("sqlite://{}/parlour.db", directory.path().display())).await.unwrap();
            let (hub, _changes) = Hub::new(store);
            let (sender, state) = watch::channel(RelayState::Degraded);
            let old_nodes = Arc::new(AtomicBool::default());
            let watch = NodeMonitor::new(Uuid::from_u128(1), hub, sender, Arc::default(), old_nodes.clone());
            Self { watch, state, old_nodes, numbers: 0, _directory: directory }
        }

        async fn receive_from(&mut self, node: u128, speaks: u32, bell: RelayMessage) {
            self.numbers += 1;
            self.watch
                .handle_message(Envelope { node: Uuid::from_u128(node), number: self.numbers, speaks, bell })
                .await;
            self.watch.update_health().await;
        }

        /// Sets the time since the node was last received.
        fn silent(&mut self, node: u128, silence: Duration) {
            self.watch.nodes.get_mut(&Uuid::from_u128(node)).unwrap().received =
                Instant::now().checked_sub(silence).unwrap();
        }
    }

    #[tokio::test]
    async fn a_node_that_says_that_it_leaves_is_not_waited_for() {
        let mut listener = Listener::new().await;
        listener.receive_from(1, RELAY_VERSION, RelayMessage::Beat).await;
        listener.receive_from(2, RELAY_VERSION, RelayMessage::Beat).await;
        assert_eq!(*listener.state.borrow(), RelayState::Ok);
        listener.silent(2, DEGRADED_AFTER * 2);
        listener.receive_from(1, RELAY_VERSION, RelayMessage::Beat).await;
        assert_eq!(*listener.state.borrow(), RelayState::Degraded, "one that has said nothing is missed");
        listener.receive_from(2, RELAY_VERSION, RelayMessage::Leave).await;
        assert_eq!(*listener.state.borrow(), RelayState::Ok);
        // A replayed message.
        listener.numbers = 1;
        listener.receive_from(2, RELAY_VERSION, RelayMessage::Beat).await;
        assert!(!listener.watch.nodes.contains_key(&Uuid::from_u128(2)), "it has gone");
    }

    #[tokio::test]
    async fn nodes_of_the_version_before_are_known_as_long_as_they_are_there() {
        let mut listener = Listener::new().await;
        listener.receive_from(1, RELAY_VERSION, RelayMessage::Beat).await;
        listener.receive_from(2, 0, RelayMessage::Beat).await;
        assert!(listener.old_nodes.load(Ordering::Relaxed));
        listener.silent(2, NODE_DOWN_AFTER * 2);
        listener.receive_from(1, RELAY_VERSION, RelayMessage::Beat).await;
        assert!(!listener.old_nodes.load(Ordering::Relaxed));
    }
}
