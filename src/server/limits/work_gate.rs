//! Concurrency limits per network. Further work waits in a bounded queue.

use crate::server::network::{Network, SITE, WiderNetwork};
use crate::server::sync::lock;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Lanes by key; a lane exists as long as it has users.
type Lanes<K> = Arc<Mutex<HashMap<K, Lane>>>;

struct Lane {
    /// Number of users that work or wait.
    users: usize,
    permits: Arc<Semaphore>,
}

/// A gate for each key. A cheap-to-clone handle.
#[derive(Clone)]
struct KeyedGates<K> {
    lanes: Lanes<K>,
    at_work: usize,
    waiting: usize,
}

/// A permit to work, or a place in the queue, while it is held.
struct QueueSlot<K: Copy + Eq + Hash> {
    lanes: Lanes<K>,
    key: K,
}

struct GatePermit<K: Copy + Eq + Hash> {
    _permit: OwnedSemaphorePermit,
    _slot: QueueSlot<K>,
}

impl<K: Copy + Eq + Hash> KeyedGates<K> {
    fn new(at_work: usize, waiting: usize) -> Self {
        Self { lanes: Lanes::default(), at_work, waiting }
    }

    /// Waits for a turn; `None` if too many wait already. Cancel safe.
    async fn enter(&self, key: K) -> Option<GatePermit<K>> {
        let (slot, permits) = {
            let mut lanes = lock(&self.lanes);
            let new = || Lane { users: 0, permits: Arc::new(Semaphore::new(self.at_work)) };
            let lane = lanes.entry(key).or_insert_with(new);
            if lane.users >= self.at_work.saturating_add(self.waiting) {
                return None;
            }
            lane.users += 1;
            (QueueSlot { lanes: self.lanes.clone(), key }, lane.permits.clone())
        };
        Some(GatePermit { _permit: permits.acquire_owned().await.ok()?, _slot: slot })
    }
}

impl<K: Copy + Eq + Hash> Drop for QueueSlot<K> {
    fn drop(&mut self) {
        let mut lanes = lock(&self.lanes);
        if let Some(lane) = lanes.get_mut(&self.key) {
            lane.users -= 1;
            if lane.users == 0 {
                lanes.remove(&self.key);
            }
        }
    }
}

/// A gate for each network, and one [`SITE`] times as wide for each site.
#[derive(Clone)]
pub(crate) struct WorkGate {
    networks: KeyedGates<Network>,
    sites: KeyedGates<WiderNetwork>,
}

/// A turn of a network, as long as it is held.
pub(crate) struct WorkPermit {
    _network: GatePermit<Network>,
    _site: Option<GatePermit<WiderNetwork>>,
}

impl WorkGate {
    /// Creates a gate for `at_work` at a time of one network, and at most `waiting` in the queue.
    pub(crate) fn new(at_work: usize, waiting: usize) -> Self {
        let wider = |number: usize| number.saturating_mul(SITE as usize);
        Self { networks: KeyedGates::new(at_work, waiting), sites: KeyedGates::new(wider(at_work), wider(waiting)) }
    }

    /// Waits for a turn; `None` if too many of the network wait already. Cancel safe.
    pub(crate) async fn enter(&self, network: Network) -> Option<WorkPermit> {
        let of_network = self.networks.enter(network).await?;
        let of_site = match network.site() {
            Some(site) => Some(self.sites.enter(site).await?),
            None => None,
        };
        Some(WorkPermit { _network: of_network, _site: of_site })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::net::IpAddr;

    fn network(address: &str) -> Network {
        Network::from(address.parse::<IpAddr>().unwrap())
    }

    #[tokio::test]
    async fn a_network_works_a_little_at_a_time_and_the_next_have_their_turn() {
        let gate = WorkGate::new(2, 1);
        let here = network("192.0.2.1");
        let (one, _two) = (gate.enter(here).await.unwrap(), gate.enter(here).await.unwrap());
        let mut three = Box::pin(gate.enter(here));
        assert!(three.as_mut().now_or_never().is_none(), "it waits");
        assert!(gate.enter(here).await.is_none(), "too many wait");
        assert!(gate.enter(network("192.0.2.2")).await.is_some(), "another network does not");
        drop(one);
        assert!(three.await.is_some());
    }

    #[tokio::test]
    async fn a_place_in_line_that_is_given_up_is_free_again() {
        let gate = WorkGate::new(1, 1);
        let here = network("2001:db8::1");
        let one = gate.enter(here).await;
        let mut two = Box::pin(gate.enter(here));
        assert!(two.as_mut().now_or_never().is_none());
        drop(two);
        let mut three = Box::pin(gate.enter(here));
        assert!(three.as_mut().now_or_never().is_none());
        drop(one);
        drop(three.await);
        assert!(lock(&gate.networks.lanes).is_empty() && lock(&gate.sites.lanes).is_empty());
    }

    #[tokio::test]
    async fn a_site_is_no_more_than_a_few_networks() {
        let gate = WorkGate::new(1, 0);
        let mut passes = Vec::new();
        for number in 0..100 {
            passes.extend(gate.enter(network(&format!("2001:db8:1:{number}::1"))).await);
        }
        assert_eq!(passes.len(), SITE as usize);
    }
}
