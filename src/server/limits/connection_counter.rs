//! Connection counts per network.

use crate::server::network::{Network, SITE, WiderNetwork};
use crate::server::sync::lock;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard};

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
    counter: ConnectionCounter,
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
    /// Counts one more connection of `network`.
    ///
    /// # Errors
    ///
    /// Returns the limit that is reached: `each` of `network`, [`SITE`] times `each` of its site, or `all` in total.
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
        Ok(ConnectionPermit { counter: self.clone(), network })
    }

    fn counts(&self) -> MutexGuard<'_, ConnectionCounts> {
        lock(&self.0)
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut counts = self.counter.counts();
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
    use std::net::IpAddr;

    fn network(address: &str) -> Network {
        Network::from(address.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn they_are_counted_by_network_and_together_and_given_back() {
        let counter = ConnectionCounter::default();
        let take = |address| counter.acquire(network(address), 2, 3);
        let here = [take("192.0.2.1"), take("192.0.2.1")];
        assert!(here.iter().all(Result::is_ok));
        assert_eq!(take("192.0.2.1").err(), Some(LimitReached::PerNetwork));
        let there = take("192.0.2.2");
        assert!(there.is_ok());
        assert_eq!(take("192.0.2.3").err(), Some(LimitReached::Total));
        drop(here);
        assert!(take("192.0.2.1").is_ok());
        drop(there);
        assert_eq!(counter.counts().all, 0);
        assert!(counter.counts().by_network.is_empty());
    }

    #[test]
    fn networks_of_a_site_have_a_limit_together() {
        let counter = ConnectionCounter::default();
        let taken: Vec<_> = (0..100)
            .map(|number| counter.acquire(network(&format!("2001:db8:1:{number}::1")), 2, u32::MAX))
            .filter_map(Result::ok)
            .collect();
        assert_eq!(taken.len(), 2 * SITE as usize);
        assert!(counter.acquire(network("2001:db8:2::1"), 2, u32::MAX).is_ok(), "another site");
        drop(taken);
        assert!(counter.counts().by_site.is_empty());
    }
}
