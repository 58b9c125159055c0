//! The choice of the message to edit: the newest own one, or one with an unfinished edit.

use super::outbox::{Outbox, OutboxCommand};
use super::state::RoomState;
use super::timeline::Timeline;
use crate::domain::Seq;
use crate::ui::browser::storage;
use leptos::prelude::*;

impl RoomState {
    /// Starts to edit the visitor's newest message, after loading it if necessary. Returns `false` if there is none.
    pub(crate) fn edit_newest(self) -> bool {
        self.wants_edit.set_value(false);
        let is_empty = self.editing.field.get_untracked().is_some_and(|field| field.value().is_empty());
        // A message in flight is newer than all loaded ones.
        if !is_empty || self.outbox.with_untracked(Outbox::count_posts) > 0 {
            return false;
        }
        if self.timeline.with_untracked(Timeline::more_after) {
            self.scroll_to_end();
            self.wants_edit.set_value(true);
            return true;
        }
        let newest = self.timeline.with_untracked(|timeline| {
            timeline.messages().rev().find(|it| self.is_editable(it) && !self.is_being_deleted(it.seq)).map(|it| it.seq)
        });
        self.editing.target.set(newest);
        newest.is_some()
    }

    fn is_being_deleted(self, seq: Seq) -> bool {
        self.outbox.with_untracked(|outbox| {
            outbox.pending_change(seq).is_some_and(|pending| matches!(pending.command, OutboxCommand::Delete { .. }))
        })
    }

    /// Continues the newest unfinished edit, unless the visitor is writing something else.
    pub(super) fn resume_edit(self) {
        let unfinished = self.unfinished_edit();
        if unfinished.is_some() && !self.editing.has_typed.get_value() {
            self.editing.target.set(unfinished);
        }
    }

    /// Returns the newest own message with an unfinished edit.
    pub(crate) fn unfinished_edit(self) -> Option<Seq> {
        storage::edited_messages(&self.name()).into_iter().filter(|seq| self.has_own(*seq)).max()
    }
}
