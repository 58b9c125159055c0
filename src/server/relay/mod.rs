//! The doorbell between nodes, over Redis: "room 7 has events 41 to 43, and here they are". Nothing depends on it but
//! speed: every node asks the database every second, too, and at once when it may have missed something.

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

/// Maximum number of bells that were heard and are not yet taken in.
const HEARD: usize = 256;

/// Maximum number of bytes of frames that one bell carries.
const MAX_PAYLOAD_BYTES: usize = 64 << 10;

/// Number of what this version says: 1 tells who is in many rooms by one bell. Nodes that do not say it are at 0.
const SPEAKS: u32 = 1;

/// How the relay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RelayState {
    /// There is no Redis: one node.
    None,
    /// Every known node is heard.
    Ok,
    /// Somebody is not heard; what they write is found in the database, within a second.
    Degraded,
}

/// What goes over Redis: by which node it was rung, and as its how manieth bell. So none is believed twice.
#[derive(Debug, Serialize, Deserialize)]
struct Envelope {
    node: Uuid,
    number: u64,
    /// What the node understands.
    #[serde(default)]
    speaks: u32,
    bell: RelayMessage,
}

/// What the listening line brings.
enum RelayEvent {
    Message(Envelope),
    /// It was silent until now: bells may have gone by.
    Resubscribed,
}

/// What a node tells the others. Nodes of other versions pass over bells and fields that they do not know.
#[derive(Debug, Serialize, Deserialize)]
enum RelayMessage {
    /// Events `first` to `last` are in the log of that epoch; `frames` may be left out.
    Room {
        room: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        epoch: Option<Epoch>,
        first: Seq,
        last: Seq,
        frames: Vec<String>,
    },
    /// Doorbells were lost: look at every room.
    All,
    /// The node is there.
    Beat,
    /// The node ends in good order.
    Leave,
    /// Who is in a room on this node; `asks` for the same from the others.
    Presence { room: i64, present: NodePresence, asks: bool },
    /// The same of many rooms.
    Presences { rooms: Vec<Told> },
    /// Rooms that this node has, and a digest of who is in each.
    Rooms { rooms: Vec<(i64, u64)> },
    /// Somebody in a room is writing; the frame that says so.
    Typing { room: i64, text: String },
}

/// Who is in a room on a node.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) room: i64,
    pub(crate) present: NodePresence,
    /// Whether the others are to tell the same.
    pub(crate) asks: bool,
}

impl RelayMessage {
    /// The room it is about.
    fn room(&self) -> Option<i64> {
        match self {
            Self::Room { room, .. } | Self::Presence { room, .. } | Self::Typing { room, .. } => Some(*room),
            Self::All | Self::Beat | Self::Leave | Self::Presences { .. } | Self::Rooms { .. } => None,
        }
    }

    /// About how many bytes it is.
    fn size(&self) -> usize {
        let rest = match self {
            Self::Room { frames, .. } => frames.iter().map(|frame| frame.len() + 32).sum(),
            Self::Presence { present, .. } => present.size(),
            Self::Presences { rooms } => rooms.iter().map(|told| told.present.size() + 64).sum(),
            Self::Rooms { rooms } => 32 * rooms.len(),
            Self::Typing { text, .. } => text.len(),
            Self::All | Self::Beat | Self::Leave => 0,
        };
        rest + 128
    }
}

/// A cheap-to-clone handle to ring with.
#[derive(Clone)]
pub(crate) struct Relay {
    outbox: Option<Arc<RelayQueue>>,
    /// Whether a node is there that understands no bell about many rooms.
    old_nodes: Arc<AtomicBool>,
    state: state::Receiver<RelayState>,
}

impl Relay {
    /// One node, no Redis.
    pub(crate) fn disabled() -> Self {
        Self { outbox: None, old_nodes: Arc::default(), state: state::Sender::new(RelayState::None).subscribe() }
    }

