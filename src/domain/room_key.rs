//! Room keys: 128 unguessable bits, as they appear in URLs.

/// Number of characters of a key as text.
pub const KEY_CHARS: usize = 26;

/// The alphabet of RFC 4648, section 6, in lower case: no two characters look alike.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A key of 128 bits as its text: [`KEY_CHARS`] characters `a-z2-7`.
///
/// New keys are written as RFC 4648, section 6 says: the highest bits first, the last character padded with two zero
/// bits. Earlier releases put these two bits in front, so that every key began with one of `a-h`. Such keys are in
/// existing URLs: they are accepted, and their text does not change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RoomKey([u8; KEY_CHARS]);

impl RoomKey {
    /// Returns the key of these bits.
    pub fn new(bits: [u8; 16]) -> Self {
        let bits = u128::from_be_bytes(bits);
        let value = |place: usize| match KEY_CHARS - 1 - place {
            0 => bits << 2,
            rest => bits >> (5 * rest - 2),
        };
        Self(std::array::from_fn(|place| ALPHABET[(value(place) % 32) as usize]))
    }

    /// Parses a key. Returns `None` for a text that no release writes.
    pub fn parse(text: &str) -> Option<Self> {
        let text: [u8; KEY_CHARS] = text.as_bytes().try_into().ok()?;
        let value = |character: u8| ALPHABET.iter().position(|it| *it == character);
        let [first, .., last] = text;
        let is_key = value(last)? % 4 == 0 || value(first)? < 8;
        (is_key && text.iter().all(|character| value(*character).is_some())).then_some(Self(text))
    }
}

impl std::fmt::Display for RoomKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(str::from_utf8(&self.0).expect("the alphabet is ASCII"))
    }
}

impl std::fmt::Debug for RoomKey {
    /// Hides the key, so that keys do not get into logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn new_keys_are_written_as_the_rfc_says() {
        assert_eq!(RoomKey::new([0; 16]).to_string(), "a".repeat(26));
        assert_eq!(RoomKey::new([0xff; 16]).to_string(), format!("{}4", "7".repeat(25)));
        // The octets of "foobar", whose encoding section 10 gives as MZXW6YTBOI======, and ten zeros.
        let mut bits = [0; 16];
        bits[..6].copy_from_slice(b"foobar");
        assert_eq!(RoomKey::new(bits).to_string(), format!("mzxw6ytboi{}", "a".repeat(16)));
    }

    #[test]
    fn every_character_but_the_padded_last_one_takes_every_value() {
        let mut seen = vec![std::collections::BTreeSet::new(); KEY_CHARS];
        for number in 0..=u8::MAX {
            for (place, character) in RoomKey::new([number.wrapping_mul(151); 16]).to_string().bytes().enumerate() {
                seen[place].insert(character);
            }
        }
        let counts: Vec<usize> = seen.iter().map(|characters| characters.len()).collect();
        assert_eq!((&counts[..25], counts[25]), (&[32; 25][..], 8));
    }

    #[test]
    fn keys_of_earlier_releases_stay_what_they_are() {
        for old in
            [format!("h{}", "7".repeat(25)), "abcdefghijklmnopqrstuvwxyz".to_owned(), format!("{}b", "a".repeat(25))]
        {
            assert_eq!(RoomKey::parse(&old).map(|key| key.to_string()), Some(old));
        }
    }

    #[test]
    fn a_text_that_no_release_writes_is_no_key() {
        let neither = format!("i{}b", "a".repeat(24));
        for text in ["", "a", &"a".repeat(25), &"a".repeat(27), &"A".repeat(26), &"1".repeat(26), &neither] {
            assert_eq!(RoomKey::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_is_not_seen_in_logs() {
        assert_eq!(format!("{:?}", RoomKey::new([7; 16])), "Key(…)");
    }

    proptest! {
        #[test]
        fn a_written_key_is_read_back(bits: [u8; 16]) {
            let key = RoomKey::new(bits);
            prop_assert_eq!(RoomKey::parse(&key.to_string()), Some(key));
        }
    }
}
