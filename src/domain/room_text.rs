//! Texts that describe a room: its title and its topic.

use super::unicode::{find_stray, has_base_character, is_default_ignorable, is_presentation_selector};
use super::{Rejection, RejectionCode};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// Maximum length of a title, in characters (Unicode scalar values).
pub const MAX_TITLE_CHARS: usize = 80;

/// Maximum length of a topic, in characters (Unicode scalar values).
pub const MAX_TOPIC_CHARS: usize = 200;

/// The title or the topic of a room: one line in NFC, with single inner spaces, without control, bidirectional or
/// invisible characters. Joiners are allowed where they are visible (RFC 5892), and in emoji. It may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomText(String);

/// The reason why a text is neither a title nor a topic. Its text is shown to visitors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoomTextError {
    /// The text has more characters than this.
    #[error("Up to {0} characters.")]
    TooLong(usize),
    /// The text contains a line break, or a control, bidirectional, invisible or unassigned character.
    #[error("This has a character that isn’t allowed, such as a line break.")]
    Character,
    /// The text has no visible character, for example only a combining mark.
    #[error("This needs at least one visible character.")]
    Invisible,
}

impl RoomText {
    /// Parses a title. Idempotent.
    ///
    /// # Errors
    ///
    /// Returns the reason why the text is not a valid title.
    pub fn parse_title(raw: &str) -> Result<Self, RoomTextError> {
        Self::parse(raw, MAX_TITLE_CHARS)
    }

    /// Parses a topic. Idempotent.
    ///
    /// # Errors
    ///
    /// Returns the reason why the text is not a valid topic.
    pub fn parse_topic(raw: &str) -> Result<Self, RoomTextError> {
        Self::parse(raw, MAX_TOPIC_CHARS)
    }

    fn parse(raw: &str, max_chars: usize) -> Result<Self, RoomTextError> {
        let is_space = |c: char| c == '\t' || c.general_category() == GeneralCategory::SpaceSeparator;
        let words: Vec<&str> = raw.split(is_space).filter(|word| !word.is_empty()).collect();
        let text: String = words.join(" ").nfc().collect();
        if text.chars().count() > max_chars {
            return Err(RoomTextError::TooLong(max_chars));
        }
        if find_stray(&text, is_allowed).is_some() {
            return Err(RoomTextError::Character);
        }
        if !text.is_empty() && !has_base_character(&text) {
            return Err(RoomTextError::Invisible);
        }
        Ok(Self(text))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text, or `None` if it is empty.
    pub fn non_empty(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|text| !text.is_empty())
    }
}

impl From<RoomTextError> for Rejection {
    fn from(error: RoomTextError) -> Self {
        let code = match error {
            RoomTextError::TooLong(_) => RejectionCode::TooLong,
            RoomTextError::Character | RoomTextError::Invisible => RejectionCode::Invalid,
        };
        Self::new(code, error.to_string())
    }
}

fn is_allowed(c: char) -> bool {
    use GeneralCategoryGroup::{Letter, Mark, Number, Punctuation, Symbol};
    let seen = matches!(c.general_category_group(), Letter | Mark | Number | Punctuation | Symbol);
    // Presentation selectors only choose how a sign is drawn.
    c == ' ' || is_presentation_selector(c) || seen && !is_default_ignorable(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_is_one_line_with_single_spaces() {
        for (raw, text) in [
            ("  Summer\u{a0}\t  trip ", "Summer trip"),
            ("", ""),
            ("   ", ""),
            ("غرفة الأصدقاء", "غرفة الأصدقاء"),
            ("Club 👩\u{200d}🚀 ❤\u{fe0f}", "Club 👩\u{200d}🚀 ❤\u{fe0f}"),
            ("cafe\u{301}", "caf\u{e9}"),
            ("<b>\"Tide & time\"</b>", "<b>\"Tide & time\"</b>"),
        ] {
            assert_eq!(RoomText::parse_title(raw).as_ref().map(RoomText::as_str), Ok(text), "{raw:?}");
        }
        assert_eq!(RoomText::parse_title(" ").unwrap().non_empty(), None);
    }

    #[test]
    fn a_bad_text_is_refused_with_the_reason() {
        use RoomTextError::*;
        for (raw, why) in [
            ("a\nb", Character),
            ("a\r\nb", Character),
            ("a\u{2028}b", Character),
            ("a\0b", Character),
            ("a\u{202e}b", Character),
            ("a\u{2066}b", Character),
            ("a\u{200b}b", Character),
            ("a\u{200d}b", Character),
            ("\u{e000}", Character),
            ("\u{301}", Invisible),
        ] {
            assert_eq!(RoomText::parse_title(raw), Err(why), "{raw:?}");
        }
        assert!(RoomText::parse_title(&"é".repeat(80)).is_ok());
        assert_eq!(RoomText::parse_title(&"é".repeat(81)), Err(TooLong(80)));
        assert!(RoomText::parse_topic(&"😀".repeat(200)).is_ok());
        assert_eq!(RoomText::parse_topic(&"😀".repeat(201)), Err(TooLong(200)));
        let codes = [TooLong(80), Character].map(|error| Rejection::from(error).code);
        assert_eq!(codes, [RejectionCode::TooLong, RejectionCode::Invalid]);
    }

    proptest! {
        #[test]
        fn parsing_is_idempotent(raw in "\\PC{0,90}") {
            if let Ok(text) = RoomText::parse_title(&raw) {
                prop_assert_eq!(RoomText::parse_title(text.as_str()), Ok(text));
            }
        }
    }
}
