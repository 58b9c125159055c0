//! Who somebody is to the server: a random id in a cookie, known to the log by its hash alone.
//!
//! The cookie carries the id, a signature, and the day on which it was given. The key lies in the database, so every node
//! recognises what any node has given out, and an id that nobody gave out is never adopted; yet a visitor who only looks
//! costs no row.

use super::network::Network;
use super::{random, store};
use crate::domain::Tag;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::ops::Range;
use uuid::Uuid;

/// The name of the cookie.
pub const COOKIE: &str = "parlour_identity";

/// How many days old a cookie becomes before its visitor is given another with the same identity.
const RENEWED_AFTER: i64 = 30;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Where a guest's author says which network the guest comes from: by a keyed hash, so that it is no address.
const NETWORK: Range<usize> = 6..12;

/// How an author ends who has no cookie, so that the database, too, knows them for somebody who will not be back. Of four
/// thousand million other identities one may end so by chance.
const PASSING: [u8; 4] = [0; 4];

/// The author of an event: the first 128 bits of the SHA-256 of an identity's id. What the database holds.
#[derive(Clone, Copy, Debug)]
pub struct Author {
    hash: [u8; 16],
    guest: bool,
}

impl Author {
    /// Whoever looks after the site: above the owner of every room. No visitor is given these bytes.
    pub(crate) const HOST: Self = Self { hash: [0; 16], guest: false };

    fn of(id: Uuid, guest: bool) -> Self {
        Self { hash: hash_of(id), guest }
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

    /// Whether this is [`Author::HOST`].
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

    /// Whether this stands for the guests of a network together, and is nobody who writes.
    pub(crate) fn is_of_network(&self) -> bool {
        self.hash.ends_with(&PASSING) && self.hash == self.standing() && !self.is_host()
    }

    /// What others see of it.
    pub fn tag(&self) -> Tag {
        tag_of(&self.hash)
    }
}

/// What the database or another node knows an author by.
impl From<[u8; 16]> for Author {
    fn from(hash: [u8; 16]) -> Self {
        Self { hash, guest: hash.ends_with(&PASSING) && hash != Self::HOST.hash }
    }
}

fn hash_of(id: Uuid) -> [u8; 16] {
    let mut hash = [0; 16];
    hash.copy_from_slice(&Sha256::digest(id.as_bytes())[..16]);
    hash
}

/// The author under which is kept how one stands in a room: mutes, bans, and when they last spoke. A guest is another
/// author with each connection, so guests stand as their network does. Everybody else stands for themselves.
pub(crate) fn standing_of(mut author: [u8; 16]) -> [u8; 16] {
    if author.ends_with(&PASSING) {
        author[..NETWORK.start].fill(0);
    }
    author
}

/// The tag of an author as the database holds it; missing bytes count as 0.
pub(crate) fn tag_of(stored: &[u8]) -> Tag {
    let byte = |index| stored.get(index).copied().unwrap_or_default();
    Tag::new([byte(0), byte(1)])
}

/// Signs new identities and recognises those it signed.
#[derive(Clone)]
pub struct Identities {
    key: Hmac<Sha256>,
}

impl Identities {
    /// `key` is the site's secret: the same on every node.
    pub fn new(key: &[u8]) -> Self {
        Self { key: Hmac::new_from_slice(key).expect("HMAC takes keys of any length") }
    }

    /// A new identity: the author, and the value of the cookie that proves it. A guest until the cookie comes back.
    pub fn create(&self) -> (Author, String) {
        let id = Uuid::from_bytes(random::bits());
        (Author::of(id, true), self.cookie(id, today()))
    }

    /// The author whom this cookie proves, if it was given out by this site.
    pub fn recognise(&self, cookie: &str) -> Option<Author> {
        self.id(cookie).map(|id| Author::of(id, false))
    }

    /// The same identity in a cookie of today, where this one is old: browsers keep none for ever, however often it is
    /// used.
    pub(crate) fn renew(&self, cookie: &str) -> Option<String> {
        self.renew_on(cookie, today())
    }

