//! Loads of history pages and rooms, at most one in flight.

use super::request_guard::{RequestGuard, RequestId};
use leptos::prelude::*;

/// A load in flight.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum PendingLoad {
    #[default]
    None,
    /// Messages before or after the loaded ones.
    Page,
    /// Another part of the room.
    Jump,
    /// Another room.
    Room,
}

/// The load in flight and the guard against responses to earlier ones.
#[derive(Clone, Copy)]
pub(crate) struct Requests {
    guard: RequestGuard,
    pending: StoredValue<PendingLoad>,
    /// Whether a load is in flight.
    pub(crate) is_loading: RwSignal<bool>,
}

impl Requests {
    pub(crate) fn new() -> Self {
        Self { guard: RequestGuard::new(), pending: StoredValue::default(), is_loading: RwSignal::new(false) }
    }

    /// Returns the load in flight.
    pub(crate) fn pending(self) -> PendingLoad {
        self.pending.get_value()
    }

    /// Returns the latest load, in flight or not.
    pub(crate) fn latest(self) -> RequestId {
        self.guard.latest()
    }

    /// Begins a load; the response to an earlier one will be dropped.
    pub(crate) fn begin_request(self, load: PendingLoad) -> RequestId {
        self.set_pending(load);
        self.guard.begin()
    }

    /// Cancels the load in flight if it is of this kind.
    pub(crate) fn cancel(self, load: PendingLoad) {
        if self.pending() == load {
            self.begin_request(PendingLoad::None);
        }
    }

    /// Ends a load. Returns whether it was the one in flight; otherwise its response is stale.
    pub(crate) fn finish_request(self, request: RequestId) -> bool {
        let is_latest = self.guard.is_latest(request);
        if is_latest {
            self.set_pending(PendingLoad::None);
        }
        is_latest
    }

    fn set_pending(self, load: PendingLoad) {
        self.pending.set_value(load);
        self.is_loading.set(load != PendingLoad::None);
    }
}
