//! Pinned messages.

use super::{AuthorTag, Message, Seq, Username};
use crate::json::read_by_name;
use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;

/// Maximum length of the text of a pinned message above the list, in grapheme clusters.
const MAX_PINNED_GRAPHEMES: usize = 120;

/// A pinned message, as a line above the list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PinnedMessage {
    /// The number of the message.
    pub seq: Seq,
    /// The author's name.
    pub username: Username,
    /// Distinguishes the author from others with the same name.
    pub tag: AuthorTag,
    /// The beginning of the text, on one line.
    pub text: String,
}

read_by_name!(PinnedMessage { seq, username, tag, text });

impl From<Message> for PinnedMessage {
    fn from(Message { seq, username, tag, text, .. }: Message) -> Self {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut graphemes = line.grapheme_indices(true).skip(MAX_PINNED_GRAPHEMES);
        let text = match graphemes.next() {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        };
        Self { seq, username, tag, text }
    }
}
