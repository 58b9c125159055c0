//! Pages of a room's history, as the browser gets them.

use super::moderation::Moderation;
use super::{AuthorTag, Epoch, EventId, Message, Quote, RoomName, Seq, Timestamp, Username};
use crate::json::{FromJson, JsonValue, from_names, read_by_name};
use serde::{Deserialize, Serialize};

/// Maximum number of messages per page.
pub const PAGE_SIZE: u64 = 50;

/// Maximum number of rooms whose unread messages are counted in one request.
pub const MAX_UNREAD_ROOMS: usize = 30;

/// Maximum unread count of a room; counting stops there.
pub const MAX_UNREAD_COUNT: u64 = 100;

/// The initial state of a room page: the visitor, and the newest messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomView {
    /// The room.
    pub room: RoomName,
    /// Identifies this history of the room.
    pub epoch: Epoch,
    /// The newest sequence number of the room's log when the page was rendered.
    pub head: Seq,
    /// The visitor's name: the remembered one, or else the one in the URL, if any.
    pub username: Option<Username>,
    /// Distinguishes the visitor from others with the same name.
    pub tag: AuthorTag,
    /// The message that the URL links to, if any.
    pub permalink: Option<Seq>,
    /// The message that the page's form replies to, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replying: Option<Quote>,
    /// The id under which the page's form posts: sending it twice stores it once.
    pub form_id: EventId,
    /// The newest messages, or those around the permalink.
    pub history: HistoryPage,
    /// The owner of the room, relative to the visitor.
    pub ownership: Ownership,
    /// The tag of the owner, if the room has one.
    pub owner: Option<AuthorTag>,
    /// The invitation link: a path, and a query if the invitation to a private room was renewed.
    pub invitation: String,
    /// The title of the room, if it is not the room's name.
    pub title: Option<String>,
    /// The topic of the room, if it has one.
    pub topic: Option<String>,
    /// Whether no new visitors can enter.
    pub locked: bool,
    /// The minimum time between two messages of a participant, in seconds; `None` without slow mode.
    pub slow_mode: Option<u32>,
    /// The end of the visitor's mute; `None` if the visitor is not muted.
    pub muted_until: Option<Timestamp>,
    /// The message that was pinned last, if one is pinned.
    pub pin: Option<Quote>,
}

impl RoomView {
    /// Returns a view of which nothing is known: without a name, an epoch, a visitor or messages.
    pub fn empty() -> Self {
        Self {
            room: RoomName::from_trusted(String::new()),
            epoch: Epoch(String::new()),
            head: 0,
            username: None,
            tag: AuthorTag::from_trusted(String::new()),
            permalink: None,
            replying: None,
            form_id: EventId::from_trusted(String::new()),
            history: HistoryPage::default(),
            ownership: Ownership::default(),
            owner: None,
            invitation: String::new(),
            title: None,
            topic: None,
            locked: false,
            slow_mode: None,
            muted_until: None,
            pin: None,
        }
    }

    /// Returns the title that visitors see.
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(self.room.title())
    }
}

/// The owner of a room, relative to a visitor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Ownership {
    /// The room has no messages yet. The author of the first message becomes the owner.
    #[default]
    #[serde(rename = "Nobodys")]
    Unowned,
    /// The visitor owns the room.
    #[serde(rename = "Yours")]
    Own,
    /// Another visitor owns the room.
    #[serde(rename = "Anothers")]
    Other,
}

/// Consecutive messages of a room, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HistoryPage {
    /// The messages, at most [`PAGE_SIZE`].
    pub messages: Vec<Message>,
    /// Whether the room has messages before these.
    pub more_before: bool,
    /// Whether the room has messages after these.
    pub more_after: bool,
    /// The messages that these reply to, as far as they are not among these and the room still has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quotes: Vec<Quote>,
    /// The moderation events between and after these messages, at most [`PAGE_SIZE`], oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<EventNote>,
}

/// A moderation event, which stands between the messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventNote {
    /// The number of the event.
    pub seq: Seq,
    /// The time of the event.
    pub at: Timestamp,
    /// The action.
    pub moderation: Moderation,
}

/// The position of a page in a room's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryCursor {
    /// The newest messages.
    Newest,
    /// The messages before this number.
    Before(Seq),
    /// The messages after this number.
    After(Seq),
    /// The messages around this number.
    Around(Seq),
}

/// The visitor's read position in a room.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReadMarker {
    /// The room.
    pub room: RoomName,
    /// The number of the last message that was read.
    pub read: Seq,
}

read_by_name!(RoomView {
    room,
    epoch,
    head,
    username,
    tag,
    permalink,
    replying,
    form_id,
    history,
    ownership,
    owner,
    invitation,
    title,
    topic,
    locked,
    slow_mode,
    muted_until,
    pin
});
read_by_name!(HistoryPage { messages, more_before, more_after, quotes, notes });
read_by_name!(EventNote { seq, at, moderation });

impl FromJson for Ownership {
    fn from_json(json: JsonValue) -> Option<Self> {
        from_names(json, &[("Nobodys", Self::Unowned), ("Yours", Self::Own), ("Anothers", Self::Other)])
    }
}
