//! Relay of events and presence between nodes over Redis: "room 7 has events 41 to 43, and here they are". It only
//! reduces latency: every node also queries the database every second, and immediately when it may have missed
//! something.

mod node_monitor;
mod queue;
mod redis;
mod signer;
use super::hub::{EventFrame, Hub, NodePresence};
use super::supervisor::Supervisor;
use super::telemetry::outage::Outage;
use crate::domain::{Epoch, Seq};
use node_monitor::NodeMonitor;
use queue::RelayQueue;
use serde::{Deserialize, Serialize};
use signer::MessageSigner;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Mutex, mpsc, watch as state};
use uuid::Uuid;

/// Maximum number of received messages that are not processed yet.
const HEARD: usize = 256;

/// Maximum size of the frames in one relay message, in bytes.
const MAX_PAYLOAD_BYTES: usize = 64 << 10;

/// Protocol version of this node. Version 1 sends the presence of many rooms in one message. Nodes that send no version
/// are at 0.
const SPEAKS: u32 = 1;

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

/// Envelope of a relay message: the sending node and a per-node sequence number, which protects against replay.
#[derive(Debug, Serialize, Deserialize)]
struct Envelope {
    node: Uuid,
    number: u64,
    /// Protocol version of the node.
    #[serde(default)]
    speaks: u32,
    bell: RelayMessage,
}

/// Event of the subscribing connection.
enum RelayEvent {
    Message(Envelope),
    /// The connection was not subscribed until now: messages may have been missed.
    Resubscribed,
}

/// Message of a node to the others. Nodes of other versions ignore unknown messages and fields.
#[derive(Debug, Serialize, Deserialize)]
enum RelayMessage {
    /// Events `first` to `last` are in the log of this epoch; `frames` may be omitted.
    Room {
        room: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        epoch: Option<Epoch>,
        first: Seq,
        last: Seq,
        frames: Vec<String>,
    },
    /// Relay messages were lost: every room has to be compared with the database.
    All,
    /// The node is alive.
    Beat,
    /// The node shuts down in good order.
    Leave,
    /// The participants of a room on this node; `asks` requests those of the other nodes.
    Presence { room: i64, present: NodePresence, asks: bool },
    /// The participants of many rooms on this node.
    Presences { rooms: Vec<RoomPresence> },
    /// The rooms of this node, with a digest of the participants of each.
    Rooms { rooms: Vec<(i64, u64)> },
    /// A participant is typing. Carries the frame to send.
    Typing { room: i64, text: String },
}

/// The participants of a room on a node.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RoomPresence {
    pub(crate) room: i64,
    pub(crate) present: NodePresence,
    /// Whether the other nodes have to publish their participants too.
    pub(crate) asks: bool,
}

impl RelayMessage {
    /// Returns the room of this message, or `None` if it concerns no single room.
    fn room(&self) -> Option<i64> {
        match self {
            Self::Room { room, .. } | Self::Presence { room, .. } | Self::Typing { room, .. } => Some(*room),
            Self::All | Self::Beat | Self::Leave | Self::Presences { .. } | Self::Rooms { .. } => None,
        }
    }

    /// Returns the approximate size of the message, in bytes.
    fn size(&self) -> usize {
        let rest = match self {
            Self::Room { frames, .. } => frames.iter().map(|frame| frame.len() + 32).sum(),
            Self::Presence { present, .. } => present.size(),
            Self::Presences { rooms } => rooms.iter().map(|room| room.present.size() + 64).sum(),
            Self::Rooms { rooms } => 32 * rooms.len(),
            Self::Typing { text, .. } => text.len(),
            Self::All | Self::Beat | Self::Leave => 0,
        };
        rest + 128
    }
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
        let (received, receiver) = mpsc::channel(HEARD);
        let (outbox, old_nodes) = (Arc::new(RelayQueue::default()), Arc::new(AtomicBool::default()));
        let numbers = redis::Numbers::new(Uuid::new_v4());
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
        let rung = Envelope { node: Uuid::new_v4(), number: 1, speaks: SPEAKS, bell: RelayMessage::All };
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
    pub(crate) fn tell_rooms(&self, rooms: Vec<(i64, u64)>) {
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
