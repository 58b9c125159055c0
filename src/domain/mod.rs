//! Domain types, without I/O, for the server and the browser: rooms, usernames, messages and the events of a room's
//! log.

pub mod author_tag;
pub mod emoji;
pub mod epoch;
pub mod event;
pub mod history;
pub mod mention;
pub mod message;
pub mod moderation;
pub mod participant;
pub mod quote;
pub mod rejection;
pub mod room;
pub mod room_key;
pub mod room_preview;
pub mod room_text;
pub mod timestamp;
mod unicode;
pub mod username;

pub use author_tag::AuthorTag;
pub use emoji::{Emoji, MessageReactions, ReactionCount, ReactionsPage, Reactors};
pub use epoch::Epoch;
pub use event::{Event, EventBody, EventId, Seq};
pub use history::{EventNote, HistoryCursor, HistoryPage, ReadMarker, RoomView};
pub use message::{Message, MessageText};
pub use participant::Participant;
pub use quote::Quote;
pub use rejection::{Rejection, RejectionCode};
pub use room::RoomName;
pub use room_key::RoomKey;
pub use room_preview::{LastMessage, RoomPosition, RoomPreview, RoomPreviews};
pub use room_text::RoomText;
pub use timestamp::Timestamp;
pub use username::{RememberedUsername, Username};
