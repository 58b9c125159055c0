//! What is talked about, in plain Rust that runs anywhere: rooms, usernames, messages and the events of a room's log.

pub mod event;
pub mod identity;
mod invisible;
pub mod json;
pub mod key;
pub mod message;
pub mod moderation;
pub mod page;
pub mod participant;
pub mod rejection;
pub mod room;
pub mod timestamp;
pub mod username;

pub use event::{Event, EventBody, EventId, Seq};
pub use identity::AuthorTag;
pub use key::RoomKey;
pub use message::{Message, MessageText};
pub use page::{HistoryCursor, HistoryPage, ReadMarker, RoomView};
pub use participant::Participant;
pub use rejection::{Rejection, RejectionCode};
pub use room::{Epoch, RoomName};
pub use timestamp::Timestamp;
pub use username::{RememberedUsername, Username};
