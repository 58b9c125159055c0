//! Emoji of Unicode's list, with which people react to messages.

use super::{Seq, Username};
use crate::json::read_by_name;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The character that selects the presentation of the one before it as emoji (VS16).
const EMOJI_PRESENTATION: char = '\u{fe0f}';

/// Longest emoji of Unicode's list, with spare room, in bytes.
const MAX_EMOJI_BYTES: usize = 64;

/// The emoji that are offered first.
pub const QUICK_EMOJI: [&str; 6] = ["👍", "❤\u{fe0f}", "😂", "🎉", "👀", "😮"];

/// Maximum number of different emoji at a message.
pub const MAX_EMOJI_PER_MESSAGE: usize = 20;

/// Maximum number of reactions to a message.
pub const MAX_REACTIONS_PER_MESSAGE: u32 = 500;

/// Maximum number of names that tell who reacted with an emoji.
pub const MAX_SHOWN_REACTORS: usize = 20;

/// The emoji of Unicode's list by their texts without the characters that select the presentation. The list of the library
/// mixes up some of two skin tones.
static BY_PLAIN_TEXT: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let all = emojis::iter().flat_map(|emoji| emoji.skin_tones().into_iter().flatten().chain([emoji]));
    all.map(|emoji| (emoji.as_str().chars().filter(|c| *c != EMOJI_PRESENTATION).collect(), emoji.as_str())).collect()
});

/// One emoji of Unicode's list, fully qualified: with every selector that shows it as emoji.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Emoji(String);

/// The text is not one emoji.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("React with one emoji of Unicode’s list.")]
pub struct EmojiError;

impl Emoji {
    /// Parses an emoji, written with or without the characters that select its presentation.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not exactly one emoji.
    pub fn parse(raw: &str) -> Result<Self, EmojiError> {
        if raw.len() > MAX_EMOJI_BYTES {
            return Err(EmojiError);
        }
        let plain: String = raw.chars().filter(|c| *c != EMOJI_PRESENTATION).collect();
        // More than one selector in a row belongs to no emoji.
        let is_doubled = raw.contains("\u{fe0f}\u{fe0f}") || raw.starts_with(EMOJI_PRESENTATION);
        if is_doubled || plain.is_ascii() {
            return Err(EmojiError);
        }
        let known = BY_PLAIN_TEXT.get(&plain).copied();
        let exact = || emojis::get(raw).map(emojis::Emoji::as_str).filter(|text| *text == raw);
        known.or_else(exact).map(|text| Self(text.to_owned())).ok_or(EmojiError)
    }

    /// Creates an emoji from stored text, which was validated before.
    pub fn from_trusted(text: String) -> Self {
        Self(text)
    }

    /// Returns the emoji as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An emoji at a message, and the number of people who reacted with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReactionCount {
    /// The emoji.
    pub emoji: Emoji,
    /// The number of people: 1 or more.
    pub count: u32,
    /// Whether the visitor is one of them. Pages, which are the same for all, never say so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
}

/// The reactions to a message, as a visitor sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MessageReactions {
    /// The number of the message.
    pub seq: Seq,
    /// The reactions, in the order in which their emoji came.
    pub reactions: Vec<ReactionCount>,
}

/// The reactions to the messages of a range, counted up to a number of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReactionsPage {
    /// The number of the last event that is counted.
    pub head: Seq,
    /// The messages with reactions.
    pub messages: Vec<MessageReactions>,
}

/// The people who reacted to a message with an emoji.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reactors {
    /// The emoji.
    pub emoji: Emoji,
    /// The number of people.
    pub count: u32,
    /// The names of the first of them, at most [`MAX_SHOWN_REACTORS`].
    pub names: Vec<Username>,
    /// The number of further people.
    pub others: u32,
}

read_by_name!(ReactionCount { emoji, count, own });
read_by_name!(MessageReactions { seq, reactions });
read_by_name!(ReactionsPage { head, messages });
read_by_name!(Reactors { emoji, count, names, others });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emoji_is_one_with_and_without_its_presentation() {
        for (text, emoji) in [
            ("👍", "👍"),
            ("❤", "❤\u{fe0f}"),
            ("❤\u{fe0f}", "❤\u{fe0f}"),
            ("👍🏽", "👍🏽"),
            ("❤\u{200d}🔥", "❤\u{fe0f}\u{200d}🔥"),
            ("🏳\u{200d}🌈", "🏳\u{fe0f}\u{200d}🌈"),
            ("1\u{20e3}", "1\u{fe0f}\u{20e3}"),
            ("👍\u{fe0f}", "👍"),
            ("🇩🇪", "🇩🇪"),
            (
                "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
                "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            ),
        ] {
            assert_eq!(Emoji::parse(text).map(|emoji| emoji.0), Ok(emoji.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn anything_else_is_no_emoji() {
        let long = "👍".repeat(100);
        for text in [
            "",
            " ",
            "a",
            "1",
            "#",
            "1\u{fe0f}",
            "👍👍",
            "👍 ",
            ":+1:",
            "+1",
            "❤\u{fe0f}\u{fe0f}",
            "\u{fe0f}",
            "👩\u{200d}🦄",
            "é",
            "\0",
            &long,
        ] {
            assert_eq!(Emoji::parse(text), Err(EmojiError), "{text:?}");
        }
    }

    #[test]
    fn every_emoji_of_the_list_is_itself() {
        for emoji in emojis::iter().flat_map(|emoji| emoji.skin_tones().into_iter().flatten().chain([emoji])) {
            let parsed = Emoji::parse(emoji.as_str()).unwrap();
            assert_eq!(parsed.as_str(), emoji.as_str());
            let plain: String = emoji.as_str().chars().filter(|c| *c != EMOJI_PRESENTATION).collect();
            assert_eq!(Emoji::parse(&plain), Ok(parsed), "{plain:?}");
            assert!(emoji.as_str().len() <= MAX_EMOJI_BYTES);
        }
    }
}
