//! Frames from the server. Every event of a room's log is sent as one of these frames.

mod conversion;

use super::RepeatedFrame;
use crate::domain::moderation::Moderation;
use crate::domain::{AuthorTag, Emoji, Epoch, EventId, Participant, Rejection, RoomName, Seq, Timestamp, Username};
use crate::json::{FromJson, JsonValue};
use serde::Serialize;

/// A frame from the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The first frame of every connection.
    Welcome {
        /// The room.
        room_name: RoomName,
        /// Identifies this history of the room.
        epoch: Epoch,
        /// The newest sequence number of the room's log.
        head: Seq,
        /// The visitor's name.
        username: Username,
        /// Distinguishes the visitor from others with the same name.
        tag: AuthorTag,
        /// The title of the room. Nodes of earlier releases send none.
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The topic of the room, empty without one. Nodes of earlier releases send none.
        #[serde(skip_serializing_if = "Option::is_none")]
        topic: Option<String>,
        /// The names that the visitor holds in the room, by which others mention them.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        names: Vec<Username>,
    },
    /// A new message. For its sender, this is the acknowledgement.
    Message {
        /// The sequence number of the event.
        seq: Seq,
        /// The id from the sender.
        id: EventId,
        /// The author's name.
        username: Username,
        /// Distinguishes the author from others with the same name.
        tag: AuthorTag,
        /// The text; empty once the message has been deleted.
        message: String,
        /// The time of storage.
        sent_at: Timestamp,
        /// The number of the message that it replies to.
        #[serde(skip_serializing_if = "Option::is_none")]
        reply_to: Option<Seq>,
        /// The names held in the room that the text mentions.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        mentions: Vec<Username>,
    },
    /// A message was edited.
    Edited {
        /// The sequence number of the event.
        seq: Seq,
        /// The id from the sender.
        id: EventId,
        /// The number of the message.
        target: Seq,
        /// The new text; empty once the message has been deleted.
        text: String,
        /// The names held in the room that the new text mentions.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        mentions: Vec<Username>,
        /// The time of storage.
        at: Timestamp,
    },
    /// A message was deleted.
    Deleted {
        /// The sequence number of the event.
        seq: Seq,
        /// The id from the sender.
        id: EventId,
        /// The number of the message.
        target: Seq,
        /// The time of storage.
        at: Timestamp,
    },
    /// The owner of the room took a moderation action.
    Moderated {
        /// The sequence number of the event.
        seq: Seq,
        /// The id from the sender.
        id: EventId,
        /// The moderation action.
        #[serde(flatten)]
        moderation: Moderation,
        /// The time of storage.
        at: Timestamp,
    },
    /// Somebody reacted to a message, or no longer does.
    Reacted {
        /// The sequence number of the event.
        seq: Seq,
        /// The id from the sender.
        id: EventId,
        /// The number of the message.
        target: Seq,
        /// The emoji.
        emoji: Emoji,
        /// Whether they react with it now.
        on: bool,
        /// Their name.
        username: Username,
        /// Distinguishes them from others with the same name.
        tag: AuthorTag,
        /// The time of storage.
        at: Timestamp,
    },
    /// An event of a type that this version does not know.
    Other {
        /// The sequence number of the event.
        seq: Seq,
        /// The id from the sender; empty if the frame has none.
        id: EventId,
        /// The number of the message that the event refers to, if any.
        #[serde(skip_serializing_if = "Option::is_none")]
        target: Option<Seq>,
        /// The time of storage; 0 if the frame has none.
        at: Timestamp,
    },
    /// A frame from this client was rejected; nothing was stored.
    Rejected {
        /// The id from the sender, if any.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The reason.
        #[serde(flatten)]
        rejection: Rejection,
    },
    /// The current participants. A hint: delivery is not guaranteed.
    Presence {
        /// The number of participants.
        count: usize,
        /// The participants; empty if there are more than [`super::MAX_PARTICIPANTS`].
        participants: Vec<Participant>,
    },
    /// A participant is typing. A hint: delivery is not guaranteed.
    Typing(Participant),
    /// Keeps the connection alive, and reports the head of the log.
    Heartbeat {
        /// The newest sequence number of the room's log.
        head: Seq,
    },
    /// The log cannot be resumed from the client's position. The client must reload the page.
    Reset {
        /// Identifies the current history of the room.
        epoch: Epoch,
        /// The newest sequence number of the room's log.
        head: Seq,
    },
    /// The server is about to stop. The client should reconnect, to another node or to the restarted server.
    Drain {
        /// Delay before the client should reconnect, in milliseconds.
        reconnect_in_ms: u32,
    },
    /// The answer to a command of this client that changes nothing.
    #[serde(untagged)]
    Repeated(RepeatedFrame),
}

