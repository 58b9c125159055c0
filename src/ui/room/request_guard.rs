//! Guard against stale responses.

use leptos::prelude::*;

/// Identity of a request among those of its guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RequestId(u32);

/// A counter that distinguishes the response to the latest request from stale ones. A response is dropped if it arrives
/// after another request, or after the visitor has left the room.
#[derive(Clone, Copy)]
pub(crate) struct RequestGuard(StoredValue<u32>);

impl RequestGuard {
    pub(crate) fn new() -> Self {
        Self(StoredValue::new(0))
    }

    /// Begins a request and makes all earlier ones stale.
    pub(crate) fn begin(self) -> RequestId {
        self.0.update_value(|latest| *latest += 1);
        self.latest()
    }

    /// Returns the latest request.
    pub(crate) fn latest(self) -> RequestId {
        RequestId(self.0.get_value())
    }

    /// Returns whether no request was begun after `request`.
    pub(crate) fn is_latest(self, request: RequestId) -> bool {
        self.latest() == request
    }
}
