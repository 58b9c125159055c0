//! The public part of an identity. The identity itself never leaves the server.

use serde::{Deserialize, Serialize};

/// Four hexadecimal characters derived from an author's identity. They distinguish authors with the same name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthorTag(String);

impl AuthorTag {
    /// Creates a tag from stored text, which was validated before.
    pub fn from_trusted(tag: String) -> Self {
        Self(tag)
    }

    /// Creates a tag from two bytes of an identity's hash.
    pub fn new(bytes: [u8; 2]) -> Self {
        Self(format!("{:02x}{:02x}", bytes[0], bytes[1]))
    }

    /// Returns the tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the two bytes of the hash, or `None` if a client sent text that is not a tag.
    pub fn bytes(&self) -> Option<[u8; 2]> {
        let number = u16::from_str_radix(&self.0, 16).ok()?.to_be_bytes();
        (*self == Self::new(number)).then_some(number)
    }

    /// Returns the author's color: one of 24 hues around the color circle, 0 to 23.
    pub fn hue(&self) -> u16 {
        u16::from_str_radix(&self.0, 16).unwrap_or(0) % 24
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_four_characters_and_a_hue() {
        let tag = AuthorTag::new([0x0f, 0x3a]);
        assert_eq!(tag.as_str(), "0f3a");
        assert_eq!(tag.hue(), 0x0f3a % 24);
    }
}
