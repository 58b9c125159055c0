//! Counter of entries in flight into a room's log. Fan-out tasks wait briefly for them, so that one write carries them
//! too.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Number of entries in flight into one room; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct InFlight(Arc<AtomicUsize>);

impl InFlight {
    /// Counts one more entry for as long as the returned guard is held.
    pub(super) fn track(&self) -> InFlightGuard {
        self.0.fetch_add(1, Ordering::Relaxed);
        InFlightGuard(self.clone())
    }

    /// Returns the number of entries in flight.
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns whether any entry is in flight.
    pub(super) fn is_any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// Guard of an entry in flight.
#[derive(Debug)]
pub(crate) struct InFlightGuard(InFlight);

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
