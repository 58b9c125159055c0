//! The state of the outbox's Web Lock in this tab.

use futures_channel::oneshot;

/// Whether this tab may send the outbox, which all tabs of the browser share.
#[derive(Default)]
pub(crate) enum SendLock {
    /// Not requested.
    #[default]
    Idle,
    /// Requested; another tab may hold it.
    Requested,
    /// Held until this channel is used or dropped.
    Held(oneshot::Sender<()>),
}
