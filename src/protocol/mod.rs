//! Frames on the WebSocket between client and server: one JSON object per text frame. `docs/protocol.md` is the
//! specification for users.

mod client_frame;
mod server_frame;
pub use client_frame::{ClientFrame, InvalidFrame};
pub use server_frame::ServerFrame;

use crate::domain::Seq;

/// Maximum size of a frame from a client, in bytes.
pub const MAX_FRAME_BYTES: usize = 16 * 1024;

/// Interval between heartbeats of each side, in milliseconds.
pub const HEARTBEAT_MS: u32 = 20_000;

/// Time without any frame after which a side closes the connection, in milliseconds.
pub const IDLE_TIMEOUT_MS: u32 = 45_000;

/// Maximum number of events that a resume replays. A client that is further behind reloads the page.
pub const MAX_REPLAY: Seq = 1000;

/// Maximum number of participants that are listed. With more, only the count is sent.
pub const MAX_PARTICIPANTS: usize = 100;

/// Close codes; 4000 to 4499 mean "reconnect and resume", 4500 to 4999 "do not reconnect".
///
/// Codes below 4000 are those of RFC 6455, section 7.4.1, and of its IANA registry.
pub mod close {
    /// The peer closed the connection normally.
    pub const NORMAL: u16 = 1000;
    /// The peer violated the WebSocket protocol.
    pub const PROTOCOL: u16 = 1002;
    /// A binary frame was received.
    pub const UNSUPPORTED: u16 = 1003;
    /// A text frame was not UTF-8.
    pub const NOT_UTF8: u16 = 1007;
    /// A frame was longer than [`super::MAX_FRAME_BYTES`].
    pub const TOO_LARGE: u16 = 1009;
    /// The server is restarting.
    pub const RESTARTING: u16 = 1012;
    /// The server cannot serve the room at the moment.
    pub const OVERLOADED: u16 = 1013;
    /// Nothing was received for [`super::IDLE_TIMEOUT_MS`].
    pub const IDLE_TIMEOUT: u16 = 4000;
    /// The client read too slowly.
    pub const TOO_SLOW: u16 = 4001;
    /// The visitor is banned from the room for a while.
    pub const BANNED: u16 = 4503;
    /// The visitor may not enter the room.
    pub const NO_ACCESS: u16 = 4504;
    /// The room was deleted, with everything in it.
    pub const DELETED: u16 = 4505;
}
