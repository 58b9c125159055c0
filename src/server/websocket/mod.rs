//! Connections that HTTP hands over: the server side of the WebSocket protocol (RFC 6455), with the handshake and frames
//! in both directions, and event streams, which are only written to. It is independent of rooms. It is implemented here
//! and not taken from a library, so that connections share the encoded bytes of a frame, many frames go out in one
//! write, and an idle connection holds no buffers.

mod connection;
mod decoder;
mod event_stream;
mod frame;
mod frame_encoding;
mod handshake;
mod takeover;
mod writer;

pub use connection::{ReadError, Received, Usage, WebSocket};
pub use decoder::ProtocolError;
pub(crate) use event_stream::EventStream;
pub use frame::TextFrame;
pub(crate) use frame::ping;
pub(crate) use frame_encoding::EncodedFrames;
pub use frame_encoding::FrameEncoding;
pub use handshake::{Handshake, HandshakeRejection};
pub use takeover::{HeadOnly, TakenConnection, Takeover};
pub(crate) use writer::FlushResult;
pub use writer::SocketWriter;
