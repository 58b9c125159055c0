//! Frames from clients, and how the server parses them.

use crate::domain::moderation::ModerationAction;
use crate::domain::{AuthorTag, Rejection, RejectionCode, Seq};
use crate::json::JsonValue;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A frame from a client. A frame without `type` is a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientFrame {
    /// Posts a message. The fields are raw: the server validates them.
    Post {
        /// The idempotency key. If it is missing, the server generates one.
        id: Option<String>,
        /// The text.
        message: String,
        /// The author's name.
        username: Option<String>,
        /// The number of the message that it replies to.
        reply_to: Option<Seq>,
    },
    /// Edits one of the author's own messages.
    Edit {
        /// The idempotency key.
        id: Option<String>,
        /// The number of the message.
        target: Seq,
        /// The new text.
        text: String,
    },
    /// Deletes a message.
    Delete {
        /// The idempotency key.
        id: Option<String>,
        /// The number of the message.
        target: Seq,
    },
    /// Takes a moderation action, as the owner of the room.
    Moderate {
        /// The idempotency key.
        id: Option<String>,
        /// The action.
        action: ModerationAction,
        /// The number of a message of the subject.
        target: Option<Seq>,
        /// The subject's tag, if they have not posted a message.
        tag: Option<AuthorTag>,
        /// The duration of a mute or ban, the interval of slow mode, or the retention, in seconds.
        seconds: Option<u32>,
        /// The title or the topic.
        text: Option<String>,
    },
    /// Reacts to a message, or no longer does.
    React {
        /// The idempotency key.
        id: Option<String>,
        /// The number of the message.
        target: Seq,
        /// The emoji.
        emoji: String,
        /// Whether the visitor reacts with it from now on.
        on: bool,
    },
    /// The visitor is typing.
    Typing,
    /// Requests all events after `after`.
    Sync {
        /// The last sequence number that the client has.
        after: Seq,
    },
    /// Keeps the connection alive.
    Heartbeat,
}

/// The fields of all client frames. The value of `type` decides which of them are used.
#[derive(Deserialize)]
struct AnyClientFrame {
    #[serde(rename = "type")]
    kind: Option<Value>,
    id: Option<Value>,
    message: Option<Value>,
    username: Option<Value>,
    reply_to: Option<Value>,
    target: Option<Value>,
    text: Option<Value>,
    after: Option<Value>,
    action: Option<Value>,
    tag: Option<Value>,
    seconds: Option<Value>,
    emoji: Option<Value>,
    on: Option<Value>,
}

/// A frame that violates the protocol, with its `id` if it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidFrame {
    /// The id for the rejection.
    pub id: Option<String>,
    /// The reason.
    pub rejection: Rejection,
}

impl ClientFrame {
    /// Parses one text frame. Unknown fields are ignored, so that the protocol can be extended. Fields of other frame
    /// types are ignored too.
    ///
    /// # Errors
    ///
    /// Returns the rejection to answer with, and the id of the frame if it has one.
    pub fn parse(text: &str) -> Result<Self, InvalidFrame> {
        let mut id = None;
        let read = Self::read(text, &mut id);
        read.map_err(|detail| InvalidFrame { id, rejection: Rejection::new(RejectionCode::Invalid, detail) })
    }

