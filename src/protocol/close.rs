//! Close codes; 4000 to 4499 mean "reconnect and resume", 4500 to 4999 "do not reconnect".
//!
//! Codes below 4000 are those of RFC 6455, section 7.4.1, and of its IANA registry.

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
/// The token of the connection was revoked.
pub const REVOKED: u16 = 4506;
