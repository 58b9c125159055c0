//! Token buckets: rates with a burst, one bucket per key, for a bounded number of keys.

use crate::server::network::{Network, SITE, WiderNetwork};
use crate::server::sync::lock;
use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Maximum number of keys in one set of buckets: about 4 MB.
const MAX_BUCKETS: usize = 1 << 16;

/// A rate: units in a period, and the maximum number at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    /// Time in which a bucket regains one unit, in nanoseconds.
    unit: u64,
    /// Time in which an empty bucket fills, in nanoseconds.
    full: u64,
}

impl Rate {
    /// Creates a rate of `units` in each `period`, and `burst` at once.
    pub(crate) fn new(units: NonZeroU32, period: Duration, burst: NonZeroU32) -> Self {
        let period = u64::try_from(period.as_nanos()).unwrap_or(u64::MAX);
        let unit = (period / u64::from(units.get())).max(1);
        Self { unit, full: unit.saturating_mul(u64::from(burst.get())) }
    }

    /// Returns the rate and the burst of `number` networks together.
    fn times(self, number: u32) -> Self {
        Self { unit: (self.unit / u64::from(number)).max(1), full: self.full }
    }
}

/// A bucket for each key (generic cell rate algorithm, ITU-T I.371): one number per key, the time at which its bucket
/// is full again. A key whose bucket is full is forgotten.
pub(crate) struct TokenBuckets<K> {
    rate: Rate,
    since: Instant,
    full_at: Mutex<HashMap<K, u64>>,
}

impl<K: Copy + Eq + Hash> TokenBuckets<K> {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, since: Instant::now(), full_at: Mutex::default() }
    }

    /// Returns how long to wait until the bucket of `key` holds `cost` units; zero if it does. A cost above the burst
    /// waits for a full bucket.
    pub(crate) fn wait(&self, key: K, cost: u32) -> Duration {
        let now = self.now();
        let full_at = self.full_at().get(&key).copied().unwrap_or_default().max(now);
        Duration::from_nanos(
            full_at.saturating_add(self.price(cost)).saturating_sub(now.saturating_add(self.rate.full)),
        )
    }

    /// Takes `cost` units out of the bucket of `key`, whether or not it holds them.
    pub(crate) fn take(&self, key: K, cost: u32) {
        let now = self.now();
        let mut buckets = self.full_at();
        if buckets.len() >= MAX_BUCKETS && !buckets.contains_key(&key) {
            evict(&mut buckets, now);
        }
        let full_at = buckets.entry(key).or_default();
        *full_at = (*full_at).max(now).saturating_add(self.price(cost));
    }

    /// Forgets the keys whose buckets are full.
    pub(crate) fn prune(&self) {
        let now = self.now();
        let mut buckets = self.full_at();
        buckets.retain(|_, full_at| *full_at > now);
        let len = buckets.len();
        buckets.shrink_to(len * 2);
    }

    fn price(&self, cost: u32) -> u64 {
        self.rate.unit.saturating_mul(u64::from(cost)).min(self.rate.full)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn full_at(&self) -> MutexGuard<'_, HashMap<K, u64>> {
        lock(&self.full_at)
    }
}

/// Removes the full buckets, or else the fuller half: the keys that took most are remembered longest. Half are removed
/// at a time, so that the cost for each new key stays constant.
fn evict<K: Eq + Hash>(buckets: &mut HashMap<K, u64>, now: u64) {
    buckets.retain(|_, full_at| *full_at > now);
    if buckets.len() > MAX_BUCKETS / 2 {
        let mut times: Vec<u64> = buckets.values().copied().collect();
        let middle = times.len() / 2;
        let (_, middle, _) = times.select_nth_unstable(middle);
        let middle = *middle;
        buckets.retain(|_, full_at| *full_at > middle);
    }
}

/// A bucket for each network, and one for each site with [`SITE`] times the rate.
pub(crate) struct NetworkTokenBuckets {
    networks: TokenBuckets<Network>,
    sites: TokenBuckets<WiderNetwork>,
}

