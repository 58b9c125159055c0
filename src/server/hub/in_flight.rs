//! What is on its way into a room's log. Those who write to its connections wait a little for it, so that one write
//! carries it too.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How much is on its way into one room; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct InFlight(Arc<AtomicUsize>);

impl InFlight {
    /// One more, for as long as what comes back is held.
    pub(super) fn track(&self) -> InFlightGuard {
        self.0.fetch_add(1, Ordering::Relaxed);
        InFlightGuard(self.clone())
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Whether anything is.
    pub(super) fn is_any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// Something that is on its way.
#[derive(Debug)]
pub(crate) struct InFlightGuard(InFlight);

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
