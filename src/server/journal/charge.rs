//! Bounds of the queue, in entries and bytes, which hold for entries until they are answered. Each room has its own, so
//! that a room that cannot be written does not block others.

use crate::server::sync::lock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Bounds of one room: entries and bytes that are not answered yet, including those of the batch in flight.
const MAX_ENTRIES_PER_ROOM: usize = 8192;
const MAX_BYTES_PER_ROOM: usize = 4 << 20;

/// Bound of all rooms together, in bytes. A room with few entries is accepted up to a second bound, so that rooms that
/// exhaust the first do not shut out the others.
const MAX_QUEUED_BYTES: usize = 32 << 20;
const SMALL_ROOM_BYTES: usize = 64 << 10;
const MAX_QUEUED_BYTES_WITH_SMALL_ROOMS: usize = 48 << 20;

/// Entries that are not answered yet, of all rooms; cheap to clone.
#[derive(Clone, Default)]
pub(super) struct QueueUsage(Arc<Mutex<UsageCounts>>);

#[derive(Default)]
struct UsageCounts {
    rooms: HashMap<i64, RoomUsage>,
    /// Size of entries that are not answered, in bytes.
    bytes: usize,
}

#[derive(Clone, Copy, Default)]
struct RoomUsage {
    entries: usize,
    bytes: usize,
}

/// An entry's charge against the bounds of the queue, until it is answered.
pub(super) struct QueueCharge {
    usage: QueueUsage,
    room_id: i64,
    bytes: usize,
}

impl QueueUsage {
    /// Charges an entry of `bytes`, or returns `None` if a bound is reached.
    pub(super) fn charge(&self, room_id: i64, bytes: usize) -> Option<QueueCharge> {
        let mut counts = lock(&self.0);
        let all = counts.bytes + bytes;
        let mut room = counts.rooms.get(&room_id).copied().unwrap_or_default();
        room.entries += 1;
        room.bytes += bytes;
        let bound = if room.bytes <= SMALL_ROOM_BYTES { MAX_QUEUED_BYTES_WITH_SMALL_ROOMS } else { MAX_QUEUED_BYTES };
        if room.entries > MAX_ENTRIES_PER_ROOM || room.bytes > MAX_BYTES_PER_ROOM || all > bound {
            return None;
        }
        counts.bytes = all;
        counts.rooms.insert(room_id, room);
        Some(QueueCharge { usage: self.clone(), room_id, bytes })
    }
}

impl Drop for QueueCharge {
    fn drop(&mut self) {
        let mut counts = lock(&self.usage.0);
        counts.bytes -= self.bytes;
        if let Some(room) = counts.rooms.get_mut(&self.room_id) {
            room.entries -= 1;
            room.bytes -= self.bytes;
            if room.entries == 0 {
                counts.rooms.remove(&self.room_id);
            }
        }
    }
}
