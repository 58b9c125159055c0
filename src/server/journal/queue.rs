//! Pending entries by room. Each room has its own bounds, so that a room that cannot be written does not block others.
//! Rooms take turns, and so do the authors within a room.

use super::batch::{PendingEntry, Responder};
use super::room::{QueuePhase, RoomQueue, size};
use super::{BATCH_BYTES, MAX_BATCH_ENTRIES};
use crate::server::store::AppendRequest;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Bounds of one room: entries and bytes that are not answered yet, including those of the batch in flight.
const MAX_ENTRIES_PER_ROOM: usize = 8192;
const MAX_BYTES_PER_ROOM: usize = 4 << 20;

/// Bound of all rooms together, in bytes. A room with few entries is accepted up to a second bound, so that rooms that
/// exhaust the first do not shut out the others.
const MAX_QUEUED_BYTES: usize = 32 << 20;
const SMALL_ROOM_BYTES: usize = 64 << 10;
const MAX_QUEUED_BYTES_WITH_SMALL_ROOMS: usize = 48 << 20;

/// Delay before retrying a room whose row another session holds locked: the first delay, doubled up to the longest.
const MIN_LOCK_RETRY_DELAY: Duration = Duration::from_millis(20);
const MAX_LOCK_RETRY_DELAY: Duration = Duration::from_millis(640);

/// Number of attempts that find a room locked before it is waited for in the database.
const MAX_SKIP_ATTEMPTS: u32 = 2;

/// The entries of all rooms; cheap to clone.
#[derive(Clone, Default)]
pub(super) struct EntryQueue(Arc<Mutex<QueueState>>);

#[derive(Default)]
struct QueueState {
    rooms: HashMap<i64, RoomQueue>,
    /// Rooms in [`Phase::Ready`], in the order of their turns.
    ready: VecDeque<i64>,
    /// Retry times of rooms in [`Phase::Locked`]. Entries of rooms that have left this phase are stale.
    due: BinaryHeap<Reverse<(Instant, i64)>>,
    /// Rooms that were found locked too often, and are waited for in the database.
    patient: VecDeque<i64>,
    /// Number of entries that are not in a batch.
    waiting: usize,
    /// Size of entries that are not answered, in bytes.
    bytes: usize,
}

/// An entry's charge against the bounds of the queue, until it is answered.
pub(super) struct QueueCharge {
    queue: EntryQueue,
    room_id: i64,
    bytes: usize,
}

impl EntryQueue {
    /// Adds an entry, or returns its sender if a bound is reached.
    pub(super) fn push(&self, entry: AppendRequest, mut sender: Responder) -> Result<(), Responder> {
        let (room_id, bytes) = (entry.room_id, size(&entry));
        let mut state = self.lock();
        let all = state.bytes + bytes;
        let room = state.rooms.entry(room_id).or_default();
        let bound =
            if room.bytes + bytes <= SMALL_ROOM_BYTES { MAX_QUEUED_BYTES_WITH_SMALL_ROOMS } else { MAX_QUEUED_BYTES };
        if room.entries >= MAX_ENTRIES_PER_ROOM || room.bytes + bytes > MAX_BYTES_PER_ROOM || all > bound {
            state.tidy(room_id);
            return Err(sender);
        }
        room.entries += 1;
        room.bytes += bytes;
        sender.charge = Some(QueueCharge { queue: self.clone(), room_id, bytes });
        room.push_back(PendingEntry { entry, responder: sender });
        if room.phase == QueuePhase::Idle {
            room.phase = QueuePhase::Ready;
            state.ready.push_back(room_id);
        }
        state.bytes = all;
        state.waiting += 1;
        Ok(())
    }

    /// Returns the next batch: a share of each ready room, oldest turn first. These rooms are busy until they are
    /// [released](Self::release).
    pub(super) fn take(&self) -> Vec<PendingEntry> {
        let mut state = self.lock();
        let now = Instant::now();
        while let Some(&Reverse((due, room_id))) = state.due.peek()
            && due <= now
        {
            state.due.pop();
            if let Some(room) = state.rooms.get_mut(&room_id).filter(|room| room.phase == QueuePhase::Locked(due)) {
                room.phase = QueuePhase::Ready;
                state.ready.push_back(room_id);
            }
        }
        let share = (MAX_BATCH_ENTRIES / state.ready.len().max(1)).max(1);
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < MAX_BATCH_ENTRIES && bytes < BATCH_BYTES {
            let Some(room_id) = state.ready.pop_front() else { break };
            let most = share.min(MAX_BATCH_ENTRIES - batch.len());
            state.take_from(room_id, most, &mut batch, &mut bytes);
        }
        batch
    }

