//! Rooms whose log is followed by something that is no connection: outgoing webhooks. A room that nobody follows costs
//! one look at an empty set per batch of events.

use crate::server::sync::lock;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// The followed rooms, and those of them with new events; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct LogFollowers(Arc<FollowersInner>);

#[derive(Default)]
struct FollowersInner {
    /// Whether any room is followed.
    any: AtomicBool,
    rooms: Mutex<FollowedRooms>,
    wake: Notify,
}

#[derive(Default)]
struct FollowedRooms {
    followed: HashSet<i64>,
    /// Followed rooms with new events since the last look.
    changed: HashSet<i64>,
}

impl LogFollowers {
    /// Follows these rooms from now on, and no others.
    pub(crate) fn replace(&self, followed: HashSet<i64>) {
        let mut rooms = lock(&self.0.rooms);
        self.0.any.store(!followed.is_empty(), Ordering::Relaxed);
        rooms.changed.retain(|room_id| followed.contains(room_id));
        rooms.followed = followed;
    }

    /// Follows a further room.
    pub(crate) fn follow(&self, room_id: i64) {
        lock(&self.0.rooms).followed.insert(room_id);
        self.0.any.store(true, Ordering::Relaxed);
    }

    /// Notes that a room has new events, and wakes the follower if the room is followed.
    pub(crate) fn notify(&self, room_id: i64) {
        if !self.0.any.load(Ordering::Relaxed) {
            return;
        }
        let mut rooms = lock(&self.0.rooms);
        if rooms.followed.contains(&room_id) && rooms.changed.insert(room_id) {
            self.0.wake.notify_one();
        }
    }

    /// Waits for new events, and returns the rooms that have some. Cancel safe.
    pub(crate) async fn changed(&self) -> Vec<i64> {
        loop {
            let changed = std::mem::take(&mut lock(&self.0.rooms).changed);
            if !changed.is_empty() {
                return changed.into_iter().collect();
            }
            self.0.wake.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_followed_rooms_wake_the_follower() {
        let followers = LogFollowers::default();
        followers.notify(7);
        followers.replace([7, 8].into());
        followers.notify(9);
        followers.notify(7);
        followers.notify(7);
        assert_eq!(followers.changed().await, [7]);
        followers.notify(8);
        followers.replace([7].into());
        followers.notify(7);
        assert_eq!(followers.changed().await, [7], "a room that is no longer followed is forgotten");
        let nothing = tokio::time::timeout(std::time::Duration::from_millis(20), followers.changed());
        assert!(nothing.await.is_err());
    }
}
