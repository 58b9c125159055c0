//! Frames on the live socket: what client and server say to each other, one JSON object per text frame.
//! `docs/protocol.md` states it for users.

mod client_frame;
mod server_frame;
pub use client_frame::{ClientFrame, InvalidFrame};
pub use server_frame::ServerFrame;

use crate::domain::Seq;

/// The longest frame a client may send, in bytes.
pub const MAX_FRAME_BYTES: usize = 16 * 1024;

/// How often each side makes itself heard, in milliseconds.
pub const HEARTBEAT_MS: u32 = 20_000;

/// After so much silence a side gives the connection up, in milliseconds.
pub const IDLE_TIMEOUT_MS: u32 = 45_000;

/// How many events a resume replays at most; whoever is further behind loads the page again.
pub const MAX_REPLAY: Seq = 1000;

/// Up to so many participants are named; of more, only the count is told.
pub const MAX_PARTICIPANTS: usize = 100;

/// Close codes; 4000 to 4499 mean "reconnect and resume", 4500 to 4999 "do not reconnect".
///
/// Codes below 4000 are those of RFC 6455, section 7.4.1, and of its IANA registry.
pub mod close {
    /// The other side has left.
    pub const NORMAL: u16 = 1000;
    /// The bytes are not of the WebSocket protocol.
    pub const PROTOCOL: u16 = 1002;
    /// A binary frame came.
    pub const UNSUPPORTED: u16 = 1003;
    /// A text frame was not UTF-8.
    pub const NOT_UTF8: u16 = 1007;
    /// A frame was longer than [`super::MAX_FRAME_BYTES`].
    pub const TOO_LARGE: u16 = 1009;
    /// The server is restarting.
    pub const RESTARTING: u16 = 1012;
    /// The server cannot serve the room just now.
    pub const OVERLOADED: u16 = 1013;
    /// Nothing was heard for [`super::SILENCE_MS`].
    pub const IDLE_TIMEOUT: u16 = 4000;
    /// The reader did not keep up.
    pub const TOO_SLOW: u16 = 4001;
    /// The visitor is banned from the room for a while.
    pub const BANNED: u16 = 4503;
    /// The visitor may not enter the room.
    pub const NO_ACCESS: u16 = 4504;
    /// The room was deleted, with everything in it.
    pub const DELETED: u16 = 4505;
}
