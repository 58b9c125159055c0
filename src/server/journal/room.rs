//! Pending entries of one room: in the order of submission per author, with authors taking turns.

use super::entry::PendingEntry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

type AuthorBytes = [u8; 16];

/// The entries of one room.
#[derive(Default)]
pub(super) struct RoomQueue {
    pub(super) phase: QueuePhase,
    by_author: HashMap<AuthorBytes, VecDeque<PendingEntry>>,
    /// Authors with entries, in the order of their turns.
    turns: VecDeque<AuthorBytes>,
    /// Number of consecutive attempts that found the room locked.
    pub(super) attempts: u32,
    /// Whether the room is listed among those to be waited for in the database.
    pub(super) waits_for_lock: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum QueuePhase {
    /// No entry is pending.
    #[default]
    Idle,
    /// The next entries of the room may be written.
    Ready,
    /// Entries of the room are being written. Later ones wait, so that order is kept.
    Busy,
    /// Another session holds the room's row locked. The room is retried at this time.
    Locked(Instant),
}

impl RoomQueue {
    pub(super) fn push_back(&mut self, pending: PendingEntry) {
        let author = pending.entry.author.to_bytes();
        let entries = self.by_author.entry(author).or_default();
        if entries.is_empty() {
            self.turns.push_back(author);
        }
        entries.push_back(pending);
    }

    /// Returns taken entries to the front. The authors keep the order of their turns.
    pub(super) fn put_back(&mut self, entries: Vec<PendingEntry>) {
        let mut order = VecDeque::new();
        let mut seen = HashSet::new();
        for author in entries.iter().map(|pending| pending.entry.author.to_bytes()) {
            if seen.insert(author) {
                order.push_back(author);
            }
        }
        for pending in entries.into_iter().rev() {
            self.by_author.entry(pending.entry.author.to_bytes()).or_default().push_front(pending);
        }
        order.extend(self.turns.drain(..).filter(|author| !seen.contains(author)));
        self.turns = order;
    }

    /// Returns the next entry of the author whose turn it is.
    pub(super) fn pop(&mut self) -> Option<PendingEntry> {
        let author = self.turns.pop_front()?;
        let entries = self.by_author.get_mut(&author)?;
        let pending = entries.pop_front();
        if entries.is_empty() {
            self.by_author.remove(&author);
        } else {
            self.turns.push_back(author);
        }
        pending
    }

    /// Moves entries that have waited for longer than `timeout` to `overdue`.
    pub(super) fn take_overdue(&mut self, timeout: Duration, overdue: &mut Vec<PendingEntry>) {
        let before = overdue.len();
        for entries in self.by_author.values_mut() {
            while entries.front().is_some_and(|pending| pending.responder.since.elapsed() > timeout) {
                overdue.extend(entries.pop_front());
            }
        }
        if overdue.len() > before {
            self.by_author.retain(|_, entries| !entries.is_empty());
            self.turns.retain(|author| self.by_author.contains_key(author));
        }
    }

    /// Returns whether no entry is pending.
    pub(super) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }
}
