//! Usernames: the names of authors and participants.

use super::unicode::{find_stray, has_base_character, is_default_ignorable, is_presentation_selector};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;

/// Maximum length of a username, in grapheme clusters (user-perceived characters).
pub const MAX_USERNAME_GRAPHEMES: usize = 32;

/// Maximum size of a username, in bytes, because a single cluster can have any number of marks.
const MAX_USERNAME_BYTES: usize = 256;

/// A nickname according to RFC 8266: NFKC, single inner spaces, 1 to 32 grapheme clusters, without control,
/// bidirectional or invisible characters. Joiners are allowed where they are visible (RFC 5892), and in emoji.
///
/// Untrusted text must go through [`Username::parse`]. Deserialization does not validate: it is only for names that
/// this program has serialized.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Username(String);

/// The reason why a text is not a valid username. Its text is shown to visitors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum UsernameError {
    /// The name is empty without its outer spaces.
    #[error("A name needs at least one character.")]
    Empty,
    /// The name has more than [`MAX_USERNAME_GRAPHEMES`] characters.
    #[error("Up to 32 characters.")]
    TooLong,
    /// The name contains a control, bidirectional, invisible or unassigned character.
    #[error("This name has a character that isn’t allowed.")]
    Character,
    /// The name has no visible character, for example only a combining mark.
    #[error("A name needs at least one visible character.")]
    Invisible,
}

impl Username {
    /// Returns whether a name is blank. A form without a name sends an empty text or white space.
    pub fn is_blank(raw: &str) -> bool {
        raw.trim().is_empty()
    }

    /// Parses a name, and returns its nickname. Idempotent.
    ///
    /// # Errors
    ///
    /// Returns the reason why the text is not a valid name.
    pub fn parse(raw: &str) -> Result<Self, UsernameError> {
        if Self::is_blank(raw) {
            return Err(UsernameError::Empty);
        }
        if raw.len() > 4 * MAX_USERNAME_BYTES {
            return Err(UsernameError::TooLong);
        }
        let name = nickname(raw);
        if name.is_empty() {
            return Err(UsernameError::Empty);
        }
        if find_stray(&name, is_allowed).is_some() {
            return Err(UsernameError::Character);
        }
        if !has_base_character(&name) {
            return Err(UsernameError::Invisible);
        }
        if name.len() > MAX_USERNAME_BYTES || name.graphemes(true).count() > MAX_USERNAME_GRAPHEMES {
            return Err(UsernameError::TooLong);
        }
        Ok(Self(name))
    }

    /// Creates a name from stored text, which was validated before.
    pub fn from_trusted(name: String) -> Self {
        Self(name)
    }

    /// Returns the name of visitors who did not give one. No identity can hold it.
    pub fn anonymous() -> Self {
        Self("Anonymous".into())
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name with a numeric suffix, as an alternative to a name that is taken. The name is truncated so that
    /// the suffix fits.
    pub fn numbered(&self, number: u16) -> Self {
        let number = format!("-{number}");
        let mut kept = 0;
        let clusters = self.0.grapheme_indices(true).take(MAX_USERNAME_GRAPHEMES - number.len());
        for end in clusters.map(|(start, cluster)| start + cluster.len()) {
            if end + number.len() <= MAX_USERNAME_BYTES {
                kept = end;
            }
        }
        Self(format!("{}{number}", self.0[..kept].trim_end()))
    }

    /// Returns one or two characters for the avatar, which shows them in capitals.
    pub fn initials(&self) -> String {
        initials(self.0.graphemes(true), 2)
    }
}

/// Returns the first letter of a title, as the initials of a username are chosen.
pub fn first_letter(title: &str) -> String {
    initials(title.graphemes(true), 1)
}

/// Returns the initials of a name that consists of these grapheme clusters: the first `max` that are not punctuation, or
/// the first one of a name without others. The capital ß is one letter.
pub fn initials<'a>(clusters: impl Iterator<Item = &'a str>, max: usize) -> String {
    let mut clusters = clusters.peekable();
    let first = clusters.peek().copied().unwrap_or_default();
    let is_letter = |cluster: &&str| cluster.chars().any(|c| c != ' ' && !c.is_ascii_punctuation());
    let mut letters = String::new();
    for cluster in clusters.filter(is_letter).take(max) {
        letters.push_str(if cluster == "ß" { "ẞ" } else { cluster });
    }
    if letters.is_empty() { first.to_owned() } else { letters }
}

/// The visitor's name in the current request: the name in the browser's cookie, if any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RememberedUsername(pub Option<Username>);

