//! Navigation within the room: scrolling to messages, and loading history. `visiting` changes rooms.

use super::requests::PendingLoad;
use super::scroll_target::ScrollTarget;
use super::state::RoomState;
use super::timeline::Timeline;
use super::unread::Unread;
use super::visiting::reason;
use crate::api::load_history;
use crate::domain::{HistoryCursor, Seq};
use crate::ui::browser::location;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Distance to the edge of the loaded messages at which more are loaded, in CSS pixels.
const PREFETCH_PX: i32 = 1200;

impl RoomState {
    /// Scrolls to the newest message, or back to the position from which the visitor last went there.
    pub(super) fn toggle_end(self) {
        let back = self.scroll.take_left().filter(|_| self.follows());
        match back {
            Some(target) => self.scroll_to_message(target.seq().unwrap_or_default(), target),
            None => self.scroll_to_end(),
        }
    }

    /// Scrolls to the newest message. The request stays until the message is in view, even if it cannot be loaded now.
    pub(crate) fn scroll_to_end(self) {
        self.wants_end.set_value(true);
        self.scroll.leave(self.timeline.with_untracked(Timeline::more_after));
        if self.timeline.with_untracked(Timeline::more_after) {
            self.scroll.scroll_after_render(ScrollTarget::Bottom);
            self.load(HistoryCursor::Newest);
        } else {
            self.requests.cancel(PendingLoad::Jump);
            self.scroll.scroll_to(ScrollTarget::Bottom);
        }
    }

    /// Scrolls to a loaded message, and cancels the jump to another part of the room.
    fn scroll_to_loaded(self, target: ScrollTarget) {
        self.wants_end.set_value(false);
        self.requests.cancel(PendingLoad::Jump);
        self.scroll.scroll_to(target);
    }

    /// Scrolls to a message of the room, loading it if necessary.
    pub(crate) fn scroll_to_message(self, seq: Seq, target: ScrollTarget) {
        let (nearest, has_all_before) = self.timeline.with_untracked(|timeline| {
            (timeline.nearest(seq), !timeline.more_before() || timeline.first().is_some_and(|first| first <= seq))
        });
        if let Some(nearest) = nearest.filter(|nearest| has_all_before && *nearest >= seq) {
            self.scroll_to_loaded(target.at(nearest));
            self.check_permalink(seq);
        } else {
            self.wants_end.set_value(false);
            self.scroll.scroll_after_render(target);
            self.load(HistoryCursor::Around(seq));
        }
    }

    /// Opens the permalink of a loaded message, in place.
    pub(crate) fn open_permalink(self, seq: Seq) {
        self.save_scroll();
        location::push_path(&format!("{}{seq}", self.path()));
        self.marked.set(Some(seq));
        self.scroll_to_loaded(ScrollTarget::Center(seq));
    }

    /// Scrolls to the first unread message, or to the end if there is none.
    pub(crate) fn scroll_to_unread(self) {
        let is_above = !self.read_state.divider_seen.get_untracked();
        let first = self.read_state.unread.with_untracked(|unread| match unread.divider() {
            Some(read) if is_above => Some(read + 1),
            _ => unread.first(),
        });
        match first {
            Some(first) => {
                self.scroll_to_message(first, ScrollTarget::Top(first));
                // The button disappears, so the focus moves to the messages for keyboard users.
                self.scroll.focus();
            }
            None => {
                self.scroll_to_end();
                self.editing.focus_on_desktop();
            }
        }
    }

    /// Marks the messages in view as read, and loads those that will be in view soon. Call it after the reader has
    /// scrolled or the messages have changed.
    pub(crate) fn update_read_position(self) {
        if self.follows() {
            self.wants_end.set_value(false);
        }
        let (is_above, was_seen) = (self.is_divider_above(), self.read_state.divider_seen.get_untracked());
        let is_attended = self.notifications.is_attended();
        if !was_seen && !is_above {
            self.read_state.divider_seen.set(true);
        } else if was_seen && is_above && !is_attended && self.is_first_unread_above() {
            self.read_state.divider_seen.set(false);
        }
        if is_attended {
            let last = self.timeline.with_untracked(Timeline::last);
            // A reader who has followed a link has not read what lies above it.
            let seen = if self.follows() { last } else { self.scroll.last_in_view().filter(|_| was_seen || !is_above) };
            if let Some(seen) = seen {
                self.read_state.mark_read(seen);
            }
        }
        let (above, below) = self.scroll.remaining();
        let (before, after) = self.timeline.with_untracked(|timeline| {
            (timeline.first().filter(|_| timeline.more_before()), timeline.last().filter(|_| timeline.more_after()))
        });
        match (before, after) {
            (Some(first), _) if above < PREFETCH_PX => self.prefetch(HistoryCursor::Before(first)),
            (_, Some(last)) if below < PREFETCH_PX => self.prefetch(HistoryCursor::After(last)),
            _ => {}
        }
    }