impl ServerFrame {
    /// Parses one text frame. A frame with a `seq` is an event: if this version cannot read it, it is
    /// [`Other`](Self::Other). Returns `None` for another frame of an unknown type, and if a field is missing.
    pub fn parse(text: &str) -> Option<Self> {
        let mut json = JsonValue::parse(text)?;
        let kind: String = json.take("type").unwrap_or_default();
        if json.take("repeated") == Some(true) {
            return RepeatedFrame::parse(kind, json).map(Self::Repeated);
        }
        let Some(seq) = json.take("seq") else { return Self::parse_other_frame(&kind, json) };
        let (id, target, at) = (json.take("id"), json.take("target"), json.take("at"));
        let known = Self::parse_event(&kind, (seq, id.clone(), target, at), json);
        Some(known.unwrap_or_else(|| Self::Other {
            seq,
            id: id.unwrap_or_else(|| EventId::from_trusted(String::new())),
            target,
            at: at.unwrap_or(Timestamp(0)),
        }))
    }

    /// Parses the rest of an event, of which the fields that most events have were taken.
    fn parse_event(
        kind: &str,
        (seq, id, target, at): (Seq, Option<EventId>, Option<Seq>, Option<Timestamp>),
        mut json: JsonValue,
    ) -> Option<Self> {
        let id = id?;
        Some(match kind {
            "message" => Self::Message {
                seq,
                id,
                username: json.take("username")?,
                tag: json.take("tag")?,
                message: json.take("message")?,
                sent_at: json.take("sent_at")?,
                reply_to: json.take("reply_to")?,
                mentions: json.take("mentions")?,
            },
            "edited" => {
                let (text, mentions) = (json.take("text")?, json.take("mentions")?);
                Self::Edited { seq, id, target: target?, text, mentions, at: at? }
            }
            "deleted" => Self::Deleted { seq, id, target: target?, at: at? },
            "moderated" => {
                let moderation = Moderation { target, ..Moderation::from_json(json)? };
                Self::Moderated { seq, id, moderation, at: at? }
            }
            "reacted" => Self::Reacted {
                seq,
                id,
                target: target?,
                emoji: json.take("emoji")?,
                on: json.take("on")?,
                username: json.take("username")?,
                tag: json.take("tag")?,
                at: at?,
            },
            _ => return None,
        })
    }

    fn parse_other_frame(kind: &str, mut json: JsonValue) -> Option<Self> {
        Some(match kind {
            "welcome" => Self::Welcome {
                room_name: json.take("room_name")?,
                epoch: json.take("epoch")?,
                head: json.take("head")?,
                username: json.take("username")?,
                tag: json.take("tag")?,
                title: json.take("title")?,
                topic: json.take("topic")?,
                names: json.take("names")?,
            },
            "rejected" => Self::Rejected {
                id: json.take("id")?,
                rejection: Rejection {
                    code: json.take("code")?,
                    detail: json.take("detail")?,
                    retry_after_ms: json.take("retry_after_ms")?,
                },
            },
            "presence" => Self::Presence { count: json.take("count")?, participants: json.take("participants")? },
            "typing" => Self::Typing(Participant { username: json.take("username")?, tag: json.take("tag")? }),
            "heartbeat" => Self::Heartbeat { head: json.take("head")? },
            "reset" => Self::Reset { epoch: json.take("epoch")?, head: json.take("head")? },
            "drain" => Self::Drain { reconnect_in_ms: json.take("reconnect_in_ms")? },
            _ => return None,
        })
    }

    /// Returns the frame as JSON.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("a frame is plain data")
    }
}

#[cfg(test)]
mod tests;
