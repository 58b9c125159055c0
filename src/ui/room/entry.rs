//! Entering a room: the message in the URL, and the unread messages beyond the loaded ones.

use super::permalink::NO_SUCH_MESSAGE;
use super::state::RoomState;
use super::timeline::Timeline;
use super::unread::Unread;
use crate::api::preview_rooms;
use crate::domain::{RoomPosition, Seq};
use crate::ui::browser::storage;
use leptos::prelude::*;
use leptos::task::spawn_local;

impl RoomState {
    /// Shows a notice if `seq` is in the URL and is not the number of a message. Its neighbors must be loaded.
    pub(super) fn check_permalink(self, seq: Seq) {
        if self.marked.get_untracked() == Some(seq) && self.timeline.with_untracked(|it| it.message(seq).is_none()) {
            self.notice.set(NO_SUCH_MESSAGE.to_owned());
        }
    }

    /// Opens the read position of the room. If the page does not reach the end of the room, asks the server for the
    /// unread count.
    pub(super) fn open_read_state(self) {
        let name = self.name();
        let stored = storage::read_position(&name);
        let (unread, more_after) = self.timeline.with_untracked(|timeline| {
            let (first, more_before) = (timeline.first().unwrap_or(0), timeline.more_before());
            let unread = Unread::open(stored, self.others(timeline), first, timeline.position(), more_before);
            (unread, timeline.more_after())
        });
        self.read_state.reset(unread);
        let (mut read, visit) = (self.read_state.read(), self.visit.latest());
        storage::save_read_position(&name, read);
        if more_after {
            spawn_local(async move {
                while read < self.position() {
                    let asked = RoomPosition { room: name.as_str().to_owned(), read, state: String::new() };
                    let previews = preview_rooms(&[asked]).await.unwrap_or_default();
                    let Some(total) = previews.changed.first().map(|preview| preview.unread) else { return };
                    if !self.visit.is_latest(visit) {
                        return;
                    }
                    if self.read_state.read() == read {
                        self.read_state.set_total(total as usize);
                        return self.update_read_position();
                    }
                    // Counts again, because more was read in the meantime.
                    read = self.read_state.read();
                }
            });
        }
    }

    /// Marks this message and all after it as unread. They stay so until the visitor writes, or leaves the room.
    pub(super) fn mark_unread(self, seq: Seq) {
        self.timeline.with_untracked(|timeline| {
            self.read_state.mark_unread(seq, self.others(timeline), timeline.more_after());
        });
        // Otherwise the furthest position of all tabs counts.
        storage::save_read_position(&self.name(), self.read_state.read());
    }

    /// Records the unread messages that were only counted before, and are loaded now.
    pub(super) fn learn_unread(self) {
        if self.read_state.unread.with_untracked(Unread::has_unloaded) {
            self.timeline.with_untracked(|timeline| {
                self.read_state.unread.update(|unread| unread.learn(self.others(timeline)));
            });
        }
    }

    /// Returns the loaded messages of others, without the deleted ones.
    fn others(self, timeline: &Timeline) -> impl Iterator<Item = Seq> {
        timeline.messages().filter(move |it| !self.is_own(&it.tag) && !it.is_deleted()).map(|it| it.seq)
    }
}
