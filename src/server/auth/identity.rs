//! Who somebody is to the server: a random id in a cookie, known to the log by its hash alone.
//!
//! The cookie carries the id, a signature, and the day on which it was given. The id begins with the minute in which it
//! was made; the rest is random. The key lies in the database, so every node recognises what any node has given out, and
//! an id that nobody gave out is never adopted; yet a visitor who only looks costs no row.

use crate::domain::AuthorTag;
use crate::server::limits::connection_counter::Network;
use crate::server::{random, store};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::ops::Range;
use uuid::Uuid;

/// The name of the cookie.
pub const IDENTITY_COOKIE: &str = "parlour_identity";

/// How many days old a cookie becomes before its visitor is given another with the same identity.
const RENEW_AFTER_DAYS: i64 = 30;

/// For how many minutes an identity counts as new: as long as slow mode makes anybody wait at most.
const NEW_MINUTES: u32 = 60;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Where a guest's author says which network the guest comes from: by a keyed hash, so that it is no address.
const NETWORK: Range<usize> = 6..12;

/// How the author begins that stands for the newcomers of a network.
const NEWCOMERS: [u8; NETWORK.start] = [1, 0, 0, 0, 0, 0];

/// A keyed hash of a network.
type NetworkHash = [u8; NETWORK.end - NETWORK.start];

/// How an author ends who has no cookie, so that the database, too, knows them for somebody who will not be back. Of four
/// thousand million other identities one may end so by chance.
const GUEST_SUFFIX: [u8; 4] = [0; 4];

/// The author of an event: the first 128 bits of the SHA-256 of an identity's id. What the database holds.
#[derive(Clone, Copy, Debug)]
pub struct AuthorId {
    hash: [u8; 16],
    guest: bool,
    company: Company,
}

/// Among whom an author counts besides, by the hash of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Company {
    None,
    /// The guests of the network.
    Guests(NetworkHash),
    /// Those of the network whose identity is new, until this minute.
    Newcomers(NetworkHash, u32),
}

impl AuthorId {
    /// Whoever looks after the site: above the owner of every room. No visitor is given these bytes.
    pub(crate) const HOST: Self = Self { hash: [0; 16], guest: false, company: Company::None };

    fn of(id: Uuid, guest: bool) -> Self {
        Self { hash: hash_of(id), guest, company: Company::None }
    }

    /// The author that the database holds so; `None` if these are not the bytes of one.
    pub(crate) fn from_stored(hash: &[u8]) -> Option<Self> {
        <[u8; 16]>::try_from(hash).ok().map(Self::from)
    }

    /// As the database holds it.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.hash
    }

    /// The same, as a value of its own.
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        self.hash
    }

    /// Whether this is [`AuthorId::HOST`].
    pub(crate) fn is_host(&self) -> bool {
        self.hash == Self::HOST.hash
    }

    /// Whether nothing shows yet that this author will be back: there was no cookie with the request. Read from the
    /// database, whether there was none with the answer either.
    pub(crate) fn is_guest(&self) -> bool {
        self.guest
    }

    /// The author under which is kept how this one stands in a room (see [`standing_of`]).
    pub(crate) fn standing(&self) -> [u8; 16] {
        standing_of(self.hash)
    }

    /// The author under which is kept how often newcomers of the same network have spoken; `None` for everybody else.
    pub(crate) fn newcomers(&self, now: i64) -> Option<[u8; 16]> {
        match self.company {
            Company::Newcomers(network, until) if minute(now) < until => Some(together(NEWCOMERS, network)),
            _ => None,
        }
    }

    /// The same author, who stands as the network of `guest` does besides: one whose cookie is on its way could be another
    /// author with each request, as a guest is.
    pub(crate) fn among_guests_like(self, guest: &Self) -> Self {
        let mut network = NetworkHash::default();
        network.copy_from_slice(&guest.hash[NETWORK]);
        Self { company: Company::Guests(network), ..self }
    }

    /// All authors under which is kept how this one stands in a room, its own first.
    pub(crate) fn standings(&self) -> impl Iterator<Item = [u8; 16]> + use<> {
        let guests = match self.company {
            Company::Guests(network) => Some(together([0; NETWORK.start], network)),
            _ => None,
        };
        std::iter::once(self.standing()).chain(guests)
    }

    /// Whether this stands for the guests or the newcomers of a network together, and is nobody who writes.
    pub(crate) fn is_of_network(&self) -> bool {
        let is_together = self.hash.starts_with(&NEWCOMERS) || self.hash == self.standing();
        self.hash.ends_with(&GUEST_SUFFIX) && is_together && !self.is_host()
    }

    /// What others see of it.
    pub fn tag(&self) -> AuthorTag {
        tag_of(&self.hash)
    }
}

/// What the database or another node knows an author by.
impl From<[u8; 16]> for AuthorId {
    fn from(hash: [u8; 16]) -> Self {
        Self { hash, guest: hash.ends_with(&GUEST_SUFFIX) && hash != Self::HOST.hash, company: Company::None }
    }
}

fn hash_of(id: Uuid) -> [u8; 16] {
    let mut hash = [0; 16];
    hash.copy_from_slice(&Sha256::digest(id.as_bytes())[..16]);
    hash
}

