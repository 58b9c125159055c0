//! Identities of incoming webhooks, which post like visitors but can own no room.

use super::{AuthorId, GUEST_SUFFIX};
use crate::server::random;

/// Last bytes of a webhook's author. One in four billion other identities may end like this by chance.
const HOOK_SUFFIX: [u8; 4] = [0, 0, 0, 1];

impl AuthorId {
    /// Creates the identity of a new webhook.
    pub(crate) fn new_hook() -> Self {
        let mut hash = random::bits();
        hash[16 - GUEST_SUFFIX.len()..].copy_from_slice(&HOOK_SUFFIX);
        hash.into()
    }

    /// Returns whether this is the identity of a webhook.
    pub(crate) fn is_hook(&self) -> bool {
        self.hash.ends_with(&HOOK_SUFFIX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::auth::identity::IdentitySigner;

    #[test]
    fn a_hook_is_neither_a_guest_nor_the_host() {
        let hook = AuthorId::new_hook();
        assert!(hook.is_hook() && !hook.is_guest() && !hook.is_host() && !hook.is_of_network());
        assert_ne!(hook.as_bytes(), AuthorId::new_hook().as_bytes());
        assert!(!IdentitySigner::guest().is_hook() && !AuthorId::HOST.is_hook());
    }
}
