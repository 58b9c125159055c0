//! What the server sends. Every event of a room's log is one of these frames.

use crate::domain::moderation::Moderation;
use crate::domain::{
    AuthorTag, Epoch, Event, EventBody, EventId, Participant, Rejection, RoomName, Seq, Timestamp, Username,
};
use crate::json::JsonValue;
use serde::Serialize;

/// What the server sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The first frame of every connection.
    Welcome {
        /// The room.
        room_name: RoomName,
        /// Which history of it this is.
        epoch: Epoch,
        /// The newest number of its log.
        head: Seq,
        /// The name the visitor appears under.
        username: Username,
        /// Tells the visitor from others of the same name.
        tag: AuthorTag,
    },
    /// Somebody said something; for its sender, the acknowledgement.
    Message {
        /// Its place in the log.
        seq: Seq,
        /// What its sender called it.
        id: EventId,
        /// The name it was said under.
        username: Username,
        /// Tells the author from others of the same name.
        tag: AuthorTag,
        /// What was said; empty once it has been deleted.
        message: String,
        /// When it was stored.
        sent_at: Timestamp,
    },
    /// A message has another text.
    Edited {
        /// Its place in the log.
        seq: Seq,
        /// What its sender called it.
        id: EventId,
        /// The number of the message.
        target: Seq,
        /// The new text; empty once the message has been deleted.
        text: String,
        /// When it was stored.
        at: Timestamp,
    },
    /// A message was removed.
    Deleted {
        /// Its place in the log.
        seq: Seq,
        /// What its sender called it.
        id: EventId,
        /// The number of the message.
        target: Seq,
        /// When it was stored.
        at: Timestamp,
    },
    /// The owner of the room did something about it.
    Moderated {
        /// Its place in the log.
        seq: Seq,
        /// What its sender called it.
        id: EventId,
        /// What was done.
        #[serde(flatten)]
        moderation: Moderation,
        /// When it was stored.
        at: Timestamp,
    },
    /// Something was not stored, and why.
    Rejected {
        /// What its sender called it, if anything.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// Why.
        #[serde(flatten)]
        rejection: Rejection,
    },
    /// Who is in the room now: a hint, outside the promise.
    Presence {
        /// How many they are.
        count: usize,
        /// Who they are; empty when they are more than [`super::MAX_PARTICIPANTS`].
        participants: Vec<Participant>,
    },
    /// Somebody is writing: a hint, outside the promise.
    Typing(Participant),
    /// "I am here, and this is the newest number."
    Heartbeat {
        /// The newest number of the room's log.
        head: Seq,
    },
    /// The log cannot be continued from where the client stands: load the page again.
    Reset {
        /// Which history of the room there is now.
        epoch: Epoch,
        /// The newest number of its log.
        head: Seq,
    },
    /// The server is about to stop; another one, or the next one, will be there.
    Drain {
        /// When to come back, in milliseconds from now.
        reconnect_in_ms: u32,
    },
}

impl ServerFrame {
    /// Reads one text frame; `None` for a type that this version does not know, or when something is missing in it.
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

    /// The frame as JSON.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("a frame is plain data")
    }

    /// The event of the log that this frame carries, if it carries one.
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
            })),
        ] {
            let frame = ServerFrame::parse(&ServerFrame::from(event.clone()).encode()).unwrap();
            assert_eq!(frame.into_event(), Some(event));
        }
    }
}