    /// Returns entries of one room that is to be waited for in the database. The room is busy until it is released.
    pub(super) fn take_locked(&self) -> Vec<PendingEntry> {
        let mut state = self.lock();
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.is_empty() {
            let Some(room_id) = state.patient.pop_front() else { break };
            let Some(room) = state.rooms.get_mut(&room_id) else { continue };
            room.patient = false;
            if room.attempts >= MAX_SKIP_ATTEMPTS && matches!(room.phase, QueuePhase::Locked(_)) {
                state.take_from(room_id, MAX_BATCH_ENTRIES, &mut batch, &mut bytes);
            }
        }
        batch
    }

    /// Marks the rooms of a batch as ready to be written again.
    pub(super) fn release(&self, rooms: impl IntoIterator<Item = i64>) {
        let mut state = self.lock();
        for room_id in rooms {
            state.release(room_id);
        }
    }

    /// Marks every room as ready to be written again, because no batch is in flight.
    pub(super) fn release_all(&self) {
        let mut state = self.lock();
        let busy = state.rooms.iter().filter(|(_, room)| room.phase == QueuePhase::Busy);
        for room_id in busy.map(|(id, _)| *id).collect::<Vec<i64>>() {
            state.release(room_id);
        }
    }

    /// Returns entries of locked rooms to the front of the queue, in their order. The rooms are retried later.
    pub(super) fn put_back(&self, locked: Vec<PendingEntry>) {
        let mut state = self.lock();
        state.waiting += locked.len();
        let mut rooms: HashMap<i64, Vec<PendingEntry>> = HashMap::new();
        for waiting in locked {
            rooms.entry(waiting.entry.room_id).or_default().push(waiting);
        }
        for (room_id, entries) in rooms {
            let room = state.rooms.entry(room_id).or_default();
            room.put_back(entries);
            let delay = MAX_LOCK_RETRY_DELAY.min(MIN_LOCK_RETRY_DELAY * 2u32.pow(room.attempts.min(8)));
            let due = Instant::now() + delay;
            room.attempts += 1;
            room.phase = QueuePhase::Locked(due);
            let waits = room.attempts >= MAX_SKIP_ATTEMPTS && !std::mem::replace(&mut room.patient, true);
            state.due.push(Reverse((due, room_id)));
            if waits {
                state.patient.push_back(room_id);
            }
        }
    }

    /// Returns when a locked room is tried again next, or `None` if none is locked.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.lock().due.peek().map(|&Reverse((due, _))| due)
    }

    /// Removes and returns entries that have waited for longer than `patience`.
    pub(super) fn overdue(&self, patience: Duration) -> Vec<PendingEntry> {
        let mut state = self.lock();
        let QueueState { rooms, waiting, .. } = &mut *state;
        let mut overdue = Vec::new();
        for room in rooms.values_mut() {
            room.take_overdue(patience, &mut overdue);
        }
        *waiting -= overdue.len();
        overdue
    }

    /// Returns whether every entry is in a batch or answered.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().waiting == 0
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl QueueState {
    fn take_from(&mut self, room_id: i64, most: usize, batch: &mut Vec<PendingEntry>, bytes: &mut usize) {
        let Some(room) = self.rooms.get_mut(&room_id) else { return };
        let before = batch.len();
        while batch.len() < before + most && *bytes < BATCH_BYTES {
            let Some(waiting) = room.pop() else { break };
            *bytes += size(&waiting.entry);
            batch.push(waiting);
        }
        self.waiting -= batch.len() - before;
        // A room whose entries were all rejected meanwhile has nothing to write.
        if batch.len() > before {
            room.phase = QueuePhase::Busy;
        } else {
            (room.phase, room.attempts) = (QueuePhase::Idle, 0);
            self.tidy(room_id);
        }
    }

    fn release(&mut self, room_id: i64) {
        let Some(room) = self.rooms.get_mut(&room_id) else { return };
        room.attempts = 0;
        if room.is_empty() {
            room.phase = QueuePhase::Idle;
            self.tidy(room_id);
        } else {
            room.phase = QueuePhase::Ready;
            self.ready.push_back(room_id);
        }
    }

    /// Removes a room that has no entries.
    fn tidy(&mut self, room_id: i64) {
        if self.rooms.get(&room_id).is_some_and(|room| room.phase == QueuePhase::Idle && room.entries == 0) {
            self.rooms.remove(&room_id);
        }
    }
}

impl Drop for QueueCharge {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.bytes -= self.bytes;
        if let Some(room) = state.rooms.get_mut(&self.room_id) {
            room.entries -= 1;
            room.bytes -= self.bytes;
            state.tidy(self.room_id);
        }
    }
}
