//! Answers to commands that change nothing.

use crate::domain::moderation::ModerationAction;
use crate::domain::{AuthorTag, Emoji, Event, EventBody, EventId, Seq, Timestamp, Username};
use crate::json::{FromJson, JsonValue};
use serde::Serialize;

/// The event that made the state which a command asked for, with the command's own id. It is the answer to its sender
/// alone, and takes no number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepeatedFrame {
    /// The type of the event: `reacted` or `moderated`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The sequence number of the event, or `None` if the state has never been another.
    pub seq: Option<Seq>,
    /// The id of the command.
    pub id: EventId,
    /// The moderation action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<ModerationAction>,
    /// The number of the message.
    pub target: Seq,
    /// The emoji of a reaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emoji: Option<Emoji>,
    /// Whether a reaction was added, not taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<bool>,
    /// The name at a reaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<Username>,
    /// The tag at a reaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<AuthorTag>,
    /// The time of storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Always `true`: distinguishes the frame from the event.
    pub repeated: bool,
}

impl RepeatedFrame {
    /// Returns the answer with this event, whose number is 0 if there is none. Returns `None` if commands of its type
    /// are not answered so.
    pub fn of(Event { seq, id, at, body }: Event) -> Option<Self> {
        let is_stored = seq > 0;
        let frame = |kind: &str, target| Self {
            kind: kind.to_owned(),
            seq: Some(seq).filter(|_| is_stored),
            id,
            action: None,
            target,
            emoji: None,
            on: None,
            username: None,
            tag: None,
            at: Some(at).filter(|_| is_stored),
            repeated: true,
        };
        match body {
            EventBody::Reacted { target, emoji, on, username, tag } => Some(Self {
                emoji: Some(emoji),
                on: Some(on),
                username: Some(username).filter(|_| is_stored),
                tag: Some(tag).filter(|_| is_stored),
                ..frame("reacted", target)
            }),
            EventBody::Moderated(moderation) if moderation.action.has_message() => {
                Some(Self { action: Some(moderation.action), ..frame("moderated", moderation.target?) })
            }
            _ => None,
        }
    }

    /// Returns the frame as JSON.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("a frame is plain data")
    }

    pub(super) fn parse(kind: String, mut json: JsonValue) -> Option<Self> {
        let on = match json.take("on")? {
            JsonValue::Null => None,
            on => Some(bool::from_json(on)?),
        };
        Some(Self {
            kind,
            seq: json.take("seq")?,
            id: json.take("id")?,
            action: json.take("action")?,
            target: json.take("target")?,
            emoji: json.take("emoji")?,
            on,
            username: json.take("username")?,
            tag: json.take("tag")?,
            at: json.take("at")?,
            repeated: true,
        })
    }
}