    /// Starts to ring and to listen at `url`. `secret` is the site's: what was not signed with it is not believed,
    /// and sites that share a Redis do not hear each other.
    pub(crate) fn start(url: &str, secret: &[u8], hub: Hub, tasks: &mut Supervisor) -> ::redis::RedisResult<Self> {
        let client = ::redis::Client::open(url)?;
        let seal = MessageSigner::new(secret);
        let (state, watched) = state::channel(RelayState::Degraded);
        let (heard, hears) = mpsc::channel(HEARD);
        let (outbox, old_nodes) = (Arc::new(RelayQueue::default()), Arc::new(AtomicBool::default()));
        let numbers = redis::Numbers::new(Uuid::new_v4());
        let ringing = Arc::new(Outage::new("the relay cannot be rung", "the relay is rung again"));
        let hearing = Arc::new(Outage::new("the relay is not heard", "the relay is heard again"));
        {
            let watch = NodeMonitor::new(numbers.node(), hub, state, outbox.clone(), old_nodes.clone());
            let parts = Arc::new(Mutex::new((watch, hears)));
            tasks.spawn("relay", move || {
                let parts = parts.clone();
                async move {
                    let (watch, heard) = &mut *parts.lock().await;
                    watch.run(heard).await;
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
            redis::run_subscriber(client.clone(), seal.clone(), heard.clone(), hearing.clone())
        });
        Ok(Self { outbox: Some(outbox), old_nodes, state: watched })
    }

    /// Reaches Redis.
    pub(crate) async fn check(url: &str) -> ::redis::RedisResult<()> {
        ::redis::cmd("PING").exec_async(&mut redis::connect(&::redis::Client::open(url)?).await?).await
    }

    /// Has every node look at its rooms now. For a command, which is no node and stays no longer than this.
    pub(crate) async fn notify_once(url: &str, secret: &[u8]) -> ::redis::RedisResult<()> {
        let seal = MessageSigner::new(secret);
        let rung = Envelope { node: Uuid::new_v4(), number: 1, speaks: SPEAKS, bell: RelayMessage::All };
        let mut connection = redis::connect(&::redis::Client::open(url)?).await?;
        ::redis::cmd("PUBLISH").arg(seal.channel(0)).arg(seal.sign(&rung)).exec_async(&mut connection).await
    }

    /// Whether there may be other nodes.
    pub(crate) fn is_enabled(&self) -> bool {
        self.outbox.is_some()
    }

    /// Tells the other nodes of new events up to `last`: these, or what the database has. Never waits: what cannot be
    /// told now is found in the database.
    pub(crate) fn publish(&self, room: i64, epoch: Option<Epoch>, last: Seq, frames: &[EventFrame]) {
        let Some(outbox) = &self.outbox else { return };
        let first = last + 1 - frames.len() as Seq;
        let fits = frames.iter().map(EventFrame::len).sum::<usize>() <= MAX_PAYLOAD_BYTES;
        let frames = if fits { frames } else { &[] };
        let frames = frames.iter().map(|frame| frame.text().to_owned()).collect();
        outbox.push_message(RelayMessage::Room { room, epoch, first, last, frames });
    }

    /// Whether there is room to tell the other nodes who is here. What is told without it is lost.
    pub(crate) fn takes_hints(&self) -> bool {
        self.outbox.as_ref().is_some_and(|outbox| outbox.takes_hints())
    }

    /// Whether a node is there that is to be told of each room by itself, also of rooms that it may not have.
    pub(crate) fn has_old_nodes(&self) -> bool {
        self.old_nodes.load(Ordering::Relaxed)
    }

    /// Tells the other nodes who is in these rooms on this one.
    pub(crate) fn publish_presence(&self, rooms: Vec<Told>) {
        let Some(outbox) = &self.outbox else { return };
        if self.has_old_nodes() {
            rooms.into_iter().for_each(|Told { room, present, asks }| {
                outbox.push_presence(RelayMessage::Presence { room, present, asks })
            });
        } else if !rooms.is_empty() {
            outbox.push_presence(RelayMessage::Presences { rooms });
        }
    }

    /// Tells the other nodes which rooms this one has, with a digest of who is in each.
    pub(crate) fn tell_rooms(&self, rooms: Vec<(i64, u64)>) {
        if let Some(outbox) = &self.outbox {
            outbox.push_presence(RelayMessage::Rooms { rooms });
        }
    }

    /// Tells the other nodes that somebody is writing.
    pub(crate) fn publish_typing(&self, room: i64, text: &str) {
        if let Some(outbox) = self.outbox.as_ref().filter(|outbox| outbox.takes_hints()) {
            outbox.push_presence(RelayMessage::Typing { room, text: text.to_owned() });
        }
    }

    /// Tells the other nodes that this one ends. Nothing is told after it.
    pub(crate) async fn leave(&self) {
        if let Some(outbox) = &self.outbox {
            outbox.close(RelayMessage::Leave).await;
        }
    }

    /// How many doorbells wait to be rung.
    pub(crate) fn queue_length(&self) -> usize {
        self.outbox.as_ref().map_or(0, |outbox| outbox.len())
    }

    /// How the relay is just now.
    pub(crate) fn state(&self) -> RelayState {
        *self.state.borrow()
    }
}
