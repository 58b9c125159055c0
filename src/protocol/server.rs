//! What the server sends. Every event of a room's log is one of these frames.

use crate::domain::moderation::{Action, Moderation};
use crate::domain::{
    Epoch, Event, EventBody, EventId, Participant, Rejection, RejectionCode, RoomName, Seq, Tag, Timestamp, Username,
};
use serde::{Deserialize, Serialize};

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
        tag: Tag,
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
        tag: Tag,
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

/// Every field that a server frame can have; which of them count depends on `type`. Read by one visitor for all types:
/// what the derived code for a tagged enum costs, every visitor would have to download.
#[derive(Deserialize)]
struct AnyServerFrame {
    #[serde(rename = "type")]
    kind: String,
    seq: Option<Seq>,
    id: Option<String>,
    target: Option<Seq>,
    username: Option<Username>,
    tag: Option<Tag>,
    message: Option<String>,
    text: Option<String>,
    sent_at: Option<Timestamp>,
    at: Option<Timestamp>,
    room_name: Option<RoomName>,
    epoch: Option<Epoch>,
    head: Option<Seq>,
    code: Option<RejectionCode>,
    detail: Option<String>,
    retry_after_ms: Option<u32>,
    count: Option<usize>,
    participants: Option<Vec<Participant>>,
    reconnect_in_ms: Option<u32>,
    action: Option<Action>,
    subject: Option<Participant>,
    until: Option<Timestamp>,
    seconds: Option<u32>,
}

impl ServerFrame {
    /// Reads one text frame; `None` for a type that this version does not know, or when something is missing in it.
    pub fn parse(text: &str) -> Option<Self> {
        let it: AnyServerFrame = serde_json::from_str(text).ok()?;
        let id = it.id.clone().map(EventId::from_stored);
        Some(match it.kind.as_str() {
            "welcome" => Self::Welcome {
                room_name: it.room_name?,
                epoch: it.epoch?,
                head: it.head?,
                username: it.username?,
                tag: it.tag?,
            },
            "message" => Self::Message {
                seq: it.seq?,
                id: id?,
                username: it.username?,
                tag: it.tag?,
                message: it.message?,
                sent_at: it.sent_at?,
            },
            "edited" => Self::Edited { seq: it.seq?, id: id?, target: it.target?, text: it.text?, at: it.at? },
            "deleted" => Self::Deleted { seq: it.seq?, id: id?, target: it.target?, at: it.at? },
            "moderated" => Self::Moderated {
                seq: it.seq?,
                id: id?,
                moderation: Moderation {
                    action: it.action?,
                    subject: it.subject,
                    until: it.until,
                    seconds: it.seconds,
                },
                at: it.at?,
            },
            "rejected" => Self::Rejected {
                id: it.id,
                rejection: Rejection { code: it.code?, detail: it.detail?, retry_after_ms: it.retry_after_ms },
            },
            "presence" => Self::Presence { count: it.count?, participants: it.participants? },
            "typing" => Self::Typing(Participant { username: it.username?, tag: it.tag? }),
            "heartbeat" => Self::Heartbeat { head: it.head? },
            "reset" => Self::Reset { epoch: it.epoch?, head: it.head? },
            "drain" => Self::Drain { reconnect_in_ms: it.reconnect_in_ms? },
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
            event(EventBody::Message { username: Username::anonymous(), tag: Tag::new([1, 2]), text: "é\n".into() }),
            event(EventBody::Edited { target: 1, text: "new".into() }),
            event(EventBody::Deleted { target: 1 }),
            event(EventBody::Moderated(Moderation {
                action: Action::Mute,
                subject: Some(Participant { username: Username::anonymous(), tag: Tag::new([1, 2]) }),
                until: Some(Timestamp(9)),
                seconds: None,
            })),
        ] {
            let frame = ServerFrame::parse(&ServerFrame::from(event.clone()).encode()).unwrap();
            assert_eq!(frame.into_event(), Some(event));
        }
    }
}
