//! Authors of events: their stored bytes, and the groups of a network that they count among.

use super::minute;
use crate::domain::AuthorTag;
use crate::server::random;
use sha2::{Digest, Sha256};
use std::ops::Range;
use uuid::Uuid;

/// Bytes of a guest's author that identify the guest's network: a keyed hash, so that they reveal no address.
pub(super) const NETWORK_BYTES: Range<usize> = 6..12;

/// First bytes of the author that represents the newcomers of a network.
const NEWCOMERS: [u8; NETWORK_BYTES.start] = [1, 0, 0, 0, 0, 0];

/// A keyed hash of a network.
pub(super) type NetworkHash = [u8; NETWORK_BYTES.end - NETWORK_BYTES.start];

/// Last bytes of an author without a cookie. They also tell the database that this author will not return. One in four
/// billion other identities may end like this by chance.
pub(super) const GUEST_SUFFIX: [u8; 4] = [0; 4];

/// The author of an event: the first 128 bits of the SHA-256 of an identity's id. The database stores this value.
#[derive(Clone, Copy, Debug)]
pub struct AuthorId {
    pub(super) hash: [u8; 16],
    pub(super) credential: Credential,
    pub(super) company: NetworkGroup,
}

/// The proof of an identity that a request brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credential {
    /// None: the author is a guest.
    Missing,
    /// A cookie. Also stands for the unknown credential of a stored author.
    Cookie,
    /// A token of the API.
    Token,
}

/// The group of a network that an author also counts among.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NetworkGroup {
    None,
    /// The guests of the network.
    Guests(NetworkHash),
    /// The guests of the network, each of whom sends one request: an id of one counts for all of them.
    Requests,
    /// The visitors of the network with a new identity, until this minute.
    Newcomers(NetworkHash, u32),
}

impl AuthorId {
    /// The host, who administers the site and ranks above the owner of every room. No visitor gets these bytes.
    pub(crate) const HOST: Self = Self { hash: [0; 16], credential: Credential::Cookie, company: NetworkGroup::None };

    pub(super) fn of(id: Uuid, credential: Credential) -> Self {
        Self { hash: hash_of(id), credential, company: NetworkGroup::None }
    }

    /// Creates the author of a new token.
    pub(crate) fn of_new_token() -> Self {
        loop {
            let author = Self { hash: random::bits(), credential: Credential::Token, company: NetworkGroup::None };
            // Others must not take the author for a guest of a network.
            if !author.hash.ends_with(&GUEST_SUFFIX) {
                return author;
            }
        }
    }

    /// Returns this author, whom a token proves.
    pub(crate) fn proven_by_token(self) -> Self {
        Self { credential: Credential::Token, ..self }
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
        self.credential == Credential::Missing
    }

    /// Returns whether a token proves this author, so that the author's connections end with the token.
    pub(crate) fn is_token(&self) -> bool {
        self.credential == Credential::Token
    }

    /// Returns this author, who sends a single request. A guest's next request comes from another author, so the ids of
    /// all guests of the network count together.
    pub(crate) fn of_request(self) -> Self {
        let is_known_as_guest = self.is_guest() && self.hash.ends_with(&GUEST_SUFFIX);
        if is_known_as_guest { Self { company: NetworkGroup::Requests, ..self } } else { self }
    }

    /// Returns the author under whom the network's ids are known, or `None` if only this author's own ids count.
    pub(crate) fn id_sharing_guests(&self) -> Option<[u8; 16]> {
        (self.company == NetworkGroup::Requests).then(|| self.standing())
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
        let is_guest = hash.ends_with(&GUEST_SUFFIX) && hash != Self::HOST.hash;
        let credential = if is_guest { Credential::Missing } else { Credential::Cookie };
        Self { hash, credential, company: NetworkGroup::None }
    }
}

pub(super) fn hash_of(id: Uuid) -> [u8; 16] {
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
