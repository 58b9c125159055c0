//! Pages: pieces of a room's history as the browser gets them.

use super::{AuthorTag, Epoch, EventId, Message, RoomName, Seq, Username};
use crate::json::{FromJson, JsonValue, from_str_enum, read_by_name};
use serde::{Deserialize, Serialize};

/// How many messages a page holds.
pub const PAGE_SIZE: u64 = 50;

/// Unread messages are counted in so many rooms at most.
pub const MAX_UNREAD_ROOMS: usize = 30;

/// So many unread messages are counted in a room at most.
pub const MAX_UNREAD_COUNT: u64 = 100;

/// A room as its page shows it at first: who is looking, and the newest messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomView {
    /// The room.
    pub room: RoomName,
    /// Which history of it this is.
    pub epoch: Epoch,
    /// The newest number of its log when the page was made.
    pub head: Seq,
    /// The name the visitor goes by: the remembered one, else the one the address asks for, if any.
    pub username: Option<Username>,
    /// Tells the visitor from others of the same name.
    pub tag: AuthorTag,
    /// The message that the address names, if it names one.
    pub permalink: Option<Seq>,
    /// The id under which the page's form posts: sending it twice stores it once.
    pub form_id: EventId,
    /// The newest messages, or those around the permalink.
    pub history: HistoryPage,
    /// Whose the room is.
    pub ownership: Ownership,
    /// The address that invites others: path and, of a private room whose invitation was renewed, query.
    pub invitation: String,
}

/// Whose a room is, for somebody who looks at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Ownership {
    /// Nobody has spoken in it. Whoever does first will own it.
    #[default]
    #[serde(rename = "Nobodys")]
    Unowned,
    /// The visitor's own.
    #[serde(rename = "Yours")]
    Own,
    /// Somebody else's.
    #[serde(rename = "Anothers")]
    Other,
}

/// Consecutive messages of a room, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HistoryPage {
    /// At most [`PAGE_SIZE`] of them.
    pub messages: Vec<Message>,
    /// Whether the room has messages before these.
    pub more_before: bool,
    /// Whether the room has messages after these.
    pub more_after: bool,
}

/// Which messages of a room a page shall hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryCursor {
    /// The newest ones.
    Newest,
    /// Those before this number.
    Before(Seq),
    /// Those after this number.
    After(Seq),
    /// Those around this number.
    Around(Seq),
}

/// How far somebody has read in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMarker {
    /// The room.
    pub room: RoomName,
    /// The last number that was read.
    pub read: Seq,
}

read_by_name!(RoomView { room, epoch, head, username, tag, permalink, form_id, history, ownership, invitation });
read_by_name!(HistoryPage { messages, more_before, more_after });

impl FromJson for Ownership {
    fn from_json(json: JsonValue) -> Option<Self> {
        from_str_enum(json)
    }
}
