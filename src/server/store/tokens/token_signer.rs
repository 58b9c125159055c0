//! Tokens as text: `plr_`, 128 random bits, and a signature of the site. So a made-up token costs no query.

use crate::domain::RoomKey;
use crate::domain::room_key::KEY_CHARS;
use crate::server::random;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Beginning of every token, by which people and scanners of leaked secrets recognize it.
const PREFIX: &str = "plr_";

/// SHA-256 of a token, as the database stores it.
pub(super) type TokenHash = [u8; 32];

/// Creates tokens, and verifies that the site has created one.
#[derive(Clone)]
pub(super) struct TokenSigner(Hmac<Sha256>);

impl TokenSigner {
    /// Creates a signer. `key` is the site's secret: the same on every node.
    pub(super) fn new(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes keys of any length"))
    }

    /// Creates a token. Returns its text and its hash.
    pub(super) fn create(&self) -> (String, TokenHash) {
        let random = RoomKey::new(random::bits()).to_string();
        let token = format!("{PREFIX}{random}{}", self.signature(&random));
        let hash = hash_of_token(&token);
        (token, hash)
    }

    /// Returns the hash of a token, or `None` if the site has not created it.
    pub(super) fn verify(&self, token: &str) -> Option<TokenHash> {
        let (random, signature) = token.strip_prefix(PREFIX)?.split_at_checked(KEY_CHARS)?;
        let expected = self.signature(random);
        let differing =
            expected.bytes().zip(signature.bytes()).fold(0, |differing, (one, other)| differing | (one ^ other));
        (differing == 0 && signature.len() == expected.len()).then(|| hash_of_token(token))
    }

    fn signature(&self, random: &str) -> String {
        let mac = self.0.clone().chain_update(random).finalize().into_bytes();
        let mut left = [0; 16];
        left.copy_from_slice(&mac[..16]);
        RoomKey::new(left).to_string()
    }
}

fn hash_of_token(token: &str) -> TokenHash {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_recognized_by_its_own_site_alone() {
        let signer = TokenSigner::new(b"key");
        let (token, hash) = signer.create();
        assert!(token.starts_with("plr_") && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
        assert_eq!(TokenSigner::new(b"key").verify(&token), Some(hash));
        assert_eq!(TokenSigner::new(b"another key").verify(&token), None);
        assert_ne!(signer.create().0, token);
    }

    #[test]
    fn a_made_up_token_is_not_recognized() {
        let signer = TokenSigner::new(b"key");
        let (token, _) = signer.create();
        let (start, end) = token.split_at(token.len() - 1);
        let last = if end == "a" { "b" } else { "a" };
        let upper = token.to_uppercase();
        for other in ["", "plr_", "x", start, &format!("{start}{last}"), &format!("{token}a"), &upper, &"é".repeat(40)]
        {
            assert_eq!(signer.verify(other), None, "{other}");
        }
    }
}
