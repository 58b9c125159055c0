//! Visits of rooms: opening another room in place, also by Back and Forward, and reloading the open one. From the
//! moment of choosing, the page belongs to the chosen room: it shows the room's frame until the messages are loaded.

use super::background_sender;
use super::connection::ConnectionStatus;
use super::outbox::Outbox;
use super::permalink::notice_of;
use super::requests::PendingLoad;
use super::scroll_target::ScrollTarget;
use super::state::RoomState;
use super::timeline::Timeline;
use super::unread::Unread;
use crate::api::{ApiError, open_room};
use crate::domain::{RoomName, RoomView};
use crate::protocol::close;
use crate::ui::browser::{dom, location, storage};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::cell::RefCell;
use std::time::Duration;

/// Time after which a page that failed to load is requested again.
const VISIT_RETRY_INTERVAL: Duration = Duration::from_secs(3);

thread_local! {
    /// The room that was open before the one whose page is being loaded.
    static KEPT: RefCell<Option<(RoomView, Timeline)>> = const { RefCell::new(None) };
}

/// Returns why a request failed, for the visitor.
pub(super) fn reason(error: &ApiError) -> String {
    match error {
        ApiError::Call(_) if !dom::is_online() => "You’re offline, so that can’t be loaded right now.".to_owned(),
        error => error.to_string(),
    }
}

impl RoomState {
    /// Starts a visit of the room whose page is loaded: restores what the browser has stored, and connects.
    pub(super) fn load_room(self) {
        let (name, page) = (self.name(), self.page.get_untracked());
        self.is_stale.set_value(false);
        KEPT.take();
        self.visit.begin();
        self.outbox.set(Outbox::default());
        self.sync_outbox();
        self.open_read_state();
        self.watch_mute();
        background_sender::skip(name.clone());
        self.identity.username.set(self.known_username());
        self.connect(&name, &page);
    }

    /// Shows another room, or another page of the open one, and scrolls to `target`.
    pub(super) fn show(self, page: RoomView, timeline: Timeline, target: ScrollTarget) {
        self.stop_sending();
        self.shown_page.begin();
        let nearest = target.seq().and_then(|seq| timeline.nearest(seq));
        self.scroll.scroll_after_render(nearest.map_or(ScrollTarget::Bottom, |nearest| target.at(nearest)));
        let (is_other_room, is_other_log, was_framed) = self
            .page
            .with_untracked(|before| (before.room != page.room, before.epoch != page.epoch, before.epoch.0.is_empty()));
        if is_other_room || is_other_log && !was_framed {
            // A dialog about a message must not apply to a message with the same number in another log.
            self.dialogs.close_modals();
        }
        if is_other_room {
            self.identity.name_error.set(None);
            self.notice.set(String::new());
            self.notifications.announcement.set(page.title().to_owned());
            self.scroll.take_left();
            self.wants_end.set_value(false);
        }
        if is_other_room || is_other_log {
            self.editing.target.set(None);
            self.wants_edit.set_value(false);
        }
        self.presence.clear();
        self.connection.announcement.set(String::new());
        let notice = notice_of(&page);
        if !notice.is_empty() {
            self.notice.set(notice);
        }
        self.marked.set(page.permalink);
        self.timeline.set(timeline);
        self.page.set(page);
    }

    /// Shows the frame of a room whose page is about to be loaded: its name, an empty list, and its own composer.
    /// Messages sent from there wait for the page.
    fn show_frame(self, room: RoomName) {
        let before = self.page.get_untracked();
        let RoomView { username, tag, form_id, .. } = before.clone();
        let page = RoomView { invitation: room.path(), room, username, tag, form_id, ..RoomView::empty() };
        let timeline = Timeline::new(&page);
        if !self.is_stale.get_value() {
            self.timeline
                .update_untracked(|open| KEPT.set(Some((before, std::mem::replace(open, Timeline::new(&page))))));
        }
        self.disconnect();
        self.editing.has_typed.set_value(false);
        self.read_state.reset(Unread::default());
        self.show(page, timeline, ScrollTarget::Bottom);
        // The visitor may have another name in the room that was open.
        self.identity.username.set(self.known_username());
        self.outbox.set(Outbox::default());
        self.sync_outbox();
    }

    /// Closes the connection. Its frames are no longer applied, and nothing is sent until the page is loaded.
    fn disconnect(self) {
        self.is_stale.set_value(true);
        self.visit.begin();
        self.connection.close();
        self.stop_sending();
        self.connection.status.set(ConnectionStatus::Connecting);
    }

    /// Reloads the open room in place, because its log cannot be continued. The page keeps the values that only it
    /// holds.
    pub(super) fn reload(self) {
        self.save_scroll();
        self.disconnect();
        self.visit_room(location::path(), false);
    }

    /// Opens another room in place. If that fails, loads its page, which states the reason.
    pub(crate) fn open(self, path: String) {
        self.save_scroll();
        self.visit_room(path, true);
    }

