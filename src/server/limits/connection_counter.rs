//! Connection counts per network, and the networks by which addresses are grouped.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Number by which the limit of one [`Network`] is multiplied for all networks of one site. Mobile carriers give each
/// phone a /64, so a site is more than one household; an attacker's /48 is worth four networks, not 65,536.
pub(crate) const SITE: u32 = 4;

/// An IPv4 address, or an IPv6 network of 64 bits, which is the size that one household gets (RFC 6177).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Network(IpAddr);

/// An IPv6 network of 48 bits: the most that one customer gets (RIPE-690).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct WiderNetwork([u8; 6]);

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        })
    }
}

impl Network {
    /// Returns the site that an IPv6 network belongs to, or `None` for an IPv4 address, which has no wider network.
    pub(crate) fn site(self) -> Option<WiderNetwork> {
        match self.0 {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, ..] = address.octets();
                Some(WiderNetwork([a, b, c, d, e, f]))
            }
        }
    }

    /// Returns the bytes of a customer's network: the IPv4 address (4 bytes) or the site (6 bytes).
    pub(crate) fn customer(self) -> Vec<u8> {
        match (self.0, self.site()) {
            (_, Some(WiderNetwork(site))) => site.to_vec(),
            (IpAddr::V4(address), _) => address.octets().to_vec(),
            (IpAddr::V6(address), None) => address.octets().to_vec(),
        }
    }
}

/// Counts of connections by network, by site and in total. A cheap-to-clone handle.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionCounter(Arc<Mutex<ConnectionCounts>>);

#[derive(Debug, Default)]
struct ConnectionCounts {
    all: u32,
    by_network: HashMap<Network, u32>,
    by_site: HashMap<WiderNetwork, u32>,
}

/// A permit that is counted until it is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    census: ConnectionCounter,
    network: Network,
}

/// The limit that has been reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitReached {
    /// The total limit.
    Total,
    /// The limit of this network, or of its site.
    PerNetwork,
}

impl ConnectionCounter {
    /// Counts one more of `network`. Returns an error if there are `each` of it, [`SITE`] times `each` of its site, or
    /// `all` in total already.
    pub(crate) fn acquire(&self, network: Network, each: u32, all: u32) -> Result<ConnectionPermit, LimitReached> {
        let mut counts = self.counts();
        let of_network = counts.by_network.get(&network).copied().unwrap_or_default();
        let of_site = network.site().and_then(|site| counts.by_site.get(&site).copied()).unwrap_or_default();
        if counts.all >= all {
            return Err(LimitReached::Total);
        }
        if of_network >= each || of_site >= each.saturating_mul(SITE) {
            return Err(LimitReached::PerNetwork);
        }
        counts.all += 1;
        *counts.by_network.entry(network).or_default() += 1;
        if let Some(site) = network.site() {
            *counts.by_site.entry(site).or_default() += 1;
        }
        Ok(ConnectionPermit { census: self.clone(), network })
    }

    fn counts(&self) -> MutexGuard<'_, ConnectionCounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut counts = self.census.counts();
        counts.all -= 1;
        release(&mut counts.by_network, &self.network);
        if let Some(site) = self.network.site() {
            release(&mut counts.by_site, &site);
        }
    }
}

fn release<K: Eq + Hash>(counts: &mut HashMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> Network {
        Network::from(address.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn a_network_of_64_bits_counts_as_one() {
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.1"));
    }

    #[test]
    fn a_site_has_48_bits() {
        assert_eq!(network("2001:db8:1:2::1").site(), network("2001:db8:1:ffff::1").site());
        assert_ne!(network("2001:db8:1::1").site(), network("2001:db8:2::1").site());
        assert_eq!(network("192.0.2.1").site(), None);
        assert_eq!(network("::ffff:192.0.2.1").customer(), [192, 0, 2, 1]);
        assert_eq!(network("2001:db8:1:2::1").customer(), [0x20, 0x01, 0x0d, 0xb8, 0, 1]);
    }

    #[test]
    fn they_are_counted_by_network_and_together_and_given_back() {
        let census = ConnectionCounter::default();
        let take = |address| census.acquire(network(address), 2, 3);
        let here = [take("192.0.2.1"), take("192.0.2.1")];
        assert!(here.iter().all(Result::is_ok));
        assert_eq!(take("192.0.2.1").err(), Some(LimitReached::PerNetwork));
        let there = take("192.0.2.2");
        assert!(there.is_ok());
        assert_eq!(take("192.0.2.3").err(), Some(LimitReached::Total));
        drop(here);
        assert!(take("192.0.2.1").is_ok());
        drop(there);
        assert_eq!(census.counts().all, 0);
        assert!(census.counts().by_network.is_empty());
    }

    #[test]
    fn networks_of_a_site_have_a_limit_together() {
        let census = ConnectionCounter::default();
        let taken: Vec<_> = (0..100)
            .map(|number| census.acquire(network(&format!("2001:db8:1:{number}::1")), 2, u32::MAX))
            .filter_map(Result::ok)
            .collect();
        assert_eq!(taken.len(), 2 * SITE as usize);
        assert!(census.acquire(network("2001:db8:2::1"), 2, u32::MAX).is_ok(), "another site");
        drop(taken);
        assert!(census.counts().by_site.is_empty());
    }
}
