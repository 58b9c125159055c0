//! How many connections each address has open that are not live: for pages, or for nothing. They are counted as they are
//! accepted, before anything is read; those that become live are counted by `limits` from then on.

use super::config::Config;
use super::network::{Census, Counted, Enough, Network};

/// Every address may have so many: a browser opens several for a page.
const LEAST: u32 = 64;

/// A cheap-to-clone handle on the counters.
#[derive(Clone, Default)]
pub struct Arrivals {
    /// How many one address may have; `None` where they are not counted.
    most: Option<u32>,
    open: Census,
}

impl Arrivals {
    /// Behind a trusted proxy everybody comes from its address, so nobody is counted.
    pub(crate) fn new(config: &Config) -> Self {
        let rates = config.rates.filter(|_| config.trusted_proxies.is_empty());
        let most = rates.map(|rates| rates.connections_per_address.get().max(LEAST));
        Self { most, open: Census::default() }
    }

    /// One more connection, for as long as what comes back is held; an error if the address has as many as it may have.
    pub(crate) fn take(&self, network: Network) -> Result<Option<Counted>, Enough> {
        self.most.map(|most| self.open.take(network, most, u32::MAX)).transpose()
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
        let here = [arrivals.take(network("192.0.2.1")), arrivals.take(network("192.0.2.1"))];
        assert!(here.iter().all(Result::is_ok));
        assert!(arrivals.take(network("192.0.2.1")).is_err());
        assert!(arrivals.take(network("192.0.2.2")).is_ok());
        drop(here);
        assert!(arrivals.take(network("192.0.2.1")).is_ok());
    }

    #[test]
    fn where_nothing_is_limited_nobody_is_counted() {
        let arrivals = Arrivals::default();
        let all: Vec<_> = (0..1000).map(|_| arrivals.take(network("192.0.2.1"))).collect();
        assert!(all.iter().all(|taken| matches!(taken, Ok(None))));
    }
}
