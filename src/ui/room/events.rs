//! Applies frames of the server to the room.

use super::background_sender;
use super::connection::{ConnectionHandle, ConnectionListener, ConnectionStatus};
use super::outbox::Outbox;
use super::request_guard::RequestId;
use super::requests::PendingLoad;
use super::state::RoomState;
use super::timeline::Applied;
use crate::domain::{Epoch, Event, EventBody, EventId, RejectionCode, RoomName, RoomView, Seq, Username};
use crate::protocol::{ClientFrame, ServerFrame, close};
use leptos::prelude::*;
use std::time::Duration;

/// Handler of the connection of one visit. It ignores every event once the visitor has left the room.
struct RoomEventHandler {
    room: RoomState,
    visit: RequestId,
}

impl RoomEventHandler {
    fn is_current(&self) -> bool {
        self.room.visit.is_latest(self.visit)
    }
}

impl ConnectionListener for RoomEventHandler {
    fn position(&self) -> Seq {
        self.room.position()
    }

    fn on_status(&self, status: ConnectionStatus) {
        if self.is_current() {
            self.room.connection.show(status);
            if let ConnectionStatus::Closed(code) = status {
                self.room.send_pending();
                if code == close::BANNED {
                    self.room.ask_end_of_ban();
                }
                background_sender::start(true, None);
            }
        }
    }

    fn on_welcome(&self, epoch: Epoch, names: Vec<Username>) {
        let room = self.room;
        if !self.is_current() {
            return;
        }
        room.identity.held.set(names);
        if epoch != room.epoch() {
            // No pending command is for this history of the room.
            return room.reload();
        }
        // Frames handed to the connection before it was open were dropped.
        room.outbox.update_untracked(Outbox::reset_in_flight);
        room.bind_commands();
        room.send_pending();
        room.confirm_name();
        if room.connection.was_lost() {
            room.connection.come_back(room.outbox.with_untracked(Outbox::count_posts));
            // An earlier request may hang. A reader who scrolls has requested more in the meantime.
            room.requests.cancel(PendingLoad::Page);
            room.requests.cancel(PendingLoad::Jump);
            if room.wants_end.get_value() {
                room.scroll_to_end();
            }
            room.update_read_position();
        }
        room.resend_reactions();
        background_sender::start(false, None);
    }

    fn on_lost(&self) {
        if self.is_current() {
            self.room.stop_sending();
        }
    }

    fn on_frame(&self, frame: ServerFrame) {
        if !self.is_current() {
            return;
        }
        let room = self.room;
        room.presence.handle_frame(&frame);
        match frame {
            // Another tab of the visitor is not another participant.
            ServerFrame::Typing(participant) if !room.is_own(&participant.tag) => room.presence.set_typing(participant),
            ServerFrame::Rejected { id: Some(id), rejection } => {
                let id = EventId::from_trusted(id);
                room.settle_reaction(&id);
                // A pending command shows its own reason; a command that is not in the outbox has no other place.
                let is_pending = rejection.code == RejectionCode::RateLimited;
                if is_pending || room.outbox.with_untracked(|outbox| outbox.get(&id).is_none()) {
                    room.notice.set(rejection.detail.clone());
                }
                room.change_outbox(&id, |outbox| outbox.refuse(&id, &rejection));
                if matches!(rejection.code, RejectionCode::UsernameTaken | RejectionCode::UsernameInvalid) {
                    room.refuse_name(rejection.detail);
                }
                // A temporary refusal is retried when the server says so, not only at the next connection.
                match rejection.retry_after_ms {
                    Some(ms) => set_timeout(move || room.send_pending(), Duration::from_millis(ms.into())),
                    None => room.flush_outbox(),
                }
            }
            ServerFrame::Repeated(frame) => {
                room.settle_reaction(&frame.id);
                room.change_outbox(&frame.id, |outbox| _ = outbox.remove(&frame.id));
                room.flush_outbox();
            }
            ServerFrame::Heartbeat { head } if head > room.position() => room.send_sync(),
            ServerFrame::Reset { .. } => room.reload(),
            frame => {
                if let Some(event) = frame.into_event() {
                    room.apply_event(event);
                }
            }
        }
    }
}

impl RoomState {
    /// Connects under the visitor's name, and closes the previous connection.
    pub(super) fn connect(self, name: &RoomName, page: &RoomView) {
        self.connection.close();
        self.stop_sending();
        let handler = RoomEventHandler { room: self, visit: self.visit.latest() };
        let username = self.identity.username.get_untracked();
        self.connection.set_handle(ConnectionHandle::open(name, &page.epoch, username.as_deref(), handler));
    }

    /// Renders the messages before the next frame is painted, once for all events that arrive until then.
    pub(super) fn schedule_redraw(self) {
        if !self.redraw_scheduled.get_value() {
            self.redraw_scheduled.set_value(true);
            request_animation_frame(move || {
                self.redraw_scheduled.set_value(false);
                self.timeline.notify();
            });
        }
    }

    /// Requests the events after the last applied one.
    fn send_sync(self) {
        self.connection.send(ClientFrame::Sync { after: self.position() }.encode());
    }

    fn apply_event(self, event: Event) {
        let (id, is_moderation) = (event.id.clone(), matches!(event.body, EventBody::Moderated(_)));
        if event.seq > self.position() {
            self.apply_moderation(&event);
        }
        // The reader may have scrolled since the last scroll event.
        self.scroll.update();
        let follows = self.follows();
        let message = match &event.body {
            EventBody::Message { username, tag, text, reply_to, mentions } => {
                let is_mention = untrack(|| self.is_mentioned(mentions));
                Some((event.seq, username.clone(), tag.clone(), text.clone(), (*reply_to, is_mention)))
            }
            _ => None,
        };
        let deleted = if let EventBody::Deleted { target } = event.body { Some(target) } else { None };
        let reaction = if let EventBody::Reacted { .. } = event.body { Some(event.id.clone()) } else { None };
        let is_uncertain = matches!(event.body, EventBody::Other { target: Some(_) });
        let pins = self.changes_pin(&event.body);
        let mut applied = Applied::Duplicate;
        self.timeline.update_untracked(|timeline| applied = timeline.apply(event, follows));
        if applied == Applied::Gap {
            return self.send_sync();
        }
        if self.outbox.with_untracked(|outbox| outbox.get(&id).is_some()) {
            self.change_outbox(&id, |outbox| _ = outbox.remove(&id));
            if !is_moderation && !self.outbox.with_untracked(Outbox::has_pending) {
                // The notice stated why commands were pending.
                self.notice.set(String::new());
            }
            self.flush_outbox();
        }
        if let Some(id) = reaction {
            self.settle_reaction(&id);
        }
        if applied == Applied::Appended {
            if is_uncertain {
                self.read_reactions();
            }
            if pins {
                self.read_pin();
            }
            if let Some(seq) = deleted {
                self.end_reply_to(seq);
                self.read_state.remove(seq, self.timeline.with_untracked(|timeline| timeline.message(seq).is_some()));
            }
            self.schedule_redraw();
            if let Some((.., (reply_to, _))) = &message {
                self.request_quote(*reply_to);
            }
            match message {
                Some((seq, username, tag, ..)) if self.is_own(&tag) => {
                    self.identity.hold(username);
                    self.read_state.mark_own(seq);
                    if self.wants_end.get_value() {
                        self.scroll_to_end();
                    }
                }
                Some((seq, username, _, text, (_, is_mention))) => {
                    self.notifications.push(seq, &username, &text, is_mention);
                    self.read_state.push(seq, follows && self.notifications.is_attended());
                }
                None => {}
            }
        }
    }
}
