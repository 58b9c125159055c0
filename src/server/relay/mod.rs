//! Relay of events and presence between nodes over Redis, such as "room 7 has events 41 to 43" with their frames. It
//! only reduces latency: every node also queries the database every second, and immediately when it may have missed
//! something.

mod message;
mod node_monitor;
mod queue;
mod redis;
mod signer;
use super::hub::{EventFrame, Hub};
use super::supervisor::Supervisor;
use super::telemetry::outage::Outage;
use crate::domain::{Epoch, Seq};
pub(crate) use message::RoomPresence;
use message::{Envelope, RELAY_VERSION, RelayMessage};
use node_monitor::NodeMonitor;
use queue::RelayQueue;
use signer::MessageSigner;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Mutex, mpsc, watch as state};
use uuid::Uuid;

/// Maximum number of received messages that are not processed yet.
const RECEIVE_QUEUE_CAPACITY: usize = 256;

/// Maximum size of the frames in one relay message, in bytes.
const MAX_PAYLOAD_BYTES: usize = 64 << 10;

/// State of the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RelayState {
    /// There is no Redis, and only one node.
    None,
    /// Messages of every known node are received.
    Ok,
    /// Messages of a node are not received. Its events are found in the database within a second.
    Degraded,
}

/// Event of the subscribing connection.
enum RelayEvent {
    Message(Envelope),
    /// The connection was not subscribed until now: messages may have been missed.
    Resubscribed,
}

/// Cheap-to-clone handle to publish messages with.
#[derive(Clone)]
pub(crate) struct Relay {
    outbox: Option<Arc<RelayQueue>>,
    /// Whether there is a node that does not understand messages about many rooms.
    old_nodes: Arc<AtomicBool>,
    state: state::Receiver<RelayState>,
}

impl Relay {
    /// Returns the relay of a single node without Redis.
    pub(crate) fn disabled() -> Self {
        Self { outbox: None, old_nodes: Arc::default(), state: state::Sender::new(RelayState::None).subscribe() }
    }

    /// Starts to publish and to subscribe at `url`. Messages that are not signed with the site's `secret` are ignored,
    /// and sites that share a Redis do not receive each other's messages.
    pub(crate) fn start(url: &str, secret: &[u8], hub: Hub, tasks: &mut Supervisor) -> ::redis::RedisResult<Self> {
        let client = ::redis::Client::open(url)?;
        let seal = MessageSigner::new(secret);
        let (state, watched) = state::channel(RelayState::Degraded);
        let (received, receiver) = mpsc::channel(RECEIVE_QUEUE_CAPACITY);
        let (outbox, old_nodes) = (Arc::new(RelayQueue::default()), Arc::new(AtomicBool::default()));
        let numbers = redis::SequenceNumbers::new(Uuid::new_v4());
        let ringing = Arc::new(Outage::new("Publishing to Redis failed", "Publishing to Redis works again"));
        let hearing =
            Arc::new(Outage::new("The relay subscription failed; reconnecting", "The relay subscription works again"));
        {
            let watch = NodeMonitor::new(numbers.node(), hub, state, outbox.clone(), old_nodes.clone());
            let parts = Arc::new(Mutex::new((watch, receiver)));
            tasks.spawn("relay", move || {
                let parts = parts.clone();
                async move {
                    let (watch, received) = &mut *parts.lock().await;
                    watch.run(received).await;
                }
            });
        }
        {
            let (client, seal, outbox) = (client.clone(), seal.clone(), outbox.clone());
            tasks.spawn("relay publisher", move || {
                redis::run_publisher(client.clone(), seal.clone(), numbers.clone(), outbox.clone(), ringing.clone())
            });
        }
        tasks.spawn("relay subscriber", move || {
            redis::run_subscriber(client.clone(), seal.clone(), received.clone(), hearing.clone())
        });
        Ok(Self { outbox: Some(outbox), old_nodes, state: watched })
    }