impl NetworkTokenBuckets {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { networks: TokenBuckets::new(rate), sites: TokenBuckets::new(rate.times(SITE)) }
    }

    /// Returns how long `network` has to wait for `cost` units.
    pub(crate) fn wait(&self, network: Network, cost: u32) -> Duration {
        let of_site = network.site().map_or(Duration::ZERO, |site| self.sites.wait(site, cost));
        self.networks.wait(network, cost).max(of_site)
    }

    /// Takes `cost` units from `network` and its site.
    pub(crate) fn take(&self, network: Network, cost: u32) {
        self.networks.take(network, cost);
        if let Some(site) = network.site() {
            self.sites.take(site, cost);
        }
    }

    /// Takes `cost` units.
    ///
    /// # Errors
    ///
    /// Returns how long to wait for the units.
    pub(crate) fn try_take(&self, network: Network, cost: u32) -> Result<(), Duration> {
        let wait = self.wait(network, cost);
        if wait > Duration::ZERO {
            return Err(wait);
        }
        self.take(network, cost);
        Ok(())
    }

    /// Forgets the networks and sites whose buckets are full.
    pub(crate) fn prune(&self) {
        self.networks.prune();
        self.sites.prune();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    fn network(address: &str) -> Network {
        Network::from(address.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn a_bucket_holds_its_burst_and_fills_at_its_rate() {
        let buckets = TokenBuckets::new(Rate::new(number(1), Duration::from_secs(3600), number(3)));
        for _ in 0..3 {
            assert_eq!(buckets.wait(1, 1), Duration::ZERO);
            buckets.take(1, 1);
        }
        let wait = buckets.wait(1, 1);
        assert!(wait > Duration::from_secs(3590) && wait <= Duration::from_secs(3600), "{wait:?}");
        assert_eq!(buckets.wait(2, 3), Duration::ZERO, "another key");
        assert_eq!(buckets.wait(2, 1000), Duration::ZERO, "a full bucket is enough for any cost");
        let quick = TokenBuckets::new(Rate::new(number(u32::MAX), Duration::from_secs(1), number(1)));
        quick.take(1, 1);
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(quick.wait(1, 1), Duration::ZERO);
    }

    #[test]
    fn full_buckets_are_forgotten() {
        let buckets = TokenBuckets::new(Rate::new(number(u32::MAX), Duration::from_secs(1), number(1)));
        (0..100).for_each(|key| buckets.take(key, 1));
        std::thread::sleep(Duration::from_millis(2));
        buckets.prune();
        assert!(buckets.full_at().is_empty());
    }

    #[test]
    fn keys_are_bounded_and_the_busiest_are_kept() {
        let buckets = TokenBuckets::new(Rate::new(number(1), Duration::from_secs(3600), number(100)));
        buckets.take(u32::MAX, 50);
        for key in 0..3 * MAX_BUCKETS as u32 {
            buckets.take(key, 1);
            assert!(buckets.full_at().len() <= MAX_BUCKETS);
        }
        assert!(buckets.full_at().contains_key(&u32::MAX));
    }

    #[test]
    fn networks_of_a_site_share_a_wider_bucket() {
        let buckets = NetworkTokenBuckets::new(Rate::new(number(1), Duration::from_secs(3600), number(5)));
        let taken = |address: String| (0..9).filter(|_| buckets.try_take(network(&address), 1).is_ok()).count();
        assert_eq!(taken("192.0.2.1".to_owned()), 5);
        assert_eq!(taken("192.0.2.2".to_owned()), 5);
        let of_site: usize = (0..100).map(|number| taken(format!("2001:db8:1:{number}::1"))).sum();
        assert_eq!(of_site, 5 * SITE as usize);
        assert_eq!(taken("2001:db8:2::1".to_owned()), 5, "another site");
    }
}
