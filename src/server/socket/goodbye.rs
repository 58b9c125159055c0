//! What a connection is told at its end.

use crate::protocol::close;
use crate::server::websocket::{Ended, Violation};

/// A close code and the reason in words.
pub type Goodbye = (u16, &'static str);

/// What is said to a client that has ended the connection, or must not go on with it.
pub fn ended(end: Ended) -> Goodbye {
    match end {
        Ended::Gone => (close::NORMAL, ""),
        Ended::Broken(Violation::TooLarge) => (close::TOO_LARGE, "frames have at most 16 KiB here"),
        Ended::Broken(Violation::NotUtf8) => (close::NOT_UTF8, "text is UTF-8 here"),
        Ended::Broken(Violation::Protocol(_)) => (close::PROTOCOL, "this is not the WebSocket protocol"),
    }
}
