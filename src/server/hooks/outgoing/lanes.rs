//! Bounds of deliveries in flight. Receivers that have answered slowly have a bound of their own, so that they cannot
//! take the place of the others.

use crate::server::sync::lock;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

/// Maximum number of deliveries in flight, to receivers that answer in time and to slow ones.
const MAX_FAST_DELIVERIES: usize = 384;
const MAX_SLOW_DELIVERIES: usize = 128;

/// Maximum number of slow receivers that are remembered.
const MAX_SLOW_HOOKS: usize = 16_384;

/// The hooks with a delivery in flight; cheap to clone.
#[derive(Clone, Default)]
pub(super) struct DeliveryLanes(Arc<Mutex<LaneState>>);

#[derive(Default)]
struct LaneState {
    /// Hooks with a delivery in flight, and whether it counts as slow.
    in_flight: HashMap<String, bool>,
    slow_in_flight: usize,
    /// Hooks whose receivers were slow the last time.
    slow: HashSet<String>,
}

/// The place of a delivery in flight, until it is dropped.
pub(super) struct LanePermit {
    lanes: DeliveryLanes,
    id: String,
}

impl DeliveryLanes {
    /// Returns a place for a delivery of this hook, or `None` if it has one in flight, or if its lane is full.
    pub(super) fn enter(&self, id: &str) -> Option<LanePermit> {
        let mut state = lock(&self.0);
        let is_slow = state.slow.contains(id);
        let fast_in_flight = state.in_flight.len() - state.slow_in_flight;
        let is_full = match is_slow {
            true => state.slow_in_flight >= MAX_SLOW_DELIVERIES,
            false => fast_in_flight >= MAX_FAST_DELIVERIES,
        };
        if is_full || state.in_flight.contains_key(id) {
            return None;
        }
        state.in_flight.insert(id.to_owned(), is_slow);
        state.slow_in_flight += usize::from(is_slow);
        Some(LanePermit { lanes: self.clone(), id: id.to_owned() })
    }
}

impl LanePermit {
    /// Records whether the receiver is slow: for this delivery, and for the next ones.
    pub(super) fn set_slow(&self, is_slow: bool) {
        let mut state = lock(&self.lanes.0);
        let was_slow = state.in_flight.insert(self.id.clone(), is_slow).unwrap_or_default();
        state.slow_in_flight = state.slow_in_flight + usize::from(is_slow) - usize::from(was_slow);
        if !is_slow {
            state.slow.remove(&self.id);
        } else if state.slow.len() < MAX_SLOW_HOOKS {
            state.slow.insert(self.id.clone());
        }
    }
}

impl Drop for LanePermit {
    fn drop(&mut self) {
        let mut state = lock(&self.lanes.0);
        let was_slow = state.in_flight.remove(&self.id).unwrap_or_default();
        state.slow_in_flight -= usize::from(was_slow);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_receivers_do_not_take_the_place_of_others() {
        let lanes = DeliveryLanes::default();
        let slow: Vec<LanePermit> =
            (0..MAX_FAST_DELIVERIES).map(|n| lanes.enter(&format!("slow {n}")).unwrap()).collect();
        assert!(lanes.enter("other").is_none(), "nobody knows yet that they are slow");
        slow.iter().for_each(|permit| permit.set_slow(true));
        let other = lanes.enter("other").unwrap();
        assert!(lanes.enter("other").is_none(), "one delivery of a hook at a time");
        drop(slow);
        let again: Vec<LanePermit> =
            (0..MAX_FAST_DELIVERIES).filter_map(|n| lanes.enter(&format!("slow {n}"))).collect();
        assert_eq!(again.len(), MAX_SLOW_DELIVERIES);
        again[0].set_slow(false);
        drop((other, again));
        assert!(lanes.enter("slow 0").is_some() && lanes.enter("slow 1").is_some());
    }
}
