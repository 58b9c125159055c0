//! Pending entries by room. Rooms take turns, and so do the authors within a room.

use super::charge::QueueUsage;
use super::entry::{PendingEntry, Responder};
use super::room::{QueuePhase, RoomQueue};
use crate::server::store::AppendRequest;
use crate::server::sync::lock;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

/// Bounds of one transaction, in entries and in bytes.
pub(super) const MAX_BATCH_ENTRIES: usize = 1024;
const MAX_TRANSACTION_BYTES: usize = 4 << 20;

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
    lock_waiters: VecDeque<i64>,
    /// Number of entries that are not in a batch.
    waiting: usize,
    usage: QueueUsage,
}

impl EntryQueue {
    /// Adds an entry.
    ///
    /// # Errors
    ///
    /// Returns the entry's responder if a bound is reached.
    pub(super) fn push(&self, entry: AppendRequest, responder: Responder) -> Result<(), Responder> {
        let room_id = entry.room_id;
        let mut pending = PendingEntry { entry, responder };
        let mut state = self.lock();
        let Some(charge) = state.usage.charge(room_id, pending.size()) else { return Err(pending.responder) };
        pending.responder.charge = Some(charge);
        let room = state.rooms.entry(room_id).or_default();
        room.push_back(pending);
        if room.phase == QueuePhase::Idle {
            room.phase = QueuePhase::Ready;
            state.ready.push_back(room_id);
        }
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
        while batch.len() < MAX_BATCH_ENTRIES && bytes < MAX_TRANSACTION_BYTES {
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
            let Some(room_id) = state.lock_waiters.pop_front() else { break };
            let Some(room) = state.rooms.get_mut(&room_id) else { continue };
            room.waits_for_lock = false;
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
        for pending in locked {
            rooms.entry(pending.entry.room_id).or_default().push(pending);
        }
        for (room_id, entries) in rooms {
            let room = state.rooms.entry(room_id).or_default();
            room.put_back(entries);
            let delay = MAX_LOCK_RETRY_DELAY.min(MIN_LOCK_RETRY_DELAY * 2u32.pow(room.attempts.min(8)));
            let due = Instant::now() + delay;
            room.attempts += 1;
            room.phase = QueuePhase::Locked(due);
            let waits = room.attempts >= MAX_SKIP_ATTEMPTS && !std::mem::replace(&mut room.waits_for_lock, true);
            state.due.push(Reverse((due, room_id)));
            if waits {
                state.lock_waiters.push_back(room_id);
            }
        }
    }

    /// Returns when a locked room is tried again next, or `None` if none is locked.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.lock().due.peek().map(|&Reverse((due, _))| due)
    }

    /// Removes and returns entries that have waited for longer than `timeout`.
    pub(super) fn overdue(&self, timeout: Duration) -> Vec<PendingEntry> {
        let mut state = self.lock();
        let QueueState { rooms, waiting, .. } = &mut *state;
        let mut overdue = Vec::new();
        for room in rooms.values_mut() {
            room.take_overdue(timeout, &mut overdue);
        }
        *waiting -= overdue.len();
        overdue
    }

    /// Returns whether every entry is in a batch or answered.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().waiting == 0
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        lock(&self.0)
    }
}

impl QueueState {
    fn take_from(&mut self, room_id: i64, most: usize, batch: &mut Vec<PendingEntry>, bytes: &mut usize) {
        let Some(room) = self.rooms.get_mut(&room_id) else { return };
        let before = batch.len();
        while batch.len() < before + most && *bytes < MAX_TRANSACTION_BYTES {
            let Some(pending) = room.pop() else { break };
            *bytes += pending.size();
            batch.push(pending);
        }
        self.waiting -= batch.len() - before;
        // The room's entries may all have been rejected in the meantime.
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

    /// Removes a room that has no pending entries.
    fn tidy(&mut self, room_id: i64) {
        if self.rooms.get(&room_id).is_some_and(|room| room.phase == QueuePhase::Idle && room.is_empty()) {
            self.rooms.remove(&room_id);
        }
    }
}