    /// Like [`parse`](Self::parse), but returns only the reason if the frame is invalid. In that case `id` holds the
    /// frame's id, if it could be read, for the rejection.
    fn read(text: &str, id: &mut Option<String>) -> Result<Self, &'static str> {
        // serde also accepts an array for a structure.
        let object = Some(text).filter(|text| text.trim_start().starts_with('{'));
        let frame: AnyClientFrame = object.and_then(|text| serde_json::from_str(text).ok()).ok_or(NO_FRAME)?;
        *id = field(frame.id)?;
        let kind: Option<String> = field(frame.kind)?;
        match kind.as_deref() {
            None | Some("post") => {
                let message = field(frame.message)?.ok_or("A post needs a `message`.")?;
                let (username, reply_to) = (field(frame.username)?, field(frame.reply_to)?);
                Ok(Self::Post { id: id.take(), message, username, reply_to })
            }
            Some("edit") => match (field(frame.target)?, field(frame.text)?) {
                (Some(target), Some(text)) => Ok(Self::Edit { id: id.take(), target, text }),
                _ => Err("An edit needs `target`, a number, and `text`."),
            },
            Some("delete") => {
                let target = field(frame.target)?.ok_or("A deletion needs `target`, a number.")?;
                Ok(Self::Delete { id: id.take(), target })
            }
            Some("moderate") => {
                let (target, tag, seconds) = (field(frame.target)?, field(frame.tag)?, field(frame.seconds)?);
                match field(frame.action)? {
                    None | Some(ModerationAction::Other) => Err("Moderation needs an `action` that there is."),
                    Some(action) if action.has_subject() && target.is_none() && tag.is_none() => {
                        Err("This action needs `target`, the number of a message of whom it is about, or their `tag`.")
                    }
                    Some(action) if action.has_message() && target.is_none() => {
                        Err("This action needs `target`, the number of a message.")
                    }
                    Some(action) => {
                        // Other actions ignore this field.
                        let text = if action.has_text() { field(frame.text)? } else { None };
                        Ok(Self::Moderate { id: id.take(), action, target, tag, seconds, text })
                    }
                }
            }
            Some("react") => match (field(frame.target)?, field(frame.emoji)?) {
                (Some(target), Some(emoji)) => {
                    let on = field(frame.on)?.unwrap_or(true);
                    Ok(Self::React { id: id.take(), target, emoji, on })
                }
                _ => Err("A reaction needs `target`, a number, and `emoji`."),
            },
            Some("sync") => match field(frame.after)? {
                Some(after @ 0..) => Ok(Self::Sync { after }),
                _ => Err("A sync needs `after`, a number from 0 up."),
            },
            Some("typing") => Ok(Self::Typing),
            Some("heartbeat") => Ok(Self::Heartbeat),
            Some(_) => Err("There is no frame of this type."),
        }
    }

    /// Returns the frame as JSON.
    pub fn encode(&self) -> String {
        let number = JsonValue::Number;
        let mut frame = JsonValue::object([("type", self.kind().into())]);
        match self {
            Self::Post { id, message, username, reply_to } => {
                frame.add("id", id.as_deref().into());
                frame.add("message", message.as_str().into());
                frame.add("username", username.as_deref().into());
                frame.add("reply_to", reply_to.map_or(JsonValue::Null, number));
            }
            Self::Edit { id, target, text } => {
                frame.add("id", id.as_deref().into());
                frame.add("target", number(*target));
                frame.add("text", text.as_str().into());
            }
            Self::Delete { id, target } => {
                frame.add("id", id.as_deref().into());
                frame.add("target", number(*target));
            }
            Self::Moderate { id, action, target, tag, seconds, text } => {
                frame.add("id", id.as_deref().into());
                frame.add("action", action.as_str().into());
                frame.add("target", target.map_or(JsonValue::Null, number));
                frame.add("tag", tag.as_ref().map(AuthorTag::as_str).into());
                frame.add("seconds", seconds.map_or(JsonValue::Null, |seconds| number(seconds.into())));
                frame.add("text", text.as_deref().into());
            }
            Self::React { id, target, emoji, on } => {
                frame.add("id", id.as_deref().into());
                frame.add("target", number(*target));
                frame.add("emoji", emoji.as_str().into());
                frame.add("on", JsonValue::Bool(*on));
            }
            Self::Sync { after } => frame.add("after", number(*after)),
            Self::Typing | Self::Heartbeat => {}
        }
        frame.encode()
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Post { .. } => "post",
            Self::Edit { .. } => "edit",
            Self::Delete { .. } => "delete",
            Self::Moderate { .. } => "moderate",
            Self::React { .. } => "react",
            Self::Sync { .. } => "sync",
            Self::Typing => "typing",
            Self::Heartbeat => "heartbeat",
        }
    }
}

const NO_FRAME: &str = "A frame is one JSON object with fields of the right types.";

