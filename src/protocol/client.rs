//! What a client sends, and what the server makes of it.

use crate::domain::{Rejection, RejectionCode, Seq, Tag, moderation::Action};
use serde::{Deserialize, Serialize};

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
    /// The owner of the room does something about it.
    Moderate {
        /// The idempotency key.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// What.
        action: Action,
        /// A message of the one whom it is about.
        #[serde(skip_serializing_if = "Option::is_none")]
        target: Option<Seq>,
        /// Or their tag, where they have written none.
        #[serde(skip_serializing_if = "Option::is_none")]
        tag: Option<Tag>,
        /// For how long, or how slow.
        #[serde(skip_serializing_if = "Option::is_none")]
        seconds: Option<u32>,
    },
    /// "I am writing something."
    Typing,
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
    action: Option<Action>,
    tag: Option<Tag>,
    seconds: Option<u32>,
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
            Some("moderate") => match frame.action {
                Some(Action::Other) | None => Err(bad(frame.id, "Moderation needs an `action` that there is.")),
                Some(action) if action.has_subject() && frame.target.is_none() && frame.tag.is_none() => {
                    let detail =
                        "This action needs `target`, the number of a message of whom it is about, or their `tag`.";
                    Err(bad(frame.id, detail))
                }
                Some(action) => {
                    let AnyClientFrame { id, target, tag, seconds, .. } = frame;
                    Ok(Self::Moderate { id, action, target, tag, seconds })
                }
            },
            Some("sync") => match frame.after {
                Some(after) if after >= 0 => Ok(Self::Sync { after }),
                _ => Err(bad(frame.id, "A sync needs `after`, a number from 0 up.")),
            },
            Some("typing") => Ok(Self::Typing),
            Some("heartbeat") => Ok(Self::Heartbeat),
            Some(_) => Err(bad(frame.id, "There is no frame of this type.")),
        }
    }

    /// The frame as JSON.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("a frame is plain data")
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
            ClientFrame::Moderate { id: None, action: Action::Ban, target: Some(7), tag: None, seconds: Some(60) },
            ClientFrame::Moderate {
                id: None,
                action: Action::Remove,
                target: None,
                tag: Some(Tag::new([7, 8])),
                seconds: None,
            },
            ClientFrame::Sync { after: 41 },
            ClientFrame::Typing,
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
            (r#"{"id": "a", "type": "moderate", "action": "dance"}"#, Some("a")),
            (r#"{"id": "a", "type": "moderate", "action": "ban", "seconds": 5}"#, Some("a")),
        ] {
            let bad = ClientFrame::parse(text).unwrap_err();
            assert_eq!(bad.id.as_deref(), id, "{text}");
            assert_eq!(bad.rejection.code, RejectionCode::Invalid, "{text}");
        }
    }
}