    /// Returns whether the unread divider is above the view.
    fn is_divider_above(self) -> bool {
        let Some(read) = self.read_state.unread.with_untracked(Unread::divider) else { return false };
        self.timeline.with_untracked(|timeline| {
            let first = timeline.messages().find(|message| message.seq > read);
            let is_first = timeline.more_before() && timeline.first() > Some(read + 1);
            is_first || first.is_some_and(|first| self.scroll.is_above(first.seq))
        })
    }

    fn is_first_unread_above(self) -> bool {
        self.read_state.unread.with_untracked(Unread::first).is_some_and(|first| self.scroll.is_above(first))
    }

    /// Loads the messages before the loaded ones.
    pub(crate) fn load_earlier(self) {
        if let Some(first) = self.timeline.with_untracked(Timeline::first) {
            self.load(HistoryCursor::Before(first));
        }
    }

    /// Loads the next page up or down ahead of the reader, unless a load is in flight.
    fn prefetch(self, cursor: HistoryCursor) {
        if self.requests.pending() == PendingLoad::None {
            self.load_page(cursor, false);
        }
    }

    /// Loads a page of history that the visitor has asked for, in place of a load in flight.
    fn load(self, cursor: HistoryCursor) {
        self.load_page(cursor, true);
    }

    /// Loads a page of history. If that fails and `is_asked` is true, shows the reason.
    fn load_page(self, cursor: HistoryCursor, is_asked: bool) {
        let is_next_page = matches!(cursor, HistoryCursor::Before(_) | HistoryCursor::After(_));
        if self.requests.pending() == PendingLoad::Room || self.is_stale.get_value() {
            // The page of the room is being loaded.
            return self.scroll.retarget(None);
        }
        let request = self.requests.begin_request(if is_next_page { PendingLoad::Page } else { PendingLoad::Jump });
        self.timeline.update_untracked(Timeline::begin_load);
        spawn_local(async move {
            let page = load_history(self.name().as_str(), cursor).await;
            if !self.requests.finish_request(request) {
                return;
            }
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    // A page that failed to load is requested again at the next scroll event.
                    if is_asked {
                        self.wants_edit.set_value(false);
                        self.notice.set(reason(&error));
                    }
                    return self.scroll.retarget(None);
                }
            };
            self.timeline.update_untracked(|timeline| match cursor {
                HistoryCursor::Before(_) => timeline.prepend(page),
                HistoryCursor::After(_) => timeline.append(page),
                _ => timeline.replace(page),
            });
            self.refresh_reactions();
            if let HistoryCursor::Around(seq) = cursor {
                self.scroll.retarget(self.timeline.with_untracked(|timeline| timeline.nearest(seq)));
                self.check_permalink(seq);
            }
            self.learn_unread();
            // The reader may have scrolled since the last scroll event.
            self.scroll.update();
            let is_after = matches!(cursor, HistoryCursor::After(_));
            if is_after || is_next_page && self.scroll.remaining().1 > 0 {
                self.scroll.keep_position();
            }
            self.timeline.notify();
            if cursor == HistoryCursor::Newest && self.wants_edit.get_value() {
                self.edit_newest();
            }
        });
    }

    /// Saves the scroll position for Back and Forward.
    pub(crate) fn save_scroll(self) {
        if self.is_at_url() && !self.is_stale.get_value() {
            location::save_scroll(self.scroll.position(self.timeline.with_untracked(Timeline::more_after)));
        }
    }

    /// Returns whether the URL names the open room.
    pub(super) fn is_at_url(self) -> bool {
        location::current_room().is_some_and(|(room, _)| room == self.name().as_str())
    }
}
