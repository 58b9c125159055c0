//! The rooms that this browser has visited, with the numbers of unread and unsent messages.

use super::outbox_storage::unsent_count;
use super::request_guard::RequestGuard;
use crate::api::count_unread;
use crate::domain::ReadMarker;
use crate::ui::browser::storage;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// A visited room, the number of unread messages in it, and the number of commands that are not sent.
pub(crate) type RecentRoom = (ReadMarker, u64, usize);

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
        let known = |room: &ReadMarker| before.iter().find(|known| known.0 == *room).map_or(0, |known| known.1);
        self.show(recent.iter().map(|room| (room.clone(), known(room))));
        if !recent.is_empty() {
            let request = self.requests.begin();
            spawn_local(async move {
                let counts = count_unread(&recent).await;
                if let Ok(counts) = counts
                    && self.requests.is_latest(request)
                {
                    self.show(recent.into_iter().zip(counts));
                }
            });
        }
    }

    fn show(self, rooms: impl Iterator<Item = (ReadMarker, u64)>) {
        self.rooms.set(
            rooms
                .map(|(marker, unread)| {
                    let unsent = unsent_count(&marker.room);
                    (marker, unread, unsent)
                })
                .collect(),
        );
    }
}
