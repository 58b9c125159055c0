//! The WebSocket protocol (RFC 6455) as a server speaks it: the handshake, frames read and frames written. Knows nothing
//! of rooms. Written here and not taken from a library, so that one frame's bytes go to every connection as they are,
//! many frames in one write, and an idle connection holds no buffers.

mod connection;
mod decoder;
mod frame;
mod handshake;
mod writer;

pub use connection::{ReadError, Received, Usage, WebSocket};
pub use decoder::ProtocolError;
pub use frame::TextFrame;
pub(crate) use frame::{concat_frames, ping};
pub use handshake::{Handshake, HandshakeRejection};
pub use writer::SocketWriter;