    /// One that does not say when it was given counts as old.
    fn renew_on(&self, cookie: &str, today: i64) -> Option<String> {
        let day = cookie.split('.').nth(2).and_then(|day| day.parse::<i64>().ok());
        if day.is_some_and(|day| today.saturating_sub(day).unsigned_abs() < RENEWED_AFTER.unsigned_abs()) {
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
    pub(crate) fn guest_of(&self, network: Network) -> Author {
        let Author { mut hash, guest } = Self::guest();
        let mac = self.key.clone().chain_update(b"guests of the network ").chain_update(network.customer()).finalize();
        hash[NETWORK].copy_from_slice(&mac.into_bytes()[..NETWORK.len()]);
        // Else the network's own bytes could be those of the host.
        hash[NETWORK.start] |= 1;
        Author { hash, guest }
    }

    /// A guest of no network. It ends with [`PASSING`].
    pub fn guest() -> Author {
        let mut hash = hash_of(Uuid::new_v4());
        hash[16 - PASSING.len()..].copy_from_slice(&PASSING);
        Author { hash, guest: true }
    }

    fn signature(&self, id: Uuid) -> Uuid {
        let mac = self.key.clone().chain_update(id.as_bytes()).finalize().into_bytes();
        let mut left = [0; 16];
        left.copy_from_slice(&mac[..16]);
        Uuid::from_bytes(left)
    }
}

/// The day, counted from 1970 in UTC.
fn today() -> i64 {
    store::now() / DAY_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_with_the_key_recognises_an_identity() {
        let (author, cookie) = Identities::new(b"key").create();
        let recognised = Identities::new(b"key").recognise(&cookie).unwrap();
        assert_eq!(recognised.as_bytes(), author.as_bytes());
    }

    #[test]
    fn an_identity_that_nobody_gave_out_is_not_adopted() {
        let identities = Identities::new(b"key");
        let (_, foreign) = Identities::new(b"another key").create();
        let (_, own) = identities.create();
        let id = own.split_once('.').unwrap().0;
        let unsigned = format!("{id}.{}", Uuid::nil().simple());
        for cookie in ["", ".", "x.y", id, &foreign, &unsigned] {
            assert!(identities.recognise(cookie).is_none(), "{cookie:?}");
        }
    }

    #[test]
    fn an_old_cookie_is_renewed_and_proves_the_same() {
        let identities = Identities::new(b"key");
        let (author, cookie) = identities.create();
        let (bare, day) = cookie.rsplit_once('.').unwrap();
        let day: i64 = day.parse().unwrap();
        for fresh in [day, day + 29, day - 1] {
            assert_eq!(identities.renew_on(&cookie, fresh), None, "a node's clock may be behind");
        }
        let renewed = identities.renew_on(&cookie, day + 30).unwrap();
        assert_eq!(renewed, format!("{bare}.{}", day + 30));
        assert_eq!(identities.recognise(&renewed).unwrap().as_bytes(), author.as_bytes());
        for ageless in [bare.to_owned(), format!("{bare}."), format!("{bare}.x"), format!("{bare}.{}", i64::MIN)] {
            assert_eq!(identities.renew_on(&ageless, day).as_ref(), Some(&cookie), "{ageless}");
        }
        assert_eq!(Identities::new(b"another key").renew_on(bare, day), None);
    }

    #[test]
    fn whoever_comes_back_with_the_cookie_is_no_guest() {
        let identities = Identities::new(b"key");
        let (author, cookie) = identities.create();
        assert!(author.is_guest() && Identities::guest().is_guest());
        assert!(!identities.recognise(&cookie).unwrap().is_guest());
    }

    #[test]
    fn a_guest_is_known_for_one_by_the_database_alone() {
        let (author, _) = Identities::new(b"key").create();
        let stored = |author: &Author| Author::from_stored(author.as_bytes()).unwrap();
        assert!(stored(&Identities::guest()).is_guest());
        assert!(!stored(&author).is_guest(), "the cookie is on its way");
        assert!(stored(&Author::HOST).is_host() && !stored(&Author::HOST).is_guest());
        assert_ne!(Identities::guest().as_bytes(), Identities::guest().as_bytes());
    }

    #[test]
    fn the_author_does_not_give_the_id_away() {
        let (author, cookie) = Identities::new(b"key").create();
        let id = Uuid::try_parse(cookie.split('.').next().unwrap()).unwrap();
        assert_ne!(author.as_bytes(), id.as_bytes());
    }

    #[test]
    fn guests_of_one_network_stand_together_and_are_different_authors() {
        let identities = Identities::new(b"key");
        let guest = |address: &str| identities.guest_of(address.parse::<std::net::IpAddr>().unwrap().into());
        let (one, two, other) = (guest("192.0.2.1"), guest("192.0.2.1"), guest("192.0.2.2"));
        assert_ne!(one.to_bytes(), two.to_bytes());
        assert_eq!(one.standing(), two.standing());
        assert_ne!(one.standing(), other.standing());
        assert_eq!(guest("2001:db8:1:2::1").standing(), guest("2001:db8:1:ff::1").standing(), "one customer's");
        assert_ne!(guest("2001:db8:1::1").standing(), guest("2001:db8:2::1").standing());
        for author in [one, two] {
            let stored = Author::from_stored(author.as_bytes()).unwrap();
            assert!(stored.is_guest() && !stored.is_of_network());
            assert_eq!(stored.standing(), one.standing());
        }
        let together = Author::from(one.standing());
        assert!(together.is_of_network() && !together.is_host());
        let another_site =
            Identities::new(b"another key").guest_of("192.0.2.1".parse::<std::net::IpAddr>().unwrap().into());
        assert_ne!(another_site.standing(), one.standing(), "nobody else can tell which network it is");
    }

    #[test]
    fn whoever_is_no_guest_stands_alone() {
        let (author, _) = Identities::new(b"key").create();
        assert_eq!(author.standing(), author.to_bytes());
        assert_eq!(Author::HOST.standing(), Author::HOST.to_bytes());
        assert!(!Author::HOST.is_of_network() && !author.is_of_network());
    }
}
