//! Messages between nodes.

use crate::domain::{Epoch, Seq};
use crate::server::hub::NodePresence;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Protocol version of this node. Version 1 sends the presence of many rooms in one message. Nodes that send no version
/// are at 0.
pub(super) const RELAY_VERSION: u32 = 1;

/// Envelope of a relay message: the sending node and a per-node sequence number, which protects against replay.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Envelope {
    pub(super) node: Uuid,
    pub(super) number: u64,
    /// Protocol version of the node.
    #[serde(default)]
    pub(super) speaks: u32,
    pub(super) bell: RelayMessage,
}

/// Message of a node to the others. Nodes of other versions ignore unknown messages and fields.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum RelayMessage {
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
    /// The node shuts down.
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
    pub(super) fn room(&self) -> Option<i64> {
        match self {
            Self::Room { room, .. } | Self::Presence { room, .. } | Self::Typing { room, .. } => Some(*room),
            Self::All | Self::Beat | Self::Leave | Self::Presences { .. } | Self::Rooms { .. } => None,
        }
    }

    /// Returns the approximate size of the message, in bytes.
    pub(super) fn size(&self) -> usize {
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