impl std::fmt::Display for Username {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Applies the rules of RFC 8266, section 2.1, until the result is stable (section 2.2): sequences of spaces of any
/// kind become one space, outer spaces are removed, then NFKC. Variation selectors only select how an emoji is drawn,
/// and are removed first.
fn nickname(raw: &str) -> String {
    let mut name: String = raw.chars().filter(|c| !is_presentation_selector(*c)).collect();
    loop {
        let words = name.split(|c: char| c.general_category() == GeneralCategory::SpaceSeparator);
        let spaced = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        let next: String = spaced.nfkc().collect();
        if next == name {
            return name;
        }
        name = next;
    }
}

/// Returns whether a character is allowed: letters, marks, numbers, punctuation and symbols of today's Unicode, and the
/// space; no control, format (bidirectional among them), private or unassigned character, and no invisible one.
fn is_allowed(c: char) -> bool {
    use GeneralCategoryGroup::{Letter, Mark, Number, Punctuation, Symbol};
    let seen = matches!(c.general_category_group(), Letter | Mark | Number | Punctuation | Symbol);
    c == ' ' || seen && !is_default_ignorable(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_names_pass_unchanged() {
        for name in [
            "Ann",
            "Ann Lee",
            "Žofie",
            "さくら",
            "محمد",
            "O'Neil",
            "ann_92",
            "Ἄννα & שרה 🦊",
            "Zoë 🫶🏽",
            "علی\u{200c}رضا",
            "ශ්\u{200d}රී",
            "র\u{9cd}\u{200c}য",
            "👩\u{200d}🚀 Ann",
            "Ann 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        ] {
            assert_eq!(Username::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn initials_are_whole_characters() {
        for (name, initials) in [
            ("Ann Lee", "An"),
            ("A. N.", "AN"),
            ("🇫🇷🇩🇪", "🇫🇷🇩🇪"),
            ("🇫🇷 Ann", "🇫🇷A"),
            ("ßa", "ẞa"),
            ("e\u{301}\u{323}x", "ẹ\u{301}x"),
            ("👋🏽!", "👋🏽"),
            ("_-_", "_"),
        ] {
            assert_eq!(Username::parse(name).unwrap().initials(), initials, "{name}");
        }
    }

    #[test]
    fn spaces_are_trimmed_and_merged_and_compatibility_forms_unified() {
        assert_eq!(Username::parse("  Ann \u{3000} Lee ").unwrap().as_str(), "Ann Lee");
        assert_eq!(Username::parse("Ａnn").unwrap().as_str(), "Ann");
        assert_eq!(Username::parse("Ann ❤\u{fe0f}").unwrap().as_str(), "Ann ❤");
        assert_eq!(Username::parse("❤\u{fe0f}\u{200d}🔥").unwrap().as_str(), "❤\u{200d}🔥");
    }

    #[test]
    fn a_bad_name_is_refused_with_the_reason() {
        for (raw, why) in [
            ("", UsernameError::Empty),
            (" \t ", UsernameError::Empty),
            ("a\u{202e}b", UsernameError::Character),
            ("a\u{200b}b", UsernameError::Character),
            ("a\nb", UsernameError::Character),
            ("a\0b", UsernameError::Character),
            ("a\u{3164}b", UsernameError::Character),
            ("a\u{200d}b", UsernameError::Character),
            ("\u{e000}", UsernameError::Character),
            ("\u{fe0f}", UsernameError::Empty),
            ("\u{fffc}", UsernameError::Character),
            ("Ann\u{fffc}", UsernameError::Character),
            ("\u{1d159}", UsernameError::Character),
            ("\u{2800}", UsernameError::Character),
            ("\u{115f}\u{1160}", UsernameError::Character),
            ("\u{ffa0}", UsernameError::Character),
            ("\u{ad}", UsernameError::Character),
            ("\u{e0041}", UsernameError::Character),
            ("\u{13441}", UsernameError::Character),
            ("\u{378}", UsernameError::Character),
            ("علی\u{200c}", UsernameError::Character),
            ("👩\u{200d}🦄", UsernameError::Character),
            ("\u{94d}\u{200d}", UsernameError::Invisible),
            ("\u{301}", UsernameError::Invisible),
            (" \u{301} \u{302}", UsernameError::Invisible),
            ("\u{20dd}", UsernameError::Invisible),
            ("\u{903}", UsernameError::Invisible),
            ("´", UsernameError::Invisible),
        ] {
            assert_eq!(Username::parse(raw), Err(why), "{raw:?}");
        }
        assert!(Username::parse(&"é".repeat(32)).is_ok());
        assert_eq!(Username::parse(&"é".repeat(33)), Err(UsernameError::TooLong));
        assert_eq!(Username::parse(&format!("a{}", "\u{301}".repeat(200))), Err(UsernameError::TooLong));
    }

    #[test]
    fn a_numbered_name_is_a_name_however_long_it_was() {
        assert_eq!(Username::parse("Marta").unwrap().numbered(2).as_str(), "Marta-2");
        let long = Username::parse(&format!("{} {}", "x".repeat(29), "yz")).unwrap();
        assert_eq!(long.numbered(12).as_str(), format!("{}-12", "x".repeat(29)));
        let piled = Username::parse(&format!("abx{}", "\u{301}".repeat(126))).unwrap();
        assert_eq!(piled.numbered(2).as_str(), "ab-2", "a pile of marks is cut off as a whole");
    }

    #[test]
    fn initials_are_at_most_two_letters() {
        assert_eq!(Username::parse("ann lee").unwrap().initials(), "an");
        assert_eq!(Username::parse("李").unwrap().initials(), "李");
        assert_eq!(Username::parse("👩\u{200d}🚀 Ann").unwrap().initials(), "👩\u{200d}🚀A");
    }

    proptest! {
        #[test]
        fn parsing_is_idempotent(raw in "\\PC{0,40}") {
            if let Ok(name) = Username::parse(&raw) {
                prop_assert_eq!(Username::parse(name.as_str()), Ok(name));
            }
        }

        #[test]
        fn numbering_makes_a_name(raw in "\\PC{1,40}", number: u16) {
            if let Ok(name) = Username::parse(&raw) {
                let numbered = name.numbered(number);
                prop_assert_eq!(Username::parse(numbered.as_str()), Ok(numbered));
            }
        }
    }
}