/// The author that stands for people of a network together.
fn together(begin: [u8; NETWORK.start], network: NetworkHash) -> [u8; 16] {
    let mut author = [0; 16];
    author[..NETWORK.start].copy_from_slice(&begin);
    author[NETWORK].copy_from_slice(&network);
    author
}

/// The author under which is kept how one stands in a room: mutes, bans, and when they last spoke. A guest is another
/// author with each connection, so guests stand as their network does. Everybody else stands for themselves.
pub(crate) fn standing_of(mut author: [u8; 16]) -> [u8; 16] {
    if author.ends_with(&GUEST_SUFFIX) {
        author[..NETWORK.start].fill(0);
    }
    author
}

/// The tag of an author as the database holds it; missing bytes count as 0.
pub(crate) fn tag_of(stored: &[u8]) -> AuthorTag {
    let byte = |index| stored.get(index).copied().unwrap_or_default();
    AuthorTag::new([byte(0), byte(1)])
}

/// Signs new identities and recognises those it signed.
#[derive(Clone)]
pub struct IdentitySigner {
    key: Hmac<Sha256>,
}

impl IdentitySigner {
    /// `key` is the site's secret: the same on every node.
    pub fn new(key: &[u8]) -> Self {
        Self { key: Hmac::new_from_slice(key).expect("HMAC takes keys of any length") }
    }

    /// A new identity: the author, and the value of the cookie that proves it. A guest until the cookie comes back.
    pub fn create(&self) -> (AuthorId, String) {
        let mut bits = random::bits();
        // When it was made. Ids of earlier releases are of chance alone: one in thirty million seems to be new.
        bits[..4].copy_from_slice(&minute(store::now()).to_be_bytes());
        let id = Uuid::from_bytes(bits);
        (AuthorId::of(id, true), self.cookie(id, today()))
    }

    /// The author whom this cookie proves, if it was given out by this site.
    pub fn verify(&self, cookie: &str) -> Option<AuthorId> {
        self.id(cookie).map(|id| AuthorId::of(id, false))
    }

    /// The same, who counts among the newcomers of `network` for as long as the identity is new.
    pub(crate) fn verify_from(&self, cookie: &str, network: Network) -> Option<AuthorId> {
        self.verify_at(cookie, network, store::now())
    }

    fn verify_at(&self, cookie: &str, network: Network, now: i64) -> Option<AuthorId> {
        let id = self.id(cookie)?;
        let author = AuthorId::of(id, false);
        let [a, b, c, d, ..] = *id.as_bytes();
        let made = u32::from_be_bytes([a, b, c, d]);
        // The clock of the node that made it may be ahead.
        if made.abs_diff(minute(now)) >= NEW_MINUTES {
            return Some(author);
        }
        let company = Company::Newcomers(self.hash_of_network(network), made.saturating_add(NEW_MINUTES));
        Some(AuthorId { company, ..author })
    }

    /// The same identity in a cookie of today, where this one is old: browsers keep none for ever, however often it is
    /// used.
    pub(crate) fn renew(&self, cookie: &str) -> Option<String> {
        self.renew_at(cookie, today())
    }

    /// One that does not say when it was given counts as old.
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

    /// The id in a cookie, if this site has signed it.
    fn id(&self, cookie: &str) -> Option<Uuid> {
        let mut parts = cookie.splitn(3, '.');
        let [id, signature] = [parts.next()?, parts.next()?].map(|part| Uuid::try_parse(part).ok());
        let (id, signature) = (id?, signature?);
        let mac = self.key.clone().chain_update(id.as_bytes());
        mac.verify_truncated_left(signature.as_bytes()).ok()?;
        Some(id)
    }

    /// The author of a connection without a cookie from `network`, for the life of that connection.
    pub(crate) fn guest_of(&self, network: Network) -> AuthorId {
        let mut hash = Self::guest().hash;
        hash[NETWORK].copy_from_slice(&self.hash_of_network(network));
        AuthorId { hash, guest: true, company: Company::None }
    }

    fn hash_of_network(&self, network: Network) -> NetworkHash {
        let mac = self.key.clone().chain_update(b"guests of the network ").chain_update(network.customer()).finalize();
        let mut hash = NetworkHash::default();
        hash.copy_from_slice(&mac.into_bytes()[..NETWORK.len()]);
        // Else the network's own bytes could be those of the host.
        hash[0] |= 1;
        hash
    }

    /// A guest of no network. It ends with [`GUEST_SUFFIX`].
    pub fn guest() -> AuthorId {
        let mut hash = hash_of(Uuid::new_v4());
        hash[16 - GUEST_SUFFIX.len()..].copy_from_slice(&GUEST_SUFFIX);
        AuthorId { hash, guest: true, company: Company::None }
    }

    fn signature(&self, id: Uuid) -> Uuid {
        let mac = self.key.clone().chain_update(id.as_bytes()).finalize().into_bytes();
        let mut left = [0; 16];
        left.copy_from_slice(&mac[..16]);
        Uuid::from_bytes(left)
    }
}

/// The minute, counted from 1970 in UTC.
fn minute(now: i64) -> u32 {
    u32::try_from(now / 60_000).unwrap_or_default()
}

/// The day, counted from 1970 in UTC.
fn today() -> i64 {
    store::now() / DAY_MS
}

#[cfg(test)]
mod tests;
