//! Events: what a room's log is made of.

use super::moderation::Moderation;
use super::{AuthorTag, Timestamp, Username};
use serde::{Deserialize, Serialize};

/// The number of an event in its room's log: 1, 2, 3 … without gaps. 0 stands before the first.
pub type Seq = i64;

/// The number of an event, as an address has it: 1 or more, in decimal digits.
pub fn parse_seq(text: &str) -> Option<Seq> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|&seq| digits && seq > 0)
}

/// What the sender calls an event: unique per author and room, so that sending it twice stores it once.
/// 1 to 64 of `A-Z a-z 0-9 _ -`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(String);

/// The text is not 1 to 64 of `A-Z a-z 0-9 _ -`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("An id has 1 to 64 of A-Z a-z 0-9 _ -.")]
pub struct EventIdError;

impl EventId {
    /// The id, if it is one.
    pub fn parse(raw: &str) -> Result<Self, EventIdError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if (1..=64).contains(&raw.len()) && raw.bytes().all(allowed) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(EventIdError)
        }
    }

    /// An id that was parsed before it was stored.
    pub fn from_trusted(id: String) -> Self {
        Self(id)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One entry of a room's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the log.
    pub seq: Seq,
    /// What its sender called it.
    pub id: EventId,
    /// When it was stored; never earlier than the event before, unless that one's clock was far ahead.
    pub at: Timestamp,
    /// What happened.
    pub body: EventBody,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventBody {
    /// Somebody said something.
    Message {
        /// The name it was said under.
        username: Username,
        /// Tells the author from others of the same name.
        tag: AuthorTag,
        /// What was said; empty once it has been deleted.
        text: String,
    },
    /// The author put another text in place of a message.
    Edited {
        /// The number of the message.
        target: Seq,
        /// The new text; empty once the message has been deleted.
        text: String,
    },
    /// The author, or the owner of the room, removed a message.
    Deleted {
        /// The number of the message.
        target: Seq,
    },
    /// The owner of the room did something about it.
    Moderated(Moderation),
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
