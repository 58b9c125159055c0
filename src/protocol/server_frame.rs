//! Frames from the server. Every event of a room's log is sent as one of these frames.

use crate::domain::moderation::Moderation;
use crate::domain::{
    AuthorTag, Epoch, Event, EventBody, EventId, Participant, Rejection, RoomName, Seq, Timestamp, Username,
};
use crate::json::JsonValue;
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
}

impl ServerFrame {
    /// Parses one text frame. Returns `None` if this version does not know its type, or if a field is missing.
    pub fn parse(text: &str) -> Option<Self> {
        let mut it = JsonValue::parse(text)?;
        let kind: String = it.take("type")?;
        Some(match kind.as_str() {
            "welcome" => Self::Welcome {
                room_name: it.take("room_name")?,
                epoch: it.take("epoch")?,
                head: it.take("head")?,
                username: it.take("username")?,
                tag: it.take("tag")?,
                title: it.take("title")?,
                topic: it.take("topic")?,
            },
            "message" => Self::Message {
                seq: it.take("seq")?,
                id: it.take("id")?,
                username: it.take("username")?,
                tag: it.take("tag")?,
                message: it.take("message")?,
                sent_at: it.take("sent_at")?,
            },
            "edited" => Self::Edited {
                seq: it.take("seq")?,
                id: it.take("id")?,
                target: it.take("target")?,
                text: it.take("text")?,
                at: it.take("at")?,
            },
            "deleted" => Self::Deleted {
                seq: it.take("seq")?,
                id: it.take("id")?,
                target: it.take("target")?,
                at: it.take("at")?,
            },
            "moderated" => Self::Moderated {
                seq: it.take("seq")?,
                id: it.take("id")?,
                moderation: Moderation {
                    action: it.take("action")?,
                    subject: it.take("subject")?,
                    until: it.take("until")?,
                    seconds: it.take("seconds")?,
                    text: it.take("text")?,
                },
                at: it.take("at")?,
            },
            "rejected" => Self::Rejected {
                id: it.take("id")?,
                rejection: Rejection {
                    code: it.take("code")?,
                    detail: it.take("detail")?,
                    retry_after_ms: it.take("retry_after_ms")?,
                },
            },
            "presence" => Self::Presence { count: it.take("count")?, participants: it.take("participants")? },
            "typing" => Self::Typing(Participant { username: it.take("username")?, tag: it.take("tag")? }),
            "heartbeat" => Self::Heartbeat { head: it.take("head")? },
            "reset" => Self::Reset { epoch: it.take("epoch")?, head: it.take("head")? },
            "drain" => Self::Drain { reconnect_in_ms: it.take("reconnect_in_ms")? },
            _ => return None,
        })
    }

    /// Returns the frame as JSON.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("a frame is plain data")
    }

    /// Returns the log event in this frame, if any.
    pub fn into_event(self) -> Option<Event> {
        match self {
            Self::Message { seq, id, username, tag, message: text, sent_at: at } => {
                Some(Event { seq, id, at, body: EventBody::Message { username, tag, text } })
            }
            Self::Edited { seq, id, target, text, at } => {
                Some(Event { seq, id, at, body: EventBody::Edited { target, text } })
            }
            Self::Deleted { seq, id, target, at } => Some(Event { seq, id, at, body: EventBody::Deleted { target } }),
            Self::Moderated { seq, id, moderation, at } => {
                Some(Event { seq, id, at, body: EventBody::Moderated(moderation) })
            }
            _ => None,
        }
    }
}

impl From<Event> for ServerFrame {
    fn from(Event { seq, id, at, body }: Event) -> Self {
        match body {
            EventBody::Message { username, tag, text } => {
                Self::Message { seq, id, username, tag, message: text, sent_at: at }
            }
            EventBody::Edited { target, text } => Self::Edited { seq, id, target, text, at },
            EventBody::Deleted { target } => Self::Deleted { seq, id, target, at },
            EventBody::Moderated(moderation) => Self::Moderated { seq, id, moderation, at },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::moderation::ModerationAction;

    #[test]
    fn only_message_frames_carry_a_top_level_message() {
        let event = |body| Event { seq: 2, id: EventId::parse("x").unwrap(), at: Timestamp(5), body };
        let edited = ServerFrame::from(event(EventBody::Edited { target: 1, text: "new".into() }));
        let rejected = ServerFrame::Rejected { id: None, rejection: Rejection::unavailable() };
        for frame in [edited, rejected, ServerFrame::Heartbeat { head: 1 }] {
            let json: serde_json::Value = serde_json::from_str(&frame.encode()).unwrap();
            assert_eq!(json.get("message"), None, "{json}");
        }
    }

    #[test]
    fn events_survive_the_wire() {
        let event = |body| Event { seq: 2, id: EventId::parse("x").unwrap(), at: Timestamp(5), body };
        for event in [
            event(EventBody::Message {
                username: Username::anonymous(),
                tag: AuthorTag::new([1, 2]),
                text: "é\n".into(),
            }),
            event(EventBody::Edited { target: 1, text: "new".into() }),
            event(EventBody::Deleted { target: 1 }),
            event(EventBody::Moderated(Moderation {
                action: ModerationAction::Mute,
                subject: Some(Participant { username: Username::anonymous(), tag: AuthorTag::new([1, 2]) }),
                until: Some(Timestamp(9)),
                seconds: None,
                text: Some("é".into()),
            })),
        ] {
            let frame = ServerFrame::parse(&ServerFrame::from(event.clone()).encode()).unwrap();
            assert_eq!(frame.into_event(), Some(event));
        }
    }
}
