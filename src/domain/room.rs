//! Room names, as they appear in URLs.

use super::RoomKey;
use super::unicode::{find_stray, has_base_character, is_default_ignorable, without_presentation};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// First path segments that the server uses itself. No room can have these names.
pub const RESERVED_NAMES: &[&str] = &[
    "api",
    "assets",
    "favicon.ico",
    "healthz",
    "manifest.webmanifest",
    "metrics",
    "pkg",
    "readyz",
    "robots.txt",
    "ws",
];

/// Maximum length of a room name, in characters (Unicode scalar values), without the key of a private room.
pub const MAX_ROOM_NAME_CHARS: usize = 64;

/// Separates the title of a private room from its key.
const KEY_SEPARATOR: char = '~';

/// The canonical name of a room: NFC, lower case, 1 to 64 letters, marks, decimal digits, emoji, `-`, `_` or `.`, with
/// joiners where they are visible (RFC 5892). It does not begin with `.` and is not one of [`RESERVED_NAMES`]. The name
/// of a private room ends with `~` and a [`RoomKey`].
///
/// Untrusted text must go through [`RoomName::parse`]. Deserialization does not validate: it is only for names that
/// this program has serialized.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoomName(String);

/// The reason why a text is not a valid room name. Its text is shown to visitors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum RoomNameError {
    /// The name is empty.
    #[error("A room needs a name.")]
    Empty,
    /// The name has more than [`MAX_ROOM_NAME_CHARS`] characters.
    #[error("Up to 64 characters.")]
    TooLong,
    /// The name begins with a full stop.
    #[error("Room names do not begin with a full stop.")]
    LeadingDot,
    /// The name contains this character (or control code), which is not allowed.
    #[error("Room names have letters, digits, emoji, “-”, “_” and “.”. This one has {}.", describe(*.0))]
    Character(char),
    /// The name has no visible character, for example only a combining mark.
    #[error("A room's name needs at least one visible character.")]
    Invisible,
    /// The name is reserved for the server.
    #[error("“{0}” is reserved.")]
    Reserved(String),
}

impl RoomName {
    /// Parses a name, and returns its canonical form (NFC, lower case). Idempotent.
    ///
    /// # Errors
    ///
    /// Returns the reason why the text is not a valid name.
    pub fn parse(raw: &str) -> Result<Self, RoomNameError> {
        // Lower-casing can break NFC (İ becomes i and a combining dot), so the name is normalized again.
        let name: String = without_presentation(raw).nfc().collect::<String>().to_lowercase().nfc().collect();
        if let Some((title, key)) = name.split_once(KEY_SEPARATOR)
            && let Some(key) = RoomKey::parse(key)
        {
            return Ok(Self::parse(title)?.with_key(key));
        }
        if name.is_empty() {
            return Err(RoomNameError::Empty);
        }
        if let Some(stray) = find_stray(&name, is_allowed) {
            return Err(RoomNameError::Character(stray));
        }
        if !has_base_character(&name) {
            return Err(RoomNameError::Invisible);
        }
        if name.chars().count() > MAX_ROOM_NAME_CHARS {
            return Err(RoomNameError::TooLong);
        }
        if name.starts_with('.') {
            return Err(RoomNameError::LeadingDot);
        }
        if RESERVED_NAMES.contains(&name.as_str()) {
            return Err(RoomNameError::Reserved(name));
        }
        Ok(Self(name))
    }

    /// Parses input from the front page's form. Outer white space is removed; inner white space becomes `-`.
    ///
    /// # Errors
    ///
    /// Returns the reason why the text is not a valid name.
    pub fn parse_form(raw: &str) -> Result<Self, RoomNameError> {
        Self::parse(&raw.split_whitespace().collect::<Vec<_>>().join("-"))
    }

    /// Returns the name of the private room with this title and key.
    pub fn with_key(&self, key: RoomKey) -> Self {
        Self(format!("{}{KEY_SEPARATOR}{key}", self.title()))
    }

    /// Returns the title that visitors see: the name without the key.
    pub fn title(&self) -> &str {
        self.0.split_once(KEY_SEPARATOR).map_or(&self.0, |(title, _)| title)
    }

    /// Returns the key of a private room, or `None` if the room is public.
    pub fn key(&self) -> Option<RoomKey> {
        self.0.split_once(KEY_SEPARATOR).and_then(|(_, key)| RoomKey::parse(key))
    }

    /// Returns whether the room is private: only invited visitors may enter.
    pub fn is_private(&self) -> bool {
        self.0.contains(KEY_SEPARATOR)
    }

    /// Creates a name from stored text, which was validated before.
    pub fn from_trusted(name: String) -> Self {
        Self(name)
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the path of the room's page: `/{room_name}/`, percent-encoded.
    pub fn path(&self) -> String {
        format!("/{}/", encode_segment(&self.0))
    }

    /// Returns the path of the room's settings: `/{room_name}/settings`.
    pub fn settings_path(&self) -> String {
        self.path() + "settings"
    }

    /// Returns the path of the QR code of the room's invitation link.
    pub fn qr_code_path(&self) -> String {
        self.path() + "qr"
    }
}

impl std::fmt::Display for RoomName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Percent-encodes everything except the unreserved characters of RFC 3986, section 2.3. The result is valid as a path
/// segment and as a query value.
pub fn encode_segment(text: &str) -> String {
    use std::fmt::Write;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => write!(encoded, "%{byte:02X}").expect("writing to a String"),
        }
    }
    encoded
}

fn is_allowed(c: char) -> bool {
    match c {
        '-' | '_' | '.' => true,
        _ if c.is_ascii() => c.is_ascii_alphanumeric(),
        _ if is_default_ignorable(c) => false,
        _ => {
            matches!(c.general_category_group(), GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark)
                || c.general_category() == unicode_properties::GeneralCategory::DecimalNumber
        }
    }
}

fn describe(c: char) -> String {
    match c {
        ' ' => "a space".into(),
        '/' => "a slash".into(),
        _ if c.is_control() || c.general_category_group() != GeneralCategoryGroup::Symbol && !c.is_ascii() => {
            format!("U+{:04X}", u32::from(c))
        }
        _ => format!("“{c}”"),
    }
}

#[cfg(test)]
mod tests;
