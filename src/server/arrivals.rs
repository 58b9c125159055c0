//! How many connections each address has open that are not live: for pages, or for nothing. They are counted as they are
//! accepted, before anything is read; those that become live are counted by `limits` from then on.

use super::config::Config;
use super::limits::Network;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Every address may have so many: a browser opens several for a page.
const LEAST: u32 = 64;

/// A cheap-to-clone handle on the counters.
#[derive(Clone, Default)]
pub struct Arrivals {
    /// How many one address may have; `None` where they are not counted.
    most: Option<u32>,
    open: Arc<Mutex<HashMap<Network, u32>>>,
}

/// A connection that is counted as long as this is held.
pub(crate) struct Arrival(Option<(Arrivals, Network)>);

impl Arrivals {
    /// Behind a trusted proxy everybody comes from its address, so nobody is counted.
    pub(crate) fn new(config: &Config) -> Self {
        let rates = config.rates.filter(|_| config.trusted_proxies.is_empty());
        let most = rates.map(|rates| rates.connections_per_address.get().max(LEAST));
        Self { most, open: Arc::default() }
    }

    /// One more connection; `None` if the address has as many as it may have.
    pub(crate) fn take(&self, network: Network) -> Option<Arrival> {
        let Some(most) = self.most else { return Some(Arrival(None)) };
        let mut open = self.open();
        let of_network = open.entry(network).or_default();
        if *of_network >= most {
            return None;
        }
        *of_network += 1;
        Some(Arrival(Some((self.clone(), network))))
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Network, u32>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let Some((arrivals, network)) = &self.0 else { return };
        let mut open = arrivals.open();
        let left = open.get(network).map_or(0, |count| count - 1);
        if left == 0 {
            open.remove(network);
        } else {
            open.insert(*network, left);
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
    fn each_address_has_its_own_and_gives_them_back() {
        let arrivals = Arrivals { most: Some(2), ..Arrivals::default() };
        let here = [arrivals.take(network("192.0.2.1")), arrivals.take(network("::ffff:192.0.2.1"))];
        assert!(here.iter().all(Option::is_some));
        assert!(arrivals.take(network("192.0.2.1")).is_none());
        assert!(arrivals.take(network("192.0.2.2")).is_some());
        drop(here);
        assert!(arrivals.take(network("192.0.2.1")).is_some());
        assert!(arrivals.open().is_empty());
    }

    #[test]
    fn where_nothing_is_limited_nobody_is_counted() {
        let arrivals = Arrivals::default();
        let all: Vec<_> = (0..1000).map(|_| arrivals.take(network("192.0.2.1"))).collect();
        assert!(all.iter().all(Option::is_some) && arrivals.open().is_empty());
    }
}
