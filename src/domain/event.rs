//! Events: the entries of a room's log.

use super::moderation::Moderation;
use super::{AuthorTag, Emoji, Timestamp, Username};
use serde::{Deserialize, Serialize};

/// The sequence number of an event in its room's log: 1, 2, 3 … without gaps. 0 is the position before the first.
pub type Seq = i64;

/// Parses a sequence number in a URL: 1 or more, in decimal digits.
pub fn parse_seq(text: &str) -> Option<Seq> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|&seq| digits && seq > 0)
}

/// Parses a non-negative number. A number that overflows is treated as being beyond every head.
pub fn parse_position(after: &str) -> Option<Seq> {
    let is_number = !after.is_empty() && after.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| after.parse().unwrap_or(Seq::MAX))
}

/// The id that a sender gives an event: 1 to 64 of `A-Z a-z 0-9 _ -`. It is unique per author and room, so that an
/// event that is sent twice is stored once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(String);

/// The text is not 1 to 64 of `A-Z a-z 0-9 _ -`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("An id has 1 to 64 of A-Z a-z 0-9 _ -.")]
pub struct EventIdError;

impl EventId {
    /// Parses an id.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not a valid id.
    pub fn parse(raw: &str) -> Result<Self, EventIdError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if (1..=64).contains(&raw.len()) && raw.bytes().all(allowed) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(EventIdError)
        }
    }

    /// Creates an id from stored text, which was validated before.
    pub fn from_trusted(id: String) -> Self {
        Self(id)
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One entry of a room's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The sequence number of the event.
    pub seq: Seq,
    /// The id from the sender.
    pub id: EventId,
    /// The time of storage. It is never earlier than that of the previous event, unless that event's clock was far
    /// ahead.
    pub at: Timestamp,
    /// The content, by type.
    pub body: EventBody,
}

/// The content of an event, by type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventBody {
    /// A new message.
    Message {
        /// The author's name.
        username: Username,
        /// Distinguishes the author from others with the same name.
        tag: AuthorTag,
        /// The text; empty once the message has been deleted.
        text: String,
        /// The number of the message that it replies to.
        reply_to: Option<Seq>,
        /// The names held in the room that the text mentions.
        mentions: Vec<Username>,
    },
    /// The author edited a message.
    Edited {
        /// The number of the message.
        target: Seq,
        /// The new text; empty once the message has been deleted.
        text: String,
        /// The names held in the room that the new text mentions.
        mentions: Vec<Username>,
    },
    /// The author or the owner of the room deleted a message.
    Deleted {
        /// The number of the message.
        target: Seq,
    },
    /// The owner of the room took a moderation action.
    Moderated(Moderation),
    /// Somebody reacted to a message, or no longer does.
    Reacted {
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
    },
    /// An event of a type that this version does not know. It takes its number, and shows nothing.
    Other {
        /// The number of the message that it refers to, if any.
        target: Option<Seq>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_or_more() {
        assert_eq!(parse_seq("42"), Some(42));
        for text in ["", "0", "-1", "+1", "x", "1.0", "99999999999999999999"] {
            assert_eq!(parse_seq(text), None, "{text}");
        }
    }

    #[test]
    fn an_id_is_one_to_sixty_four_plain_characters() {
        for id in ["a", "01J-x_9", &"z".repeat(64)] {
            assert_eq!(EventId::parse(id).unwrap().as_str(), id);
        }
        for id in ["", "a b", "é", "a.b", &"z".repeat(65)] {
            assert_eq!(EventId::parse(id), Err(EventIdError), "{id:?}");
        }
    }
}
