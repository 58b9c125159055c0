//! Sends what waits in other rooms than the open one: over a short connection to each, one room after another. A room
//! that is open in this page or in another tab sends for itself; then the lock of its outbox is held, or nothing waits.

use super::connection::FINAL_CLOSE_CODES;
use super::connection::socket::{BrowserSocket, SocketEvent};
use super::connection_state::close_reason;
use super::outbox::{Outbox, PendingCommand};
use super::outbox_storage::{ANSWER_TIMEOUT, outbox_lock, refuse_all, save_command, stored_commands, unsent_rooms};
use crate::domain::message::MessageTextError;
use crate::domain::{Epoch, EventId, RoomName};
use crate::protocol::ServerFrame;
use crate::ui::browser::{clock, location};
use futures_channel::mpsc::unbounded;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::rc::Rc;
use std::time::Duration;

/// Time after which rooms whose commands could not be sent are tried again.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);

/// The sender for the rooms that are not open in this page.
#[derive(Clone, Copy)]
pub(crate) struct BackgroundSender {
    /// Whether a round through the rooms is in progress.
    pub(crate) is_running: RwSignal<bool>,
    /// Whether the next round is scheduled.
    is_scheduled: StoredValue<bool>,
    /// The room that is open in this page.
    open: StoredValue<Option<RoomName>>,
}

impl BackgroundSender {
    pub(crate) fn new() -> Self {
        Self { is_running: RwSignal::new(false), is_scheduled: StoredValue::default(), open: StoredValue::new(None) }
    }

    /// Leaves this room to the page, which has opened it.
    pub(super) fn skip(self, room: RoomName) {
        self.open.set_value(Some(room));
    }

    /// Sends what waits in the other rooms, and tries again later where that does not succeed.
    pub(crate) fn start(self) {
        if self.is_running.get_untracked() {
            return;
        }
        self.is_running.set(true);
        spawn_local(async move {
            for room in unsent_rooms() {
                self.send_all(&room).await;
            }
            self.is_running.set(false);
            if unsent_rooms().iter().any(|room| !self.is_open(room)) {
                self.start_later();
            }
        });
    }

    /// Sends after a while: another tab may be about to.
    pub(crate) fn start_later(self) {
        if !self.is_scheduled.get_value() {
            self.is_scheduled.set_value(true);
            let start = move || {
                self.is_scheduled.set_value(false);
                self.start();
            };
            set_timeout(start, RETRY_INTERVAL);
        }
    }

    fn is_open(self, room: &RoomName) -> bool {
        self.open.with_value(|open| open.as_ref() == Some(room))
    }

    /// Sends the commands of a room in order, until none waits, or the connection fails, or the page opens the room.
    async fn send_all(self, room: &RoomName) {
        let _guard = outbox_lock(room).await;
        let mut outbox = Outbox::default();
        outbox.merge_stored(stored_commands(room));
        if self.is_open(room) || !outbox.has_pending() {
            return;
        }
        let (events, mut received) = unbounded();
        let dispatch = Rc::new(move |event| _ = events.unbounded_send(event));
        let Some(socket) = BrowserSocket::open(&location::socket_url(room), dispatch) else { return };
        // The first frame is the welcome, which brings the epoch.
        let mut present = Epoch(String::new());
        let mut timer = clock::timer(RETRY_INTERVAL);
        while let Either::Left((Some(event), rest)) = select(received.next(), timer).await {
            timer = rest;
            let text = match event {
                _ if self.is_open(room) => return,
                SocketEvent::Received(text) => text,
                SocketEvent::Closed { code } => {
                    if FINAL_CLOSE_CODES.contains(&code) {
                        refuse_all(room, &mut outbox, close_reason(code));
                    }
                    return;
                }
            };
            match ServerFrame::parse(&text) {
                Some(ServerFrame::Welcome { epoch, .. }) => present = epoch,
                Some(ServerFrame::Rejected { id: Some(id), rejection }) => {
                    let id = EventId::from_trusted(id);
                    outbox.refuse(&id, &rejection);
                    save_command(room, &outbox, &id);
                    if rejection.retry_after_ms.is_some() {
                        return;
                    }
                }
                Some(frame) => {
                    if let Some(event) = frame.into_event()
                        && outbox.remove(&event.id)
                    {
                        save_command(room, &outbox, &event.id);
                    }
                }
                None => {}
            }
            // Another tab may have added or removed some.
            outbox.merge_stored(stored_commands(room));
            for PendingCommand { id, .. } in outbox.bind(&present) {
                save_command(room, &outbox, &id);
            }
            while let Some(pending) = outbox.take_next() {
                timer = clock::timer(ANSWER_TIMEOUT);
                if let Some(frame) = pending.encode() {
                    socket.send(&frame);
                    break;
                }
                outbox.refuse(&pending.id, &MessageTextError::TooLong.into());
                save_command(room, &outbox, &pending.id);
            }
            if !outbox.has_pending() {
                return;
            }
        }
    }
}
