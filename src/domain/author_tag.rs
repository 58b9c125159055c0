//! What others see of an identity. The identity itself never leaves the server.

use serde::{Deserialize, Serialize};

/// Four hexadecimal characters derived from an author's identity: two people of one name are told apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthorTag(String);

impl AuthorTag {
    /// A tag that was made before it was stored.
    pub fn from_trusted(tag: String) -> Self {
        Self(tag)
    }

    /// The tag made of two bytes of an identity's hash.
    pub fn new(bytes: [u8; 2]) -> Self {
        Self(format!("{:02x}{:02x}", bytes[0], bytes[1]))
    }

    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The two bytes of the hash; `None` where a client has named no tag at all.
    pub fn bytes(&self) -> Option<[u8; 2]> {
        let number = u16::from_str_radix(&self.0, 16).ok()?.to_be_bytes();
        (*self == Self::new(number)).then_some(number)
    }

    /// The author's colour: one of 24 hues around the circle, 0 to 23.
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