/// Returns the value of an optional field, or an error if it has the wrong type.
fn field<T: DeserializeOwned>(value: Option<Value>) -> Result<Option<T>, &'static str> {
    value.map(serde_json::from_value).transpose().map_err(|_| NO_FRAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_of_the_original_client_is_a_post() {
        let frame = ClientFrame::parse(r#"{"username": "Ann", "room_name": "harbour", "message": "hello"}"#);
        let post =
            ClientFrame::Post { id: None, message: "hello".into(), username: Some("Ann".into()), reply_to: None };
        assert_eq!(frame, Ok(post));
    }

    #[test]
    fn a_client_frame_survives_the_wire() {
        for frame in [
            ClientFrame::Post { id: Some("a1".into()), message: "hi".into(), username: None, reply_to: None },
            ClientFrame::Post { id: Some("a2".into()), message: "hi".into(), username: None, reply_to: Some(41) },
            ClientFrame::Edit { id: None, target: 42, text: "hi!".into() },
            ClientFrame::Delete { id: Some("a2".into()), target: 42 },
            ClientFrame::Moderate {
                id: None,
                action: ModerationAction::Ban,
                target: Some(7),
                tag: None,
                seconds: Some(60),
                text: None,
            },
            ClientFrame::Moderate {
                id: None,
                action: ModerationAction::Remove,
                target: None,
                tag: Some(AuthorTag::new([7, 8])),
                seconds: None,
                text: None,
            },
            ClientFrame::Moderate {
                id: None,
                action: ModerationAction::Title,
                target: None,
                tag: None,
                seconds: None,
                text: Some("Summer trip".into()),
            },
            ClientFrame::React { id: Some("a3".into()), target: 42, emoji: "👍".into(), on: false },
            ClientFrame::Sync { after: 41 },
            ClientFrame::Typing,
            ClientFrame::Heartbeat,
        ] {
            assert_eq!(ClientFrame::parse(&frame.encode()), Ok(frame));
        }
    }

    #[test]
    fn fields_of_other_frames_are_ignored() {
        let post = ClientFrame::Post { id: Some("a".into()), message: "hi".into(), username: None, reply_to: None };
        assert_eq!(ClientFrame::parse(r#"{"id": "a", "message": "hi", "tag": 5, "target": "x"}"#), Ok(post));
        assert_eq!(ClientFrame::parse(r#" {"type": "typing", "text": 1}"#), Ok(ClientFrame::Typing));
    }

    #[test]
    fn a_bad_frame_is_answered_with_its_id_where_it_has_one() {
        for (text, id) in [
            ("", None),
            ("null", None),
            ("[]", None),
            ("{}", None),
            (r#"{"message": 5}"#, None),
            (r#"[null, "a", "hi", null, null, null, null, null, null, null, null, null]"#, None),
            (r#"{"id": 5, "message": "hi"}"#, None),
            (r#"{"id": "a", "message": 5}"#, Some("a")),
            (r#"{"id": "a", "message": "hi", "reply_to": "41"}"#, Some("a")),
            (r#"{"id": "a", "message": "hi", "reply_to": 1.5}"#, Some("a")),
            (r#"{"id": "a", "type": 5, "message": "hi"}"#, Some("a")),
            (r#"{"id": "a", "type": "edit", "target": "42", "text": "x"}"#, Some("a")),
            (r#"{"id": "a", "type": "delete", "target": 99999999999999999999}"#, Some("a")),
            (r#"{"id": "a", "type": "post"}"#, Some("a")),
            (r#"{"id": "a", "type": "dance"}"#, Some("a")),
            (r#"{"id": "a", "type": "sync", "after": -1}"#, Some("a")),
            (r#"{"id": "a", "type": "edit", "target": 1}"#, Some("a")),
            (r#"{"id": "a", "type": "delete"}"#, Some("a")),
            (r#"{"id": "a", "type": "moderate", "action": "dance"}"#, Some("a")),
            (r#"{"id": "a", "type": "moderate", "action": "pin"}"#, Some("a")),
            (r#"{"id": "a", "type": "react", "target": 1}"#, Some("a")),
            (r#"{"id": "a", "type": "react", "target": 1, "emoji": "👍", "on": 1}"#, Some("a")),
            (r#"{"id": "a", "type": "moderate", "action": "ban", "seconds": 5}"#, Some("a")),
        ] {
            let bad = ClientFrame::parse(text).unwrap_err();
            assert_eq!(bad.id.as_deref(), id, "{text}");
            assert_eq!(bad.rejection.code, RejectionCode::Invalid, "{text}");
        }
    }
}
