//! The read position of the open room.

use super::unread::Unread;
use crate::domain::Seq;
use leptos::prelude::*;

/// Unread messages, and whether the visitor has seen their divider.
#[derive(Clone, Copy)]
pub(crate) struct ReadState {
    /// The unread messages.
    pub(crate) unread: RwSignal<Unread>,
    /// Whether the unread divider was in view; also true while there is none.
    pub(crate) divider_seen: RwSignal<bool>,
    /// Whether the visitor has marked messages as unread, which nothing marks as read then.
    is_held: StoredValue<bool>,
}

impl ReadState {
    pub(crate) fn new() -> Self {
        Self { unread: RwSignal::default(), divider_seen: RwSignal::new(true), is_held: StoredValue::new(false) }
    }

    /// Resets to the unread messages of another room.
    pub(super) fn reset(self, unread: Unread) {
        self.is_held.set_value(false);
        self.divider_seen.set(unread.divider().is_none());
        self.unread.set(unread);
    }

    /// Returns the number up to which everything is read.
    pub(crate) fn read(self) -> Seq {
        self.unread.with_untracked(Unread::read)
    }

    /// Returns the number after which the unread divider is.
    pub(crate) fn divider(self) -> Option<Seq> {
        self.unread.with_untracked(Unread::divider)
    }

    /// Marks everything up to `seq` as read.
    pub(super) fn mark_read(self, seq: Seq) {
        if self.read() < seq && !self.is_held.get_value() {
            self.unread.update(|unread| unread.mark_read(seq));
        }
    }

    /// Marks everything up to the visitor's own new message as read.
    pub(super) fn mark_own(self, seq: Seq) {
        self.is_held.set_value(false);
        self.unread.update(|unread| unread.mark_own(seq));
    }

    /// Marks everything from `seq` on as unread, and keeps it so. `others` are the loaded messages of other authors;
    /// `more` tells whether there are newer ones.
    pub(super) fn mark_unread(self, seq: Seq, others: impl Iterator<Item = Seq>, more: bool) {
        self.is_held.set_value(true);
        self.unread.update(|unread| unread.mark_unread(seq, others, more));
        self.divider_seen.set(true);
    }

    /// Records the server's count of unread messages.
    pub(super) fn set_total(self, total: usize) {
        let divider = self.divider();
        self.unread.update(|unread| unread.set_total(total));
        self.expect_divider(divider);
    }

    /// Removes a deleted message.
    pub(super) fn remove(self, seq: Seq, is_loaded: bool) {
        self.unread.update(|unread| unread.remove(seq, is_loaded));
    }

    /// Adds a new message of another author. `seen` tells whether the visitor sees it arrive.
    pub(super) fn push(self, seq: Seq, seen: bool) {
        let divider = self.divider();
        self.unread.update(|unread| unread.push(seq, seen));
        self.expect_divider(divider);
    }

    /// Records that the divider has not been in view, if it has moved since it was at `before`.
    fn expect_divider(self, before: Option<Seq>) {
        if self.divider() != before {
            self.divider_seen.set(false);
        }
    }
}
