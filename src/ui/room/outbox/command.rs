//! Commands of the visitor, as the outbox keeps them.

use crate::domain::moderation::ModerationAction;
use crate::domain::{AuthorTag, Seq};
use crate::json::{FromJson, JsonValue};

/// A change of the room that the visitor requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxCommand {
    /// Posts a message.
    Post {
        /// The author's name, or `None` to post without one.
        username: Option<String>,
        /// The text.
        text: String,
        /// The number of the message that it replies to. Earlier releases send it as a message that replies to none.
        reply_to: Option<Seq>,
    },
    /// Replaces the text of an own message.
    Edit {
        /// The number of the message.
        target: Seq,
        /// The new text.
        text: String,
    },
    /// Deletes a message.
    Delete {
        /// The number of the message.
        target: Seq,
    },
    /// Takes an action of the room's owner. Earlier releases skip it.
    Moderate {
        /// The action.
        action: ModerationAction,
        /// The number of a message whose author is the subject.
        target: Option<Seq>,
        /// The tag of the subject, where there is no such message.
        tag: Option<AuthorTag>,
        /// The duration or pause in seconds, 0 for none.
        seconds: u32,
        /// The action in a sentence, for its author.
        text: String,
    },
}

impl FromJson for OutboxCommand {
    fn from_json(mut json: JsonValue) -> Option<Self> {
        Some(if let Some(mut post) = json.take::<Option<JsonValue>>("post")? {
            let reply_to = post.take("reply_to")?;
            Self::Post { username: post.take("username")?, text: post.take("text")?, reply_to }
        } else if let Some(mut edit) = json.take::<Option<JsonValue>>("edit")? {
            Self::Edit { target: edit.take("target")?, text: edit.take("text")? }
        } else if let Some(mut act) = json.take::<Option<JsonValue>>("moderate")? {
            Self::Moderate {
                action: act.take("action")?,
                target: act.take("target")?,
                tag: act.take("tag")?,
                seconds: act.take("seconds")?,
                text: act.take("text")?,
            }
        } else {
            Self::Delete { target: json.take::<JsonValue>("delete")?.take("target")? }
        })
    }
}

impl OutboxCommand {
    pub(super) fn to_json(&self) -> JsonValue {
        let number = JsonValue::Number;
        let (kind, fields) = match self {
            Self::Post { username, text, reply_to } => {
                let fields = [("username", username.as_deref().into()), ("text", text.as_str().into())];
                let mut fields = JsonValue::object(fields);
                fields.add("reply_to", reply_to.map_or(JsonValue::Null, number));
                ("post", fields)
            }
            Self::Edit { target, text } => {
                ("edit", JsonValue::object([("target", number(*target)), ("text", text.as_str().into())]))
            }
            Self::Delete { target } => ("delete", JsonValue::object([("target", number(*target))])),
            Self::Moderate { action, target, tag, seconds, text } => {
                let mut fields = JsonValue::object([
                    ("action", action.as_str().into()),
                    ("seconds", number((*seconds).into())),
                    ("text", text.as_str().into()),
                ]);
                fields.add("target", target.map_or(JsonValue::Null, number));
                fields.add("tag", tag.as_ref().map(AuthorTag::as_str).into());
                ("moderate", fields)
            }
        };
        JsonValue::object([(kind, fields)])
    }

    /// Returns the typed text; empty for a deletion.
    pub fn text(&self) -> &str {
        match self {
            Self::Post { text, .. } | Self::Edit { text, .. } | Self::Moderate { text, .. } => text,
            Self::Delete { .. } => "",
        }
    }
}
