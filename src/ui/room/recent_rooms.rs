//! The rooms that this browser has visited, with their unread counts.

use super::request_guard::RequestGuard;
use crate::api::count_unread;
use crate::domain::ReadMarker;
use crate::ui::browser::storage;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// A visited room and the number of unread messages in it.
pub(crate) type RecentRoom = (ReadMarker, u64);

/// The recent rooms, the last visited first.
#[derive(Clone, Copy)]
pub(crate) struct RecentRooms {
    /// The rooms.
    pub(crate) rooms: RwSignal<Vec<RecentRoom>>,
    requests: RequestGuard,
}

impl RecentRooms {
    pub(crate) fn new() -> Self {
        Self { rooms: RwSignal::new(Vec::new()), requests: RequestGuard::new() }
    }

    /// Reads the rooms from the browser's storage, then requests their unread counts.
    pub(crate) fn refresh(self) {
        let recent = storage::visited_rooms();
        let before = self.rooms.get_untracked();
        let known = |room: &ReadMarker| before.iter().find(|(known, _)| known == room).map_or(0, |(_, unread)| *unread);
        self.rooms.set(recent.iter().map(|room| (room.clone(), known(room))).collect());
        if !recent.is_empty() {
            let request = self.requests.begin();
            spawn_local(async move {
                let counts = count_unread(recent.clone()).await;
                if let Ok(counts) = counts
                    && self.requests.is_latest(request)
                {
                    self.rooms.set(recent.into_iter().zip(counts).collect());
                }
            });
        }
    }
}
