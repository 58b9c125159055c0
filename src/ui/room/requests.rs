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
}

impl Requests {
    pub(crate) fn new() -> Self {
        Self { guard: RequestGuard::new(), pending: StoredValue::default() }
    }

    /// Returns the load in flight.
    pub(crate) fn pending(self) -> PendingLoad {
        self.pending.get_value()
    }

    /// Begins a load; the response to an earlier one will be dropped.
    pub(crate) fn begin_request(self, load: PendingLoad) -> RequestId {
        self.pending.set_value(load);
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
            self.pending.set_value(PendingLoad::None);
        }
        is_latest
    }
}
