//! Visitor identities: a random id in a cookie, of which the log stores only the hash.
//!
//! The cookie contains the id, a signature, and the day of issue. The id begins with the minute of its creation; the
//! rest is random. The key is in the database, so every node verifies the cookies of all nodes and never accepts an id
//! that none of them issued. A visitor who only reads costs no row.

mod author;
mod hook;
mod takeover;

pub use author::AuthorId;
use author::{Credential, GUEST_SUFFIX, NETWORK_BYTES, NetworkGroup, NetworkHash};
pub(crate) use author::{standing_of, tag_of};

use crate::domain::timestamp::DAY_MS;
use crate::server::network::Network;
use crate::server::random;
use crate::server::time::now_ms;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// The name of the cookie.
pub const IDENTITY_COOKIE: &str = "parlour_identity";

/// Age of a cookie, in days, after which it is renewed with the same identity.
const RENEW_AFTER_DAYS: i64 = 30;

/// Age in minutes up to which an identity counts as new: the longest interval of slow mode.
const NEW_MINUTES: u32 = 60;

/// Signs new identities, and verifies their cookies.
#[derive(Clone)]
pub struct IdentitySigner {
    key: Hmac<Sha256>,
    /// Time since which the site has TLS, in UTC milliseconds, if it had none before.
    tls_since: Option<i64>,
}

impl IdentitySigner {
    /// Creates a signer. `key` is the site's secret: the same on every node.
    pub fn new(key: &[u8]) -> Self {
        Self { key: Hmac::new_from_slice(key).expect("HMAC takes keys of any length"), tls_since: None }
    }

    /// Returns an identifier of this site among the sites on the same host, because cookies do not distinguish ports
    /// (RFC 6265, section 8.5). Every node of the site returns the same one.
    pub(crate) fn site_id(&self) -> u32 {
        let [a, b, c, d, ..] = self.key.clone().chain_update(b"name of the site").finalize().into_bytes()[..] else {
            unreachable!("a hash of 32 bytes")
        };
        u32::from_be_bytes([a, b, c, d])
    }

    /// Creates an identity: the author, and the cookie value that proves it. The author is a guest until the cookie
    /// comes back.
    pub fn create(&self) -> (AuthorId, String) {
        let mut bits = random::bits();
        // The minute of creation. Ids of earlier releases are random: one in thirty million seems to be new.
        bits[..4].copy_from_slice(&minute(now_ms()).to_be_bytes());
        let id = Uuid::from_bytes(bits);
        (AuthorId::of(id, Credential::Missing), self.cookie(id, today()))
    }

    /// Returns the author whom this cookie proves, or `None` if this site did not issue it.
    pub fn verify(&self, cookie: &str) -> Option<AuthorId> {
        self.id(cookie).map(|id| AuthorId::of(id, Credential::Cookie))
    }

    /// Like [`verify`](Self::verify), but counts the author among the newcomers of `network` while the identity is new.
    pub(crate) fn verify_from(&self, cookie: &str, network: Network) -> Option<AuthorId> {
        self.verify_at(cookie, network, now_ms())
    }

    fn verify_at(&self, cookie: &str, network: Network, now: i64) -> Option<AuthorId> {
        let id = self.id(cookie)?;
        let author = AuthorId::of(id, Credential::Cookie);
        let [a, b, c, d, ..] = *id.as_bytes();
        let made = u32::from_be_bytes([a, b, c, d]);
        // The clock of the node that created it may be ahead.
        if made.abs_diff(minute(now)) >= NEW_MINUTES {
            return Some(author);
        }
        let company = NetworkGroup::Newcomers(self.hash_of_network(network), made.saturating_add(NEW_MINUTES));
        Some(AuthorId { company, ..author })
    }

    /// Returns a cookie of today with the same identity if this one is old. Browsers do not keep a cookie indefinitely,
    /// however often it is used.
    pub(crate) fn renew(&self, cookie: &str) -> Option<String> {
        self.renew_at(cookie, today())
    }

    /// Like [`renew`](Self::renew), on the given day. A cookie without a day counts as old.
    fn renew_at(&self, cookie: &str, today: i64) -> Option<String> {
        let day = cookie.split('.').nth(2).and_then(|day| day.parse::<i64>().ok());
        if day.is_some_and(|day| today.saturating_sub(day).unsigned_abs() < RENEW_AFTER_DAYS.unsigned_abs()) {
            return None;
        }
        self.id(cookie).map(|id| self.cookie(id, today))
    }

    fn cookie(&self, id: Uuid, day: i64) -> String {
        format!("{}.{}.{day}", id.simple(), self.signature(id).simple())
    }

    /// Returns the id in a cookie, or `None` if this site did not sign it.
    fn id(&self, cookie: &str) -> Option<Uuid> {
        let mut parts = cookie.splitn(3, '.');
        let [id, signature] = [parts.next()?, parts.next()?].map(|part| Uuid::try_parse(part).ok());
        let (id, signature) = (id?, signature?);
        let mac = self.key.clone().chain_update(id.as_bytes());
        mac.verify_truncated_left(signature.as_bytes()).ok()?;
        Some(id)
    }

    /// Returns the author of a connection without a cookie from `network`, for the life of that connection.
    pub(crate) fn guest_of(&self, network: Network) -> AuthorId {
        let mut hash = Self::guest().hash;
        hash[NETWORK_BYTES].copy_from_slice(&self.hash_of_network(network));
        AuthorId { hash, credential: Credential::Missing, company: NetworkGroup::None }
    }

    fn hash_of_network(&self, network: Network) -> NetworkHash {
        let mac = self.key.clone().chain_update(b"guests of the network ").chain_update(network.customer()).finalize();
        let mut hash = NetworkHash::default();
        hash.copy_from_slice(&mac.into_bytes()[..NETWORK_BYTES.len()]);
        // Otherwise the bytes of the network could be those of the host.
        hash[0] |= 1;
        hash
    }

    /// Returns a guest of no network. The author ends with [`GUEST_SUFFIX`].
    pub fn guest() -> AuthorId {
        let mut hash = author::hash_of(Uuid::new_v4());
        hash[16 - GUEST_SUFFIX.len()..].copy_from_slice(&GUEST_SUFFIX);
        AuthorId { hash, credential: Credential::Missing, company: NetworkGroup::None }
    }

    fn signature(&self, id: Uuid) -> Uuid {
        let mac = self.key.clone().chain_update(id.as_bytes()).finalize().into_bytes();
        let mut left = [0; 16];
        left.copy_from_slice(&mac[..16]);
        Uuid::from_bytes(left)
    }
}

/// Returns the minute, counted from 1970 in UTC.
fn minute(now: i64) -> u32 {
    u32::try_from(now / 60_000).unwrap_or_default()
}

/// Returns the day, counted from 1970 in UTC.
fn today() -> i64 {
    now_ms() / DAY_MS
}

#[cfg(test)]
mod tests;
