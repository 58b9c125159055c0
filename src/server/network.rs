//! Who is counted together, and how much each has just now.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An IPv4 address, or an IPv6 network of 64 bits, which is what one household gets (RFC 6177).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Network(IpAddr);

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        })
    }
}

/// How many of something are held, by network and together. A cheap-to-clone handle.
#[derive(Clone, Debug, Default)]
pub(crate) struct Census(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    all: u32,
    by_network: HashMap<Network, u32>,
}

/// One that is counted as long as this is held.
#[derive(Debug)]
pub(crate) struct Counted {
    census: Census,
    network: Network,
}

/// What there are enough of already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Enough {
    /// Of all.
    Together,
    /// Of this network.
    OfNetwork,
}

impl Census {
    /// One more of `network`, if there are fewer than `each` of it and fewer than `all` together.
    pub(crate) fn take(&self, network: Network, each: u32, all: u32) -> Result<Counted, Enough> {
        let mut counts = self.counts();
        if counts.all >= all {
            return Err(Enough::Together);
        }
        let of_network = counts.by_network.entry(network).or_default();
        if *of_network >= each {
            return Err(Enough::OfNetwork);
        }
        *of_network += 1;
        counts.all += 1;
        Ok(Counted { census: self.clone(), network })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.census.counts();
        counts.all -= 1;
        if let Some(of_network) = counts.by_network.get_mut(&self.network) {
            *of_network -= 1;
            if *of_network == 0 {
                counts.by_network.remove(&self.network);
            }
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
    fn they_are_counted_by_network_and_together_and_given_back() {
        let census = Census::default();
        let take = |address| census.take(network(address), 2, 3);
        let here = [take("192.0.2.1"), take("192.0.2.1")];
        assert!(here.iter().all(Result::is_ok));
        assert_eq!(take("192.0.2.1").err(), Some(Enough::OfNetwork));
        let there = take("192.0.2.2");
        assert!(there.is_ok());
        assert_eq!(take("192.0.2.3").err(), Some(Enough::Together));
        drop(here);
        assert!(take("192.0.2.1").is_ok());
        drop(there);
        assert_eq!(census.counts().all, 0);
        assert!(census.counts().by_network.is_empty());
    }
}
