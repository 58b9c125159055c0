//! Sending what waits, one tab after the other: whoever has the turn sends everything that any tab has typed, in order,
//! and passes the turn on when all of it is acknowledged.

use super::connection_status::closed;
use super::room_state::RoomState;
use crate::domain::message::MessageTextError;
use crate::domain::{Rejection, RejectionCode};
use crate::protocol::{ClientFrame, MAX_FRAME_BYTES};
use crate::ui::browser::{kept, lock};
use crate::ui::live::ConnectionStatus;
use crate::ui::outbox::{Outbox, Pending, Wish};
use futures_channel::oneshot;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Whether it is this tab's turn to send.
#[derive(Default)]
pub(super) enum Turn {
    #[default]
    None,
    /// Other tabs may be sending.
    Asked,
    /// It lasts until this is told.
    Had(oneshot::Sender<()>),
}

impl RoomState {
    /// Sends what waits and is not on its way, as soon as it is this tab's turn.
    pub(super) fn send_waiting(self) {
        if !self.outbox.with_untracked(Outbox::waits) {
            return;
        }
        match self.status.get_untracked() {
            ConnectionStatus::Live => {}
            ConnectionStatus::Closed(code) => return self.refuse_waiting(code),
            _ => return,
        }
        match self.turn.with_value(|turn| match turn {
            Turn::None => Some(false),
            Turn::Asked => None,
            Turn::Had(_) => Some(true),
        }) {
            Some(true) => self.post_waiting(),
            Some(false) => self.ask_for_a_turn(),
            None => {}
        }
    }

    fn ask_for_a_turn(self) {
        self.turn.set_value(Turn::Asked);
        let (name, visit) = (self.name(), self.visit.get_value());
        spawn_local(async move {
            let _held = lock::hold(&format!("parlour:outbox:{name}")).await;
            let is_wanted = self.visit.get_value() == visit && self.turn.with_value(|turn| matches!(turn, Turn::Asked));
            if !is_wanted {
                return;
            }
            let (passed_on, over) = oneshot::channel();
            self.turn.set_value(Turn::Had(passed_on));
            self.read_kept();
            self.go_on();
            let _ = over.await;
        });
    }

    /// Something is answered: sends what waits behind it, or passes the turn on.
    pub(super) fn go_on(self) {
        self.send_waiting();
        if !self.outbox.with_untracked(Outbox::waits) {
            self.end_turn();
        }
    }

    /// There will be no connection to send over: all that waits goes back to its author.
    fn refuse_waiting(self, code: u16) {
        let rejection = Rejection::new(RejectionCode::Forbidden, closed(code));
        for Pending { id, refused, .. } in self.outbox.with_untracked(|outbox| outbox.pending().to_vec()) {
            if refused.is_none() {
                self.change_outbox(&id, |outbox| outbox.refuse(&id, &rejection));
            }
        }
    }

    /// There is no connection to send over: whatever tab has one may go first.
    pub(super) fn hush(self) {
        self.end_turn();
        self.outbox.update_untracked(Outbox::disconnect);
    }

    fn end_turn(self) {
        self.turn.update_value(|turn| {
            if let Turn::Had(over) = std::mem::take(turn) {
                let _ = over.send(());
            }
        });
    }

    /// What another tab has typed, or knows to be stored, is so here too.
    pub(super) fn read_kept(self) {
        self.place.look();
        self.outbox.update(|outbox| outbox.take_over(kept::outbox(&self.name())));
    }

    fn post_waiting(self) {
        let mut next = None;
        self.outbox.update_untracked(|outbox| next = outbox.send());
        if let Some(Pending { id, wish, .. }) = next {
            let key = Some(id.as_str().to_owned());
            let frame = match wish {
                Wish::Post { username, text } => ClientFrame::Post { id: key, message: text, username },
                Wish::Edit { target, text } => ClientFrame::Edit { id: key, target, text },
                Wish::Delete { target } => ClientFrame::Delete { id: key, target },
            };
            // The server ends a connection over a longer frame; it would not refuse what is in it.
            if frame.encode().len() > MAX_FRAME_BYTES {
                self.change_outbox(&id, |outbox| outbox.refuse(&id, &MessageTextError::TooLong.into()));
                return self.go_on();
            }
            self.send(frame);
        }
    }
}
