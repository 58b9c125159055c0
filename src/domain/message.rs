//! Messages: the text as sent, and the message as readers see it.

use super::unicode::is_visible;
use super::{AuthorTag, EventId, ReactionCount, Seq, Timestamp, Username};
use crate::json::read_by_name;
use serde::Serialize;

/// Maximum length of a message, in characters (Unicode scalar values).
pub const MAX_MESSAGE_CHARS: usize = 4000;

/// The text of a message: trimmed, 1 to 4000 characters, lines separated by `\n` only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MessageText(String);

/// The reason why a text is not a valid message. Its text is shown to visitors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageTextError {
    /// The text shows nothing: it is white space, control and invisible characters only.
    #[error("Write something first.")]
    Empty,
    /// The text has more than [`MAX_MESSAGE_CHARS`] characters.
    #[error("Up to 4000 characters.")]
    TooLong,
    /// The text contains U+0000, which PostgreSQL cannot store.
    #[error("Messages cannot contain the character U+0000.")]
    Nul,
}

impl MessageText {
    /// Parses the text of a message. Idempotent.
    ///
    /// HTML forms send line breaks as CR LF (WHATWG HTML, "constructing the entry list"), scripts as LF; both
    /// become LF, so that a text sent either way is the same message.
    ///
    /// # Errors
    ///
    /// Returns the reason why the text is not a valid message.
    pub fn parse(raw: &str) -> Result<Self, MessageTextError> {
        let text = raw.trim();
        if text.contains('\0') {
            return Err(MessageTextError::Nul);
        }
        if !is_visible(text) {
            return Err(MessageTextError::Empty);
        }
        let text = if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() };
        if text.chars().count() > MAX_MESSAGE_CHARS {
            return Err(MessageTextError::TooLong);
        }
        Ok(Self(text))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The current state of a message, with its edits applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The number in the room's log.
    pub seq: Seq,
    /// The id from the sender.
    pub id: EventId,
    /// The author's name.
    pub username: Username,
    /// Distinguishes the author from others with the same name.
    pub tag: AuthorTag,
    /// The text; empty once the message has been deleted.
    pub text: String,
    /// The time of storage.
    pub sent_at: Timestamp,
    /// Whether the message was edited.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub edited: bool,
    /// The number of the message that it replies to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// The names held in the room that the text mentions by `@`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Username>,
    /// The reactions, in the order in which their emoji came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<ReactionCount>,
    /// Whether the message is pinned.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
}

read_by_name!(Message { seq, id, username, tag, text, sent_at, edited, reply_to, mentions, reactions, pinned });

impl Message {
    /// Returns whether the message has been deleted.
    pub fn is_deleted(&self) -> bool {
        self.text.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outer_white_space_goes_and_inner_lines_stay() {
        assert_eq!(MessageText::parse(" \n one\r\n\r\ntwo\rthree \t").unwrap().as_str(), "one\n\ntwo\nthree");
    }

    #[test]
    fn a_bad_text_is_refused_with_the_reason() {
        for nothing in ["", " \r\n\t ", "\u{200b}", "\u{2800}", "\u{3164}", "\u{200d}\n\u{feff}", "\u{1}"] {
            assert_eq!(MessageText::parse(nothing), Err(MessageTextError::Empty), "{nothing:?}");
        }
        assert_eq!(MessageText::parse("a\0b"), Err(MessageTextError::Nul));
        assert!(MessageText::parse(&"😀".repeat(4000)).is_ok());
        assert_eq!(MessageText::parse(&"😀".repeat(4001)), Err(MessageTextError::TooLong));
    }

    #[test]
    fn a_line_break_counts_once_however_it_was_sent() {
        assert!(MessageText::parse(&format!("{}b", "a\r\n".repeat(1999))).is_ok());
    }
}
