//! Navigation: scrolling to messages, loading history, and changing rooms in place, also by Back and Forward.

use super::requests::PendingLoad;
use super::scroll_anchor::ScrollTarget;
use super::state::RoomState;
use super::timeline::Timeline;
use super::unread::Unread;
use crate::api::{ApiError, load_history, open_room};
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

    /// Scrolls to the newest message.
    pub(crate) fn scroll_to_end(self) {
        self.scroll.leave(self.timeline.with_untracked(Timeline::more_after));
        if self.timeline.with_untracked(Timeline::more_after) {
            self.scroll.scroll_after_render(ScrollTarget::Bottom);
            self.load(HistoryCursor::Newest);
        } else {
            self.scroll_to_loaded(ScrollTarget::Bottom);
        }
    }

    /// Scrolls to a loaded message, and cancels the jump to another part of the room.
    fn scroll_to_loaded(self, target: ScrollTarget) {
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
                // The button disappears: keyboard users read on from the messages.
                self.scroll.focus();
            }
            None => {
                self.scroll_to_end();
                self.editing.focus_on_desktop();
            }
        }
    }

    /// Marks the messages in view as read, and loads those that will be in view soon. To be called after the reader has
    /// scrolled, or the messages have changed.
    pub(crate) fn update_read_position(self) {
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
            (Some(first), _) if above < PREFETCH_PX => self.load(HistoryCursor::Before(first)),
            (_, Some(last)) if below < PREFETCH_PX => self.load(HistoryCursor::After(last)),
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

    /// Loads a page of history. The next page up or down waits until the load in flight ends; a jump does not.
    fn load(self, cursor: HistoryCursor) {
        let (before, after, around) = match cursor {
            HistoryCursor::Before(seq) => (Some(seq), None, None),
            HistoryCursor::After(seq) => (None, Some(seq), None),
            HistoryCursor::Around(seq) => (None, None, Some(seq)),
            HistoryCursor::Newest => (None, None, None),
        };
        let is_next_page = before.is_some() || after.is_some();
        match self.requests.pending() {
            // The room is being left.
            PendingLoad::Room => return self.scroll.retarget(None),
            PendingLoad::Page | PendingLoad::Jump if is_next_page => return,
            _ => {}
        }
        let request = self.requests.begin_request(if is_next_page { PendingLoad::Page } else { PendingLoad::Jump });
        self.timeline.update_untracked(Timeline::begin_load);
        spawn_local(async move {
            let page = load_history(self.name().to_string(), before, after, around).await;
            if !self.requests.finish_request(request) {
                return;
            }
            // A page that failed to load is requested again at the next scroll event.
            let Ok(page) = page else { return self.scroll.retarget(None) };
            self.timeline.update_untracked(|timeline| match cursor {
                HistoryCursor::Before(_) => timeline.prepend(page),
                HistoryCursor::After(_) => timeline.append(page),
                _ => timeline.replace(page),
            });
            if let Some(seq) = around {
                self.scroll.retarget(self.timeline.with_untracked(|timeline| timeline.nearest(seq)));
                self.check_permalink(seq);
            }
            self.learn_unread();
            // The reader may have scrolled since the last scroll event.
            self.scroll.update();
            if after.is_some() || before.is_some() && self.scroll.remaining().1 > 0 {
                self.scroll.keep_position();
            }
            self.timeline.notify();
        });
    }

    /// Opens another room in place. A room that cannot be opened is loaded as a page, which says why.
    pub(crate) fn open(self, path: String) {
        self.save_scroll();
        self.visit_room(path, true);
    }

    /// Saves the scroll position for Back and Forward.
    pub(crate) fn save_scroll(self) {
        if self.is_at_url() {
            location::save_scroll(self.scroll.position(self.timeline.with_untracked(Timeline::more_after)));
        }
    }

    /// Returns whether the URL names the open room.
    pub(super) fn is_at_url(self) -> bool {
        location::current_room().is_some_and(|(room, _)| room == self.name().as_str())
    }

    /// Shows what the URL names, which Back or Forward may have changed.
    pub(super) fn restore_from_url(self) {
        match location::current_room() {
            Some((_, seq)) if self.is_at_url() => {
                self.requests.cancel(PendingLoad::Room);
                self.marked.set(seq);
                let target = ScrollTarget::of_url(location::saved_scroll(), seq);
                match target.seq() {
                    Some(seq) => self.scroll_to_message(seq, target),
                    None => self.scroll_to_end(),
                }
            }
            Some(_) => self.visit_room(location::path(), false),
            None => location::reload(),
        }
    }

    /// Shows what the URL names if that failed before.
    pub(super) fn retry_navigation(self) {
        if self.requests.pending() != PendingLoad::Room && !self.is_at_url() {
            self.restore_from_url();
        }
    }

    /// Loads a room and opens it. `is_new` adds it to the session history; otherwise the URL names it already.
    fn visit_room(self, path: String, is_new: bool) {
        let Some((room, seq)) = location::parse_path(&path) else { return location::assign(&path) };
        let request = self.requests.begin_request(PendingLoad::Room);
        let target = ScrollTarget::of_url(if is_new { None } else { location::saved_scroll() }, seq);
        spawn_local(async move {
            let page = open_room(room, None, target.seq()).await;
            if !self.requests.finish_request(request) {
                return;
            }
            let mut page = match page {
                Ok(page) => page,
                // The open room stays; the browser's own error page would replace it.
                Err(error @ ApiError::Call(_)) => return self.notice.set(error.to_string()),
                Err(_) => return location::assign(&path),
            };
            page.permalink = seq;
            if is_new {
                let path = page.room.path();
                location::push_path(&seq.map_or_else(|| path.clone(), |seq| format!("{path}{seq}")));
            }
            self.replace(page, target);
            if is_new {
                self.editing.focus_on_desktop();
            }
        });
    }
}
