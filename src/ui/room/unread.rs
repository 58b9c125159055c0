//! Unread messages of a room: their number and the position of the unread divider. Pure logic.

use crate::domain::Seq;
use crate::domain::history::MAX_UNREAD_COUNT;

/// Maximum number of unread messages that are counted; a higher number is shown with a plus sign.
const MAX_UNREAD: usize = 999;

/// The visitor's read position in a room and the unread messages after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    read: Seq,
    unread: Vec<Seq>,
    /// Number of unread messages that are not loaded, as far as they were counted.
    unloaded: usize,
    /// Whether there are more unread messages than were counted.
    more: bool,
    divider: Option<Seq>,
    /// Number of messages below the divider.
    new_count: usize,
}

impl Unread {
    /// Opens a room whose log goes up to `head` and that was read up to `read`; `None` at the first visit, where
    /// everything counts as read. `others` are the loaded messages of other authors, `first` is the first loaded
    /// message of all, and `more_before` tells whether older ones exist.
    pub fn open(
        read: Option<Seq>,
        others: impl Iterator<Item = Seq>,
        first: Seq,
        head: Seq,
        more_before: bool,
    ) -> Self {
        // A room that was deleted and opened again starts over.
        let read = read.unwrap_or(head).min(head);
        let unread: Vec<Seq> = others.filter(|seq| *seq > read).collect();
        let more = more_before && first > read + 1 && !unread.is_empty();
        let divider = (!unread.is_empty()).then_some(read);
        Self { read, new_count: unread.len(), unread, unloaded: 0, more, divider }
    }

    /// Records the server's count of unread messages, loaded or not.
    pub fn set_total(&mut self, total: usize) {
        self.more = total >= MAX_UNREAD_COUNT as usize;
        let total = total - usize::from(self.more);
        self.unloaded = total.saturating_sub(self.unread.len());
        // Some of those below the divider are read already.
        self.new_count = self.new_count.max(total + self.new_count.saturating_sub(self.unread.len()));
        if self.count() > 0 {
            self.divider = self.divider.or(Some(self.read));
        }
    }

    /// Returns whether unread messages were counted that are not loaded.
    pub fn has_unloaded(&self) -> bool {
        self.unloaded > 0
    }

    /// Records the loaded, undeleted messages of other authors, some of which are new.
    pub fn learn(&mut self, others: impl Iterator<Item = Seq>) {
        for seq in others.filter(|seq| *seq > self.read) {
            if let Err(index) = self.unread.binary_search(&seq)
                && self.unloaded > 0
            {
                self.unread.insert(index, seq);
                self.unloaded -= 1;
            }
        }
    }

    /// Removes a deleted message. One that is not loaded was counted by the server.
    pub fn remove(&mut self, seq: Seq, is_loaded: bool) {
        if self.divider.is_some_and(|divider| seq > divider) {
            let (before, known) = (self.count(), self.unread.len());
            self.unread.retain(|unread| *unread != seq);
            if self.unread.len() == known && !is_loaded && seq > self.read {
                self.unloaded = self.unloaded.saturating_sub(1);
            }
            self.new_count -= (before - self.count()).min(self.new_count);
            if self.new_count == 0 {
                self.divider = None;
            }
        }
    }

    /// Returns the number up to which everything is read.
    pub fn read(&self) -> Seq {
        self.read
    }

    /// Returns the number after which the unread divider is, or `None` if there is no divider.
    pub fn divider(&self) -> Option<Seq> {
        self.divider
    }

    /// Returns the number of the first unread message, or a lower bound of it.
    pub fn first(&self) -> Option<Seq> {
        if self.unloaded > 0 { Some(self.read + 1) } else { self.unread.first().copied() }
    }

    /// Returns the number of unread messages of other authors.
    pub fn count(&self) -> usize {
        self.unread.len() + self.unloaded
    }

    /// Returns the number of unread messages from `seq` on.
    pub fn count_from(&self, seq: Seq) -> usize {
        self.unread.iter().filter(|unread| **unread >= seq).count()
    }

    /// Returns whether a message is among the unread ones.
    pub fn contains(&self, seq: Seq) -> bool {
        self.unread.binary_search(&seq).is_ok()
    }

    /// Returns the number of unread messages as text: `3`, or `50+` if there are more than are known.
    pub fn count_text(&self) -> String {
        count_text(self.count(), self.more)
    }

    /// Returns the number of messages below the divider as text, including those read since.
    pub fn new_count_text(&self) -> String {
        count_text(self.new_count, self.more)
    }

    /// Adds a new message of another author. `seen` tells whether the visitor sees it arrive.
    pub fn push(&mut self, seq: Seq, seen: bool) {
        // A page may have shown it before.
        if seq <= self.read {
            return;
        }
        if seen && self.count() == 0 {
            self.read = seq;
            return;
        }
        if self.count() == 0 {
            self.divider = Some(self.read);
            self.new_count = 0;
        }
        self.new_count += 1;
        if self.unread.len() < MAX_UNREAD {
            self.unread.push(seq);
        } else {
            self.more = true;
        }
    }

    /// Marks everything up to `seq` as read.
    pub fn mark_read(&mut self, seq: Seq) {
        self.read = self.read.max(seq);
        let read = self.unread.partition_point(|seq| *seq <= self.read);
        self.unread.drain(..read);
        if self.unread.is_empty() {
            (self.unloaded, self.more) = (0, false);
        }
    }

    /// Marks everything from `seq` on as unread. `others` are the loaded messages of other authors; `more` tells whether
    /// there are newer ones.
    pub fn mark_unread(&mut self, seq: Seq, others: impl Iterator<Item = Seq>, more: bool) {
        let unread: Vec<Seq> = others.filter(|other| *other >= seq).collect();
        let (read, new_count) = (seq - 1, unread.len());
        *self = Self { read, unread, unloaded: 0, more, divider: Some(read), new_count };
    }

    /// Marks everything up to the visitor's own new message as read and removes the divider.
    pub fn mark_own(&mut self, seq: Seq) {
        self.mark_read(seq);
        self.divider = None;
    }
}

fn count_text(count: usize, more: bool) -> String {
    format!("{count}{}", if more { "+" } else { "" })
}

#[cfg(test)]
mod tests;
