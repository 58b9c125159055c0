//! What a room makes of what the server says.

use super::room_state::RoomState;
use crate::domain::{Event, EventBody, EventId, RejectionCode, Seq};
use crate::protocol::{ClientFrame, ServerFrame};
use crate::ui::browser;
use crate::ui::live::{ConnectionStatus, Listener};
use crate::ui::outbox::Outbox;
use crate::ui::timeline::Applied;
use crate::ui::unread::Unread;
use leptos::prelude::*;
use std::time::Duration;

/// Hears for one visit of a room; once another was opened, it hears nothing.
pub(super) struct RoomListener {
    pub(super) room: RoomState,
    pub(super) visit: u32,
}

impl RoomListener {
    fn is_here(&self) -> bool {
        self.visit == self.room.visit.get_value()
    }
}

impl Listener for RoomListener {
    fn position(&self) -> Seq {
        self.room.position()
    }

    fn status(&self, status: ConnectionStatus) {
        if self.is_here() {
            self.room.show_connection(status);
            if matches!(status, ConnectionStatus::Closed(_)) {
                self.room.send_waiting();
            }
        }
    }

    fn welcome(&self) {
        if self.is_here() {
            // Whatever was handed to the connection before it was there is not on its way.
            self.room.outbox.update_untracked(Outbox::disconnect);
            self.room.send_waiting();
            self.room.catch_up();
        }
    }

    fn lost(&self) {
        if self.is_here() {
            self.room.hush();
        }
    }

    fn receive(&self, frame: ServerFrame) {
        if !self.is_here() {
            return;
        }
        let room = self.room;
        room.others.receive(&frame);
        match frame {
            ServerFrame::Rejected { id: Some(id), rejection } => {
                let id = EventId::from_stored(id);
                // What waits says why it does; what the outbox does not know has no other place.
                let waits = rejection.code == RejectionCode::RateLimited;
                if waits || room.outbox.with_untracked(|outbox| outbox.get(&id).is_none()) {
                    room.notice.set(rejection.detail.clone());
                }
                room.change_outbox(&id, |outbox| outbox.refuse(&id, &rejection));
                if matches!(rejection.code, RejectionCode::UsernameTaken | RejectionCode::UsernameInvalid) {
                    room.name_refused.set(Some(rejection.detail));
                }
                // What passes by itself is tried again when the server says so, not only at the next connection.
                match rejection.retry_after_ms {
                    Some(ms) => set_timeout(move || room.send_waiting(), Duration::from_millis(ms.into())),
                    None => room.go_on(),
                }
            }
            ServerFrame::Heartbeat { head } if head > room.position() => {
                room.send(ClientFrame::Sync { after: room.position() });
            }
            ServerFrame::Reset { .. } => browser::reload(),
            frame => {
                if let Some(event) = frame.into_event() {
                    room.take(event);
                }
            }
        }
    }
}

impl RoomState {
    /// The messages are drawn anew before the next frame is shown, however many events have come by then.
    pub(super) fn draw(self) {
        if !self.drawing.get_value() {
            self.drawing.set_value(true);
            request_animation_frame(move || {
                self.drawing.set_value(false);
                self.timeline.notify();
            });
        }
    }

    fn take(self, event: Event) {
        let id = event.id.clone();
        self.hear_of_ownership(&event);
        // The reader may have scrolled since the browser last told of it.
        self.place.look();
        let follows = self.follows();
        let spoken = match &event.body {
            EventBody::Message { username, tag, text } => {
                Some((event.seq, username.clone(), tag.clone(), text.clone()))
            }
            _ => None,
        };
        let mut applied = Applied::Known;
        self.timeline.update_untracked(|timeline| applied = timeline.apply(event, follows));
        if applied == Applied::Gap {
            return self.send(ClientFrame::Sync { after: self.position() });
        }
        if self.outbox.with_untracked(|outbox| outbox.get(&id).is_some()) {
            self.change_outbox(&id, |outbox| _ = outbox.remove(&id));
            if !self.outbox.with_untracked(Outbox::waits) {
                // Whatever made it wait is over.
                self.notice.set(String::new());
            }
            self.go_on();
        }
        if applied == Applied::Next {
            self.draw();
            match spoken {
                Some((seq, _, tag, _)) if self.is_own(&tag) => self.unread.update(|unread| unread.speak(seq)),
                Some((seq, username, _, text)) => {
                    self.attention.hear(&username, &text);
                    let line = self.unread.with_untracked(Unread::line);
                    self.unread.update(|unread| unread.arrive(seq, follows && !browser::is_hidden()));
                    if self.unread.with_untracked(Unread::line) != line {
                        self.line_seen.set(false);
                    }
                }
                None => {}
            }
        }
    }
}
