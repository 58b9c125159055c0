//! Live rooms that have no row in the database: they have no messages yet, or they were deleted.

use super::{Hub, LiveRoom};
use crate::domain::{RoomName, Seq};
use crate::protocol::close;
use crate::server::store::StoreError;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Hub {
    /// Ends rooms that have no row and will not get one: they were deleted, or their address leads to another room.
    /// Each room is paired with the newest number that it had when its row was queried.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read, or if an address cannot be made to lead to a new room.
    pub(super) async fn end_missing(&self, missing: Vec<(Arc<LiveRoom>, Seq)>) -> Result<(), StoreError> {
        let (vacant, deleted): (Vec<_>, Vec<_>) =
            missing.into_iter().partition(|(live, known)| live.room.is_derived() && *known == 0);
        for (live, _) in deleted {
            if live.room.is_derived() {
                // Unless the room was deleted, the database went back in time. Before clients reconnect, the address is
                // made to lead to another room, so that no log begins again under the same epoch.
                self.store.abandon(&live.room).await?;
            }
            self.end(&live, close::DELETED);
        }
        let vacant: Vec<Arc<LiveRoom>> = vacant.into_iter().map(|(live, _)| live).collect();
        let names: Vec<RoomName> = vacant.iter().map(|live| live.room.name.clone()).collect();
        if names.is_empty() {
            return Ok(());
        }
        let addressed = self.store.addressed(&names).await?;
        for live in vacant {
            match addressed.get(&live.room.name) {
                Some(now) if now.id == live.room.id => {}
                // A node of an earlier release has stored another row, which clients find when they reconnect.
                Some(now) if now.has_row => self.end(&live, close::RESTARTING),
                _ => self.end(&live, close::DELETED),
            }
        }
        Ok(())
    }

    /// Ends a room for all of its subscribers. The next visitor enters the room that the address then leads to.
    pub(super) fn end(&self, live: &Arc<LiveRoom>, code: u16) {
        live.end(code);
        self.forget(live);
    }

    /// Returns whether this node has allowed a message to create this room. Its row may still be in flight.
    pub(crate) fn is_begun(&self, room_id: i64) -> bool {
        self.live(room_id).is_some_and(|live| live.begun.load(Ordering::Relaxed))
    }

    /// Records that this node has allowed a message to create this room.
    pub(crate) fn begin(&self, room_id: i64) {
        if let Some(live) = self.live(room_id) {
            live.begun.store(true, Ordering::Relaxed);
        }
    }

    /// Returns the newest number of a room's log that this node knows, or 0 if the room is not live.
    pub(crate) fn head(&self, room_id: i64) -> Seq {
        self.live(room_id).map_or(0, |live| live.head())
    }
}
