//! Visitor identities: a random id in a cookie, of which the log stores only the hash.
//!
//! The cookie contains the id, a signature, and the day of issue. The id begins with the minute of its creation; the
//! rest is random. The key is in the database, so every node verifies the cookies of all nodes and never accepts an id
//! that none of them issued. A visitor who only reads costs no row.

mod hook;
mod takeover;

use crate::domain::{AuthorTag, timestamp::DAY_MS};
use crate::server::network::Network;
use crate::server::random;
use crate::server::time::now_ms;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::ops::Range;
use uuid::Uuid;

/// The name of the cookie.
pub const IDENTITY_COOKIE: &str = "parlour_identity";

/// Age of a cookie, in days, after which it is renewed with the same identity.
const RENEW_AFTER_DAYS: i64 = 30;

/// Age in minutes up to which an identity counts as new: the longest interval of slow mode.
const NEW_MINUTES: u32 = 60;

/// Bytes of a guest's author that identify the guest's network: a keyed hash, so that they reveal no address.
const NETWORK_BYTES: Range<usize> = 6..12;

/// First bytes of the author that represents the newcomers of a network.
const NEWCOMERS: [u8; NETWORK_BYTES.start] = [1, 0, 0, 0, 0, 0];

/// A keyed hash of a network.
type NetworkHash = [u8; NETWORK_BYTES.end - NETWORK_BYTES.start];

/// Last bytes of an author without a cookie. They also tell the database that this author will not return. One in four
/// billion other identities may end like this by chance.
const GUEST_SUFFIX: [u8; 4] = [0; 4];

/// The author of an event: the first 128 bits of the SHA-256 of an identity's id. The database stores this value.
#[derive(Clone, Copy, Debug)]
pub struct AuthorId {
    hash: [u8; 16],
    guest: bool,
    company: NetworkGroup,
}

/// The group of a network that an author also counts among.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NetworkGroup {
    None,
    /// The guests of the network.
    Guests(NetworkHash),
    /// The visitors of the network with a new identity, until this minute.
    Newcomers(NetworkHash, u32),
}

impl AuthorId {
    /// The host, who administers the site and ranks above the owner of every room. No visitor gets these bytes.
    pub(crate) const HOST: Self = Self { hash: [0; 16], guest: false, company: NetworkGroup::None };

    fn of(id: Uuid, guest: bool) -> Self {
        Self { hash: hash_of(id), guest, company: NetworkGroup::None }
    }

    /// Returns the author from its stored bytes, or `None` if their number is wrong.
    pub(crate) fn from_stored(hash: &[u8]) -> Option<Self> {
        <[u8; 16]>::try_from(hash).ok().map(Self::from)
    }

    /// Returns the bytes that the database stores.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.hash
    }

    /// Returns the bytes that the database stores, by value.
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        self.hash
    }

    /// Returns whether this is [`AuthorId::HOST`].
    pub(crate) fn is_host(&self) -> bool {
        self.hash == Self::HOST.hash
    }

    /// Returns whether this author had no cookie, and may not return. If the author was read from the database, the
    /// response set no cookie either.
    pub(crate) fn is_guest(&self) -> bool {
        self.guest
    }

    /// Returns the author under which this author's standing in a room is stored (see [`standing_of`]).
    pub(crate) fn standing(&self) -> [u8; 16] {
        standing_of(self.hash)
    }

    /// Returns the author under which the last messages of the network's newcomers are stored, or `None` if this author
    /// is no newcomer.
    pub(crate) fn newcomers(&self, now: i64) -> Option<[u8; 16]> {
        match self.company {
            NetworkGroup::Newcomers(network, until) if minute(now) < until => Some(together(NEWCOMERS, network)),
            _ => None,
        }
    }

    /// Returns this author, who also counts among the network of `guest`. Until the cookie comes back, each request
    /// could come from another author, as a guest's does.
    pub(crate) fn among_guests_like(self, guest: &Self) -> Self {
        let mut network = NetworkHash::default();
        network.copy_from_slice(&guest.hash[NETWORK_BYTES]);
        Self { company: NetworkGroup::Guests(network), ..self }
    }

    /// Returns all authors under which this author's standing in a room is stored, its own first.
    pub(crate) fn standings(&self) -> impl Iterator<Item = [u8; 16]> + use<> {
        let guests = match self.company {
            NetworkGroup::Guests(network) => Some(together([0; NETWORK_BYTES.start], network)),
            _ => None,
        };
        std::iter::once(self.standing()).chain(guests)
    }

    /// Returns whether this author represents all guests or newcomers of a network, and therefore writes nothing.
    pub(crate) fn is_of_network(&self) -> bool {
        let is_together = self.hash.starts_with(&NEWCOMERS) || self.hash == self.standing();
        self.hash.ends_with(&GUEST_SUFFIX) && is_together && !self.is_host()
    }

    /// Returns the tag that others see.
    pub fn tag(&self) -> AuthorTag {
        tag_of(&self.hash)
    }
}

/// Creates an author from the bytes that the database or another node stores.
impl From<[u8; 16]> for AuthorId {
    fn from(hash: [u8; 16]) -> Self {
        Self { hash, guest: hash.ends_with(&GUEST_SUFFIX) && hash != Self::HOST.hash, company: NetworkGroup::None }
    }
}

fn hash_of(id: Uuid) -> [u8; 16] {
    let mut hash = [0; 16];
    hash.copy_from_slice(&Sha256::digest(id.as_bytes())[..16]);
    hash
}

/// Returns the author that represents a group of a network.
fn together(begin: [u8; NETWORK_BYTES.start], network: NetworkHash) -> [u8; 16] {
    let mut author = [0; 16];
    author[..NETWORK_BYTES.start].copy_from_slice(&begin);
    author[NETWORK_BYTES].copy_from_slice(&network);
    author
}

/// Returns the author under which an author's standing in a room is stored: mutes, bans, and the time of the last
/// message. A guest is another author with each connection, so guests share the standing of their network. All other
/// authors have their own.
pub(crate) fn standing_of(mut author: [u8; 16]) -> [u8; 16] {
    if author.ends_with(&GUEST_SUFFIX) {
        author[..NETWORK_BYTES.start].fill(0);
    }
    author
}

/// Returns the tag of an author from the stored bytes; missing bytes count as 0.
pub(crate) fn tag_of(stored: &[u8]) -> AuthorTag {
    let byte = |index| stored.get(index).copied().unwrap_or_default();
    AuthorTag::new([byte(0), byte(1)])
}

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
        (AuthorId::of(id, true), self.cookie(id, today()))
    }

    /// Returns the author whom this cookie proves, or `None` if this site did not issue it.
    pub fn verify(&self, cookie: &str) -> Option<AuthorId> {
        self.id(cookie).map(|id| AuthorId::of(id, false))
    }

    /// Like [`verify`](Self::verify), but counts the author among the newcomers of `network` while the identity is new.
    pub(crate) fn verify_from(&self, cookie: &str, network: Network) -> Option<AuthorId> {
        self.verify_at(cookie, network, now_ms())
    }

    fn verify_at(&self, cookie: &str, network: Network, now: i64) -> Option<AuthorId> {
        let id = self.id(cookie)?;
        let author = AuthorId::of(id, false);
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
        AuthorId { hash, guest: true, company: NetworkGroup::None }
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
        let mut hash = hash_of(Uuid::new_v4());
        hash[16 - GUEST_SUFFIX.len()..].copy_from_slice(&GUEST_SUFFIX);
        AuthorId { hash, guest: true, company: NetworkGroup::None }
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
