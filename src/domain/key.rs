//! Keys: 128 bits that nobody guesses, as they stand in an address.

/// How many characters a key has as text.
pub const KEY_CHARS: usize = 26;

/// RFC 4648, section 6, in lower case: no two characters look alike.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// 128 bits. As text: [`KEY_CHARS`] characters `a-z2-7`, the highest bits first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key(u128);

impl Key {
    /// The key of these bits.
    pub fn new(bits: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bits))
    }

    /// Reads a key; a text that [`Key`] does not write is none.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != KEY_CHARS {
            return None;
        }
        let bits = text.bytes().try_fold(0_u128, |bits, character| {
            let value = ALPHABET.iter().position(|it| *it == character)?;
            bits.checked_mul(32)?.checked_add(value as u128)
        });
        bits.map(Self)
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::fmt::Write;
        (0..KEY_CHARS).rev().try_for_each(|place| f.write_char(ALPHABET[(self.0 >> (5 * place)) as usize % 32].into()))
    }
}

impl std::fmt::Debug for Key {
    /// Says nothing: logs are no place for keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_is_at_most_one_key_and_a_key_one_text() {
        assert_eq!(Key::new([0; 16]).to_string(), "a".repeat(26));
        assert_eq!(Key::new([0xff; 16]).to_string(), format!("h{}", "7".repeat(25)));
        let too_much = format!("i{}", "a".repeat(25));
        for text in ["", "a", &"a".repeat(25), &"a".repeat(27), &"A".repeat(26), &"1".repeat(26), &too_much] {
            assert_eq!(Key::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_is_not_seen_in_logs() {
        assert_eq!(format!("{:?}", Key::new([7; 16])), "Key(…)");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bits: [u8; 16]) {
            let key = Key::new(bits);
            prop_assert_eq!(Key::parse(&key.to_string()), Some(key));
        }
    }
}
