//! Limits of room previews, by identity and by network. Pages refresh them by themselves, so they do not count among the
//! requests of a network: a hundred open pages must not keep the next one from loading.

use super::token_bucket::{NetworkTokenBuckets, Rate, TokenBuckets};
use crate::server::auth::identity::AuthorId;
use crate::server::network::Network;
use std::num::NonZeroU32;
use std::time::Duration;

/// Rooms previewed for one identity, per second and at once: ten pages that list thirty rooms, and refresh them every
/// half a minute.
const ROOMS_PER_SECOND: NonZeroU32 = NonZeroU32::new(10).expect("it is not zero");
const ROOM_BURST: NonZeroU32 = NonZeroU32::new(600).expect("it is not zero");

/// Rooms previewed for one network, per second and at once: 1500 pages that list ten rooms.
const ROOMS_PER_SECOND_PER_NETWORK: NonZeroU32 = NonZeroU32::new(500).expect("it is not zero");
const ROOM_BURST_PER_NETWORK: NonZeroU32 = NonZeroU32::new(15_000).expect("it is not zero");

/// The previewed rooms of each identity and each network.
pub(super) struct PreviewCounters {
    authors: TokenBuckets<[u8; 16]>,
    networks: NetworkTokenBuckets,
}

impl PreviewCounters {
    pub(super) fn new() -> Self {
        Self {
            authors: TokenBuckets::new(Rate::new(ROOMS_PER_SECOND, Duration::from_secs(1), ROOM_BURST)),
            networks: NetworkTokenBuckets::new(Rate::new(
                ROOMS_PER_SECOND_PER_NETWORK,
                Duration::from_secs(1),
                ROOM_BURST_PER_NETWORK,
            )),
        }
    }

    /// Counts a request for previews of this number of rooms; a request without rooms counts as one.
    ///
    /// # Errors
    ///
    /// Returns how long to wait if the author or the network has requested too many.
    pub(super) fn check(&self, author: &AuthorId, network: Network, rooms: usize) -> Result<(), Duration> {
        let rooms = u32::try_from(rooms).unwrap_or(u32::MAX).max(1);
        // Guests of a network are one author: each request could come from another.
        let author = author.standing();
        let wait = self.authors.wait(author, rooms).max(self.networks.wait(network, rooms));
        if wait > Duration::ZERO {
            return Err(wait);
        }
        self.authors.take(author, rooms);
        self.networks.take(network, rooms);
        Ok(())
    }

    /// Forgets those who have requested nothing lately.
    pub(super) fn prune(&self) {
        self.authors.prune();
        self.networks.prune();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    #[test]
    fn the_rooms_of_one_identity_do_not_use_up_those_of_its_network() {
        let counters = PreviewCounters::new();
        let network = Network::from("192.0.2.1".parse::<IpAddr>().unwrap());
        let (ann, ben) = (AuthorId::from([1; 16]), AuthorId::from([2; 16]));
        let lists = (0..100).take_while(|_| counters.check(&ann, network, 30).is_ok()).count();
        assert!((20..25).contains(&lists), "{lists}");
        assert!(counters.check(&ben, network, 30).is_ok());
        let others = (3..=255).map(|byte| AuthorId::from([byte; 16]));
        let lists = others.take_while(|author| (0..10).all(|_| counters.check(author, network, 30).is_ok())).count();
        assert!(lists < 100, "all identities of a network together: {lists}");
    }
}
