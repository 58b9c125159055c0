//! The entries of one room that wait to be written: in the order of each author, with authors taking turns.

use super::batch::PendingEntry;
use crate::server::store::{AppendRequest, NewEvent};
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// Bytes that an entry occupies besides its text.
const ENTRY_OVERHEAD_BYTES: usize = 512;

type AuthorBytes = [u8; 16];

/// The entries of one room.
#[derive(Default)]
pub(super) struct RoomQueue {
    pub(super) phase: QueuePhase,
    by_author: HashMap<AuthorBytes, VecDeque<PendingEntry>>,
    /// Authors with entries, in the order of their turns.
    turns: VecDeque<AuthorBytes>,
    /// Entries and bytes that are not answered.
    pub(super) entries: usize,
    pub(super) bytes: usize,
    /// Attempts that found it locked, one after the other.
    pub(super) attempts: u32,
    /// Whether it is listed among the rooms to be waited for.
    pub(super) patient: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum QueuePhase {
    /// Nothing waits.
    #[default]
    Idle,
    /// Its next entries may be written.
    Ready,
    /// Entries of it are being written. Its next ones wait, so that order is kept.
    Busy,
    /// Another session holds its row. It is tried again then.
    Locked(Instant),
}

impl RoomQueue {
    pub(super) fn push_back(&mut self, waiting: PendingEntry) {
        let author = waiting.entry.author.to_bytes();
        let entries = self.by_author.entry(author).or_default();
        if entries.is_empty() {
            self.turns.push_back(author);
        }
        entries.push_back(waiting);
    }

    /// Puts entries that were taken back to the front. The authors have their turns in the order they had.
    pub(super) fn put_back(&mut self, entries: Vec<PendingEntry>) {
        let mut order = VecDeque::new();
        let mut seen = HashSet::new();
        for author in entries.iter().map(|waiting| waiting.entry.author.to_bytes()) {
            if seen.insert(author) {
                order.push_back(author);
            }
        }
        for waiting in entries.into_iter().rev() {
            self.by_author.entry(waiting.entry.author.to_bytes()).or_default().push_front(waiting);
        }
        order.extend(self.turns.drain(..).filter(|author| !seen.contains(author)));
        self.turns = order;
    }

    /// Returns the next entry of the author whose turn it is.
    pub(super) fn pop(&mut self) -> Option<PendingEntry> {
        let author = self.turns.pop_front()?;
        let entries = self.by_author.get_mut(&author)?;
        let waiting = entries.pop_front();
        if entries.is_empty() {
            self.by_author.remove(&author);
        } else {
            self.turns.push_back(author);
        }
        waiting
    }

    /// Moves entries that have waited for longer than `patience` to `overdue`.
    pub(super) fn take_overdue(&mut self, patience: Duration, overdue: &mut Vec<PendingEntry>) {
        let before = overdue.len();
        for entries in self.by_author.values_mut() {
            while entries.front().is_some_and(|waiting| waiting.responder.since.elapsed() > patience) {
                overdue.extend(entries.pop_front());
            }
        }
        if overdue.len() > before {
            self.by_author.retain(|_, entries| !entries.is_empty());
            self.turns.retain(|author| self.by_author.contains_key(author));
        }
    }

    /// Whether no entry waits.
    pub(super) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }
}

/// Returns the bytes that an entry counts for.
pub(super) fn size(entry: &AppendRequest) -> usize {
    let text = match &entry.draft {
        NewEvent::Message { text, .. } | NewEvent::Edit { text, .. } => text.as_str().len(),
        NewEvent::Delete { .. } | NewEvent::Moderate { .. } => 0,
    };
    ENTRY_OVERHEAD_BYTES + text
}