    /// Checks that Redis is reachable. Returns an error if it is not.
    pub(crate) async fn check(url: &str) -> ::redis::RedisResult<()> {
        ::redis::cmd("PING").exec_async(&mut redis::connect(&::redis::Client::open(url)?).await?).await
    }

    /// Makes every node compare its rooms with the database now. For a command, which is not a node and does not stay
    /// connected.
    pub(crate) async fn notify_once(url: &str, secret: &[u8]) -> ::redis::RedisResult<()> {
        let seal = MessageSigner::new(secret);
        let rung = Envelope { node: Uuid::new_v4(), number: 1, speaks: RELAY_VERSION, bell: RelayMessage::All };
        let mut connection = redis::connect(&::redis::Client::open(url)?).await?;
        ::redis::cmd("PUBLISH").arg(seal.channel(0)).arg(seal.sign(&rung)).exec_async(&mut connection).await
    }

    /// Returns whether there may be other nodes.
    pub(crate) fn is_enabled(&self) -> bool {
        self.outbox.is_some()
    }

    /// Publishes new events up to `last`: these frames, or a hint to read the database. Never waits: events that cannot
    /// be published now are found in the database.
    pub(crate) fn publish(&self, room: i64, epoch: Option<Epoch>, last: Seq, frames: &[EventFrame]) {
        let Some(outbox) = &self.outbox else { return };
        let first = last + 1 - frames.len() as Seq;
        let fits = frames.iter().map(EventFrame::len).sum::<usize>() <= MAX_PAYLOAD_BYTES;
        let frames = if fits { frames } else { &[] };
        let frames = frames.iter().map(|frame| frame.text().to_owned()).collect();
        outbox.push_message(RelayMessage::Room { room, epoch, first, last, frames });
    }

    /// Returns whether the queue accepts presence messages. A message that is queued regardless is lost.
    pub(crate) fn takes_hints(&self) -> bool {
        self.outbox.as_ref().is_some_and(|outbox| outbox.takes_hints())
    }

    /// Returns whether there is a node that needs a separate presence message for each room, even for rooms that it may
    /// not have.
    pub(crate) fn has_old_nodes(&self) -> bool {
        self.old_nodes.load(Ordering::Relaxed)
    }

    /// Publishes the participants of these rooms on this node.
    pub(crate) fn publish_presence(&self, rooms: Vec<RoomPresence>) {
        let Some(outbox) = &self.outbox else { return };
        if self.has_old_nodes() {
            rooms.into_iter().for_each(|RoomPresence { room, present, asks }| {
                outbox.push_presence(RelayMessage::Presence { room, present, asks })
            });
        } else if !rooms.is_empty() {
            outbox.push_presence(RelayMessage::Presences { rooms });
        }
    }

    /// Publishes the rooms of this node, with a digest of the participants of each.
    pub(crate) fn publish_digests(&self, rooms: Vec<(i64, u64)>) {
        if let Some(outbox) = &self.outbox {
            outbox.push_presence(RelayMessage::Rooms { rooms });
        }
    }

    /// Publishes a typing hint.
    pub(crate) fn publish_typing(&self, room: i64, text: &str) {
        if let Some(outbox) = self.outbox.as_ref().filter(|outbox| outbox.takes_hints()) {
            outbox.push_presence(RelayMessage::Typing { room, text: text.to_owned() });
        }
    }

    /// Announces that this node shuts down. Nothing is published after it.
    pub(crate) async fn leave(&self) {
        if let Some(outbox) = &self.outbox {
            outbox.close(RelayMessage::Leave).await;
        }
    }

    /// Returns the number of queued relay messages.
    pub(crate) fn queue_length(&self) -> usize {
        self.outbox.as_ref().map_or(0, |outbox| outbox.len())
    }

    /// Returns the current state of the relay.
    pub(crate) fn state(&self) -> RelayState {
        *self.state.borrow()
    }
}
