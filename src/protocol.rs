//! Frames on the live socket: what client and server say to each other, one JSON object per text frame.
//! `docs/protocol.md` states it for users.

use crate::domain::{
    Epoch, Event, EventBody, EventId, Rejection, RejectionCode, RoomName, Seq, Tag, Timestamp, Username,
};
use serde::{Deserialize, Serialize};

/// The longest frame a client may send, in bytes.
pub const MAX_FRAME_BYTES: usize = 16 * 1024;

/// How often each side makes itself heard, in milliseconds.
pub const HEARTBEAT_MS: u32 = 20_000;

/// After so much silence a side gives the connection up, in milliseconds.
pub const SILENCE_MS: u32 = 45_000;

/// How many events a resume replays at most; whoever is further behind loads the page again.
pub const MAX_REPLAY: Seq = 1000;

/// Close codes; 4000 to 4499 mean "reconnect and resume", 4500 to 4999 "do not reconnect".
pub mod close {
    //! Codes below 4000 are those of RFC 6455, section 7.4.1, and of its IANA registry.

    /// The other side has left.
    pub const NORMAL: u16 = 1000;
    /// The bytes are not of the WebSocket protocol.
    pub const PROTOCOL: u16 = 1002;
    /// A binary frame came.
    pub const UNSUPPORTED: u16 = 1003;
    /// A text frame was not UTF-8.
    pub const NOT_UTF8: u16 = 1007;
    /// A frame was longer than [`super::MAX_FRAME_BYTES`].
    pub const TOO_LARGE: u16 = 1009;
    /// The server is restarting.
    pub const RESTARTING: u16 = 1012;
    /// The server cannot serve the room just now.
    pub const OVERLOADED: u16 = 1013;
    /// Nothing was heard for [`super::SILENCE_MS`].
    pub const SILENT: u16 = 4000;
    /// The reader did not keep up.
    pub const TOO_SLOW: u16 = 4001;
}

/// What a client sends. A frame without `type` is a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// Something to say. Raw: the server parses what is in it.
    Post {
        /// The idempotency key; without one the server makes one.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The text.
        message: String,
        /// The name to appear under.
        #[serde(skip_serializing_if = "Option::is_none")]
        username: Option<String>,
    },
    /// Another text for an own message.
    Edit {
        /// The idempotency key.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The number of the message.
        target: Seq,
        /// The new text.
        text: String,
    },
    /// An own message shall go.
    Delete {
        /// The idempotency key.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The number of the message.
        target: Seq,
    },
    /// "I have everything up to `after`": whatever came later is sent again.
    Sync {
        /// The last number the client has.
        after: Seq,
    },
    /// "I am here."
    Heartbeat,
}

/// Every field that a client frame can have; which of them count depends on `type`.
#[derive(Deserialize)]
struct AnyClientFrame {
    #[serde(rename = "type")]
    kind: Option<String>,
    id: Option<String>,
    message: Option<String>,
    username: Option<String>,
    target: Option<Seq>,
    text: Option<String>,
    after: Option<Seq>,
}

/// A frame that is not of the protocol, with its `id` if one could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFrame {
    /// The id that the answer shall carry.
    pub id: Option<String>,
    /// What is wrong with it.
    pub rejection: Rejection,
}

impl ClientFrame {
    /// Reads one text frame. Unknown fields are ignored, so that the protocol can grow.
    pub fn parse(text: &str) -> Result<Self, BadFrame> {
        let bad = |id, detail: &str| BadFrame { id, rejection: Rejection::new(RejectionCode::Invalid, detail) };
        let frame: AnyClientFrame = serde_json::from_str(text)
            .map_err(|_| bad(None, "A frame is one JSON object with fields of the right types."))?;
        match frame.kind.as_deref() {
            None | Some("post") => match frame.message {
                Some(message) => Ok(Self::Post { id: frame.id, message, username: frame.username }),
                None => Err(bad(frame.id, "A post needs a `message`.")),
            },
            Some("edit") => match (frame.target, frame.text) {
                (Some(target), Some(text)) => Ok(Self::Edit { id: frame.id, target, text }),
                _ => Err(bad(frame.id, "An edit needs `target`, a number, and `text`.")),
            },
            Some("delete") => match frame.target {
                Some(target) => Ok(Self::Delete { id: frame.id, target }),
                None => Err(bad(frame.id, "A deletion needs `target`, a number.")),
            },
            Some("sync") => match frame.after {
                Some(after) if after >= 0 => Ok(Self::Sync { after }),
                _ => Err(bad(frame.id, "A sync needs `after`, a number from 0 up.")),
            },
            Some("heartbeat") => Ok(Self::Heartbeat),
            Some(_) => Err(bad(frame.id, "There is no frame of this type.")),
        }
    }

    /// The frame as JSON.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("a frame is plain data")
    }
}

/// What the server sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Something was not stored, and why.
    Rejected {
        /// What its sender called it, if anything.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// Why.
        #[serde(flatten)]
        rejection: Rejection,
    },
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
    /// Reads one text frame; `None` for a type that this version does not know.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_of_the_original_client_is_a_post() {
        let frame = ClientFrame::parse(r#"{"username": "Ann", "room_name": "harbour", "message": "hello"}"#);
        let post = ClientFrame::Post { id: None, message: "hello".into(), username: Some("Ann".into()) };
        assert_eq!(frame, Ok(post));
    }

    #[test]
    fn a_client_frame_survives_the_wire() {
        for frame in [
            ClientFrame::Post { id: Some("a1".into()), message: "hi".into(), username: None },
            ClientFrame::Edit { id: None, target: 42, text: "hi!".into() },
            ClientFrame::Delete { id: Some("a2".into()), target: 42 },
            ClientFrame::Sync { after: 41 },
            ClientFrame::Heartbeat,
        ] {
            assert_eq!(ClientFrame::parse(&frame.encode()), Ok(frame));
        }
    }

    #[test]
    fn a_bad_frame_is_answered_with_its_id_where_it_has_one() {
        for (text, id) in [
            ("", None),
            ("null", None),
            ("[]", None),
            ("{}", None),
            (r#"{"message": 5}"#, None),
            (r#"{"id": "a", "type": "post"}"#, Some("a")),
            (r#"{"id": "a", "type": "dance"}"#, Some("a")),
            (r#"{"id": "a", "type": "sync", "after": -1}"#, Some("a")),
            (r#"{"id": "a", "type": "edit", "target": 1}"#, Some("a")),
            (r#"{"id": "a", "type": "delete"}"#, Some("a")),
        ] {
            let bad = ClientFrame::parse(text).unwrap_err();
            assert_eq!(bad.id.as_deref(), id, "{text}");
            assert_eq!(bad.rejection.code, RejectionCode::Invalid, "{text}");
        }
    }

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
        ] {
            let frame = ServerFrame::parse(&ServerFrame::from(event.clone()).encode()).unwrap();
            assert_eq!(frame.into_event(), Some(event));
        }
    }
}