    /// Shows the room in the URL, which Back or Forward may have changed.
    pub(super) fn restore_from_url(self) {
        let Some((room, seq)) = location::current_room() else { return self.leave(&location::path()) };
        let target = ScrollTarget::of_url(location::saved_scroll(), seq);
        if self.is_at_url() && !self.is_stale.get_value() {
            self.requests.cancel(PendingLoad::Room);
            self.marked.set(seq);
            return match target.seq() {
                Some(seq) => self.scroll_to_message(seq, target),
                None => self.scroll_to_end(),
            };
        }
        match KEPT.with_borrow_mut(|kept| kept.take_if(|(page, _)| page.room.as_str() == room)) {
            // The visitor went back before the other room was loaded.
            Some((mut page, timeline)) => {
                self.requests.cancel(PendingLoad::Room);
                page.permalink = seq;
                self.show(page, timeline, ScrollTarget::Bottom);
                self.load_room();
                if let Some(seq) = target.seq() {
                    self.scroll_to_message(seq, target);
                }
            }
            None => self.visit_room(location::path(), false),
        }
    }

    /// Loads the page of the URL, if that failed before or has not succeeded yet: the request in flight may hang.
    pub(super) fn retry_visit(self) {
        if self.is_stale.get_value() {
            self.visit_room(location::path(), false);
        }
    }

    /// Connects immediately instead of after the delay.
    pub(crate) fn reconnect(self) {
        match self.connection.status.get_untracked() {
            ConnectionStatus::Closed(_) => self.visit_room(location::path(), false),
            _ if self.is_stale.get_value() => self.retry_visit(),
            _ => self.connection.reconnect(),
        }
    }

    /// Loads another page, unless unsaved values of this page would be lost.
    fn leave(self, path: &str) {
        if !storage::is_holding_text() {
            location::assign(path);
        }
    }

    /// Loads a room and opens it. `is_new` adds it to the session history; otherwise the URL names it already.
    fn visit_room(self, path: String, is_new: bool) {
        let Some((room, seq)) = location::parse_path(&path) else { return self.leave(&path) };
        let target = ScrollTarget::of_url(if is_new { None } else { location::saved_scroll() }, seq);
        let name = RoomName::from_trusted(location::normalized(&room));
        // Without a network, the open room stays as it is.
        let shows_frame = name != self.name() && (dom::is_online() || !is_new);
        let push = move |name: &RoomName| {
            let path = name.path();
            location::push_path(&seq.map_or_else(|| path.clone(), |seq| format!("{path}{seq}")));
        };
        if shows_frame {
            if is_new {
                push(&name);
            }
            self.show_frame(name);
            if is_new {
                self.editing.focus_on_desktop();
            }
        }
        let request = self.requests.begin_request(PendingLoad::Room);
        spawn_local(async move {
            let page = open_room(&room, target.seq()).await;
            if !self.requests.finish_request(request) {
                return;
            }
            let mut page = match page {
                Ok(page) => page,
                Err(error) => return self.on_visit_failed(&path, &error, shows_frame || !is_new),
            };
            page.permalink = seq;
            if is_new && !shows_frame {
                push(&page.room);
            }
            let timeline = Timeline::new(&page);
            // An earlier request may have shown the frame.
            let was_framed = self.epoch().0.is_empty();
            self.show(page, timeline, target);
            self.load_room();
            self.bind_commands();
            if is_new && !shows_frame {
                self.editing.focus_on_desktop();
            }
            if was_framed {
                self.resume_edit();
            }
        });
    }

    /// Shows why a room was not opened. If its frame is shown, requests the page again.
    fn on_visit_failed(self, path: &str, error: &ApiError, is_shown: bool) {
        if let ApiError::Refused(reason) = error {
            let is_unsent =
                self.outbox.with_untracked(|outbox| !outbox.pending().is_empty()) || storage::is_holding_text();
            let is_closed = matches!(self.connection.status.get_untracked(), ConnectionStatus::Closed(_));
            if !is_shown || !is_unsent && !is_closed {
                return self.leave(path);
            }
            // The room's messages return to their author, and the page keeps the values that only it holds.
            self.refuse_pending(reason);
            self.connection.status.set(ConnectionStatus::Closed(close::NO_ACCESS));
            return self.connection.announcement.set(reason.clone());
        }
        self.notice.set(error.to_string());
        if self.is_stale.get_value() {
            let waiting = ConnectionStatus::Waiting(VISIT_RETRY_INTERVAL.as_secs() as u32);
            self.connection.show(if dom::is_online() { waiting } else { ConnectionStatus::Offline });
            let request = self.requests.latest();
            set_timeout(
                move || {
                    if self.requests.latest() == request {
                        self.retry_visit();
                    }
                },
                VISIT_RETRY_INTERVAL,
            );
        }
    }

    /// Asks the server when the visitor's ban ends.
    pub(super) fn ask_end_of_ban(self) {
        let (name, visit) = (self.name(), self.visit.latest());
        spawn_local(async move {
            if let Err(ApiError::Refused(reason)) = open_room(name.as_str(), None).await
                && self.visit.is_latest(visit)
            {
                self.connection.announcement.set(reason);
            }
        });
    }
}
