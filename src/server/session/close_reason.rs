//! Close codes and reasons for the end of a connection.

use crate::protocol::close;
use crate::server::websocket::{ProtocolError, ReadError};

/// A close code, and the reason as text.
pub type CloseReason = (u16, &'static str);

/// The end of a connection whose author is banned.
pub(super) const BANNED_REASON: CloseReason = (close::BANNED, "you are banned from this room for now");

/// Returns the close code and reason for a client that has closed the connection or violated the protocol.
pub fn close_reason(end: ReadError) -> CloseReason {
    match end {
        ReadError::Closed => (close::NORMAL, ""),
        ReadError::Protocol(ProtocolError::TooLarge) => (close::TOO_LARGE, "frames have at most 16 KiB"),
        ReadError::Protocol(ProtocolError::NotUtf8) => (close::NOT_UTF8, "the text is not UTF-8"),
        ReadError::Protocol(ProtocolError::Malformed(_)) => (close::PROTOCOL, "not the WebSocket protocol"),
    }
}
