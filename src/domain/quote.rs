//! Quotes: the beginning of a message, as replies to it show it.

use super::{AuthorTag, Message, Seq, Username};
use crate::json::read_by_name;
use serde::Serialize;

/// Maximum length of an excerpt, in characters (Unicode scalar values), and so in grapheme clusters.
pub const MAX_EXCERPT_CHARS: usize = 120;

/// Maximum number of quotes per request. A page has as many messages at most.
pub const MAX_QUOTES: usize = 50;

/// A message as a reply to it shows it. It is never stored: it reads as the message reads now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quote {
    /// The number of the quoted message.
    pub seq: Seq,
    /// The author's name.
    pub username: Username,
    /// Distinguishes the author from others with the same name.
    pub tag: AuthorTag,
    /// The beginning of the text, on one line; empty once the message has been deleted.
    pub excerpt: String,
}

read_by_name!(Quote { seq, username, tag, excerpt });

impl From<&Message> for Quote {
    fn from(message: &Message) -> Self {
        Self {
            seq: message.seq,
            username: message.username.clone(),
            tag: message.tag.clone(),
            excerpt: excerpt(&message.text),
        }
    }
}

/// Returns the beginning of a text on one line: up to [`MAX_EXCERPT_CHARS`] characters, of which the last is an ellipsis
/// if there are more.
///
/// It does not cut before a mark, a joiner or another character that belongs to the one before. It knows the usual ones
/// by their ranges, because tables would enlarge the module that visitors download.
pub fn excerpt(text: &str) -> String {
    // Beyond this, only white space can be left out, and a text of white space has no excerpt worth reading.
    let text: String = text.chars().take(4 * MAX_EXCERPT_CHARS).collect();
    let line: Vec<char> = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().collect();
    if line.len() <= MAX_EXCERPT_CHARS {
        return line.into_iter().collect();
    }
    let mut end = MAX_EXCERPT_CHARS - 1;
    while end > 1 && (continues(line[end]) || line[end - 1] == JOINER) {
        end -= 1;
    }
    let kept: String = line[..end].iter().collect();
    format!("{}…", kept.trim_end())
}

/// U+200D, which joins the emoji before and after it.
const JOINER: char = '\u{200d}';

/// Returns whether a character is drawn with the one before it.
fn continues(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200c}'..='\u{200d}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}')
        || matches!(c, '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_its_own_excerpt_on_one_line() {
        assert_eq!(excerpt("one\n\n two\tthree"), "one two three");
        assert_eq!(excerpt(""), "");
        assert_eq!(excerpt(&"é".repeat(120)), "é".repeat(120));
    }

    #[test]
    fn a_long_text_is_cut_between_whole_characters() {
        assert_eq!(excerpt(&"a".repeat(121)), format!("{}…", "a".repeat(119)));
        assert_eq!(excerpt(&format!("{}e\u{301}\u{301}xyz", "a".repeat(118))), format!("{}…", "a".repeat(118)));
        let family = "👩\u{200d}👩\u{200d}👧";
        assert_eq!(excerpt(&format!("{}{family} and more", "a".repeat(117))), format!("{}…", "a".repeat(117)));
        for text in ["\u{301}".repeat(4000), "👋🏽".repeat(2000), " ".repeat(300) + "x", "a ".repeat(2000)] {
            assert!(excerpt(&text).chars().count() <= MAX_EXCERPT_CHARS, "{text}");
        }
    }
}
