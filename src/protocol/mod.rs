//! Frames on the WebSocket between client and server: one JSON object per text frame. `docs/protocol.md` is the
//! specification for users.

mod client_frame;
pub mod close;
mod repeated_frame;
mod server_frame;
pub use client_frame::{ClientFrame, InvalidFrame};
pub use repeated_frame::RepeatedFrame;
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
