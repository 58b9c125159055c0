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
mod tests;
