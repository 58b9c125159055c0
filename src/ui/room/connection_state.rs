//! The state of the connection in the page.

use super::connection::{ConnectionHandle, ConnectionStatus};
use crate::protocol::close;
use leptos::prelude::*;
use std::time::Duration;

/// Announcement after a lost connection is restored.
pub(crate) const RECONNECTED: &str = "Connected.";

/// Time for which the page shows that the connection is back.
const BACK_SHOWN: Duration = Duration::from_secs(4);

/// Status of the connection, its announcement, and the handle to send with.
#[derive(Clone, Copy)]
pub(crate) struct ConnectionState {
    /// The current status.
    pub(crate) status: RwSignal<ConnectionStatus>,
    /// The last text announced to screen readers; empty until the connection is lost for the first time.
    pub(crate) announcement: RwSignal<String>,
    /// Number of messages that waited when the connection came back; `None` unless it has just come back.
    pub(crate) back_with: RwSignal<Option<usize>>,
    handle: StoredValue<Option<ConnectionHandle>>,
}

impl ConnectionState {
    pub(crate) fn new() -> Self {
        Self {
            status: RwSignal::default(),
            announcement: RwSignal::default(),
            back_with: RwSignal::default(),
            handle: StoredValue::new(None),
        }
    }

    /// Returns whether frames are delivered.
    pub(crate) fn is_live(self) -> bool {
        self.status.get_untracked() == ConnectionStatus::Live
    }

    /// Returns whether the connection was lost since the room was opened.
    pub(super) fn was_lost(self) -> bool {
        self.announcement.with_untracked(|announcement| !announcement.is_empty())
    }

    /// Shows for some seconds that the connection is back, with the number of messages that have waited for it.
    pub(super) fn come_back(self, waiting: usize) {
        self.back_with.set(Some(waiting));
        set_timeout(move || self.back_with.set(None), BACK_SHOWN);
    }

    /// Gives up the unresponsive connection, and connects again.
    pub(super) fn give_up(self) {
        self.handle.with_value(|handle| handle.as_ref().map(ConnectionHandle::give_up));
    }

    /// Sends a frame, as text, if there is a connection, and drops it otherwise.
    pub(crate) fn send(self, frame: String) {
        self.handle.with_value(|handle| handle.as_ref().map(|handle| handle.send(frame)));
    }

    /// Connects immediately instead of after the delay.
    pub(super) fn reconnect(self) {
        self.handle.with_value(|handle| handle.as_ref().map(ConnectionHandle::reconnect));
    }

    /// Closes the connection, if there is one.
    pub(super) fn close(self) {
        self.handle.with_value(|handle| handle.as_ref().map(ConnectionHandle::close));
    }

    /// Uses another connection from now on.
    pub(super) fn set_handle(self, handle: ConnectionHandle) {
        self.handle.set_value(Some(handle));
    }

    /// Shows a status. It is announced once, not every second, and the announcement stays from the first loss until the
    /// room is live again.
    pub(super) fn show(self, status: ConnectionStatus) {
        self.status.set(status);
        let before = self.announcement.get_untracked();
        let announcement = match status {
            ConnectionStatus::Connecting => &before,
            ConnectionStatus::Live if before.is_empty() => "",
            ConnectionStatus::Live => RECONNECTED,
            ConnectionStatus::Waiting(_) => "The connection is lost. Messages wait here.",
            ConnectionStatus::Offline => "You’re offline. Messages wait here.",
            ConnectionStatus::Closed(code) => close_reason(code),
        };
        if announcement != before {
            self.announcement.set(announcement.to_owned());
        }
    }
}

/// Returns why the server closed the connection permanently, by its close code.
pub(crate) fn close_reason(code: u16) -> &'static str {
    match code {
        close::BANNED => "You’re banned from this room for now.",
        close::DELETED => "This room was deleted.",
        _ => "The server closed your connection.",
    }
}
