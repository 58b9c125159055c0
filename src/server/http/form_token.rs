//! Tokens that prove that a form belongs to a page of this visitor. Other sites do not know them, and a link cannot
//! contain them (OWASP, "HMAC Based Token Pattern").

use crate::server::auth::identity::AuthorId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// Signer that holds the site's key for form tokens.
pub(crate) struct FormTokenSigner(Hmac<Sha256>);

impl FormTokenSigner {
    pub(crate) fn new(secret: &[u8]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("HMAC takes keys of any length"))
    }

    /// Returns the token of this identity.
    pub(crate) fn of(&self, author: &AuthorId) -> String {
        let hash = self.hash(author).finalize().into_bytes();
        Uuid::from_bytes(std::array::from_fn(|index| hash[index])).simple().to_string()
    }

    /// Returns whether this is the token of this identity. Compares in constant time.
    pub(crate) fn proves(&self, author: &AuthorId, token: &str) -> bool {
        let token = Uuid::try_parse(token);
        token.is_ok_and(|token| self.hash(author).verify_truncated_left(token.as_bytes()).is_ok())
    }

    fn hash(&self, author: &AuthorId) -> Hmac<Sha256> {
        self.0.clone().chain_update(author.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::auth::identity::IdentitySigner;

    #[test]
    fn a_token_proves_the_form_of_its_own_visitor_alone() {
        let (tokens, ann, bob) = (FormTokenSigner::new(b"key"), IdentitySigner::guest(), IdentitySigner::guest());
        let token = tokens.of(&ann);
        assert!(tokens.proves(&ann, &token));
        assert!(!tokens.proves(&bob, &token));
        assert!(!FormTokenSigner::new(b"another key").proves(&ann, &token));
        for nonsense in ["", "x", &token[..31], &"0".repeat(32)] {
            assert!(!tokens.proves(&ann, nonsense), "{nonsense}");
        }
    }
}
