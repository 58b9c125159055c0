//! Sends the pending commands of rooms that are not open, over a short connection to each, one room after another. A
//! room that is open in this page or in another tab sends for itself: its outbox is locked, or empty.

use super::connection::FINAL_CLOSE_CODES;
use super::connection::socket::{BrowserSocket, SocketEvent};
use super::connection_state::close_reason;
use super::outbox::Outbox;
use super::outbox_storage::{ANSWER_TIMEOUT, outbox_lock, refuse_all, save_command, stored_commands, unsent_rooms};
use super::recent_rooms::RecentRooms;
use crate::domain::message::MessageTextError;
use crate::domain::{Epoch, EventId, RoomName};
use crate::protocol::ServerFrame;
use crate::ui::browser::{clock, location, storage};
use futures_channel::mpsc::unbounded;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use leptos::task::spawn_local;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// Time between two rounds through the rooms, and maximum time to connect to one.
const ROUND_INTERVAL: Duration = Duration::from_secs(10);

thread_local! {
    /// The room that is open in this page.
    static OPEN: RefCell<Option<RoomName>> = const { RefCell::new(None) };
    /// Whether the sender runs.
    static IS_RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// Excludes the room that the page has opened.
pub(super) fn skip(room: RoomName) {
    OPEN.set(Some(room));
}

/// Sends the pending commands of the other rooms, in rounds until none is left. `is_delayed` gives another tab the time
/// to send first. Updates `recent` after each round.
pub(crate) fn start(is_delayed: bool, recent: Option<RecentRooms>) {
    if IS_RUNNING.replace(true) {
        return;
    }
    spawn_local(async move {
        if is_delayed {
            let _ = clock::timer(ROUND_INTERVAL).await;
        }
        loop {
            for room in unsent_rooms() {
                send_all(&room).await;
            }
            if let Some(recent) = recent {
                recent.reload();
            }
            if unsent_rooms().iter().all(is_open) {
                break;
            }
            let _ = clock::timer(ROUND_INTERVAL).await;
        }
        IS_RUNNING.set(false);
    });
}

fn is_open(room: &RoomName) -> bool {
    OPEN.with_borrow(|open| open.as_ref() == Some(room))
}

/// Sends the commands of a room in order, until none is left, the connection fails, or the page opens the room.
async fn send_all(room: &RoomName) {
    let _guard = outbox_lock(room).await;
    let mut outbox = Outbox::default();
    outbox.merge_stored(stored_commands(room));
    if is_open(room) || !outbox.has_pending() {
        return;
    }
    let (events, mut received) = unbounded();
    let dispatch = Rc::new(move |event| _ = events.unbounded_send(event));
    let Some(socket) = BrowserSocket::open(&location::socket_url(room), dispatch) else { return };
    // The first frame is the welcome, which brings the epoch.
    let mut present = Epoch(String::new());
    let mut timer = clock::timer(ROUND_INTERVAL);
    while let Either::Left((Some(event), rest)) = select(received.next(), timer).await {
        timer = rest;
        let text = match event {
            _ if is_open(room) => return,
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
        // Another tab may have added or removed commands.
        outbox.merge_stored(stored_commands(room));
        for mut pending in outbox.bind(&present) {
            let id = pending.id.clone();
            if outbox.get(&id).is_some() {
                save_command(room, &outbox, &id);
            } else if pending.refused.is_none() {
                // The page that opens the room drops it, and tells the visitor.
                pending.refused = Some(String::new());
                storage::save_pending(room, &id, &pending.to_stored());
            }
        }
        while let Some(pending) = outbox.take_next() {
            timer = clock::timer(ANSWER_TIMEOUT);
            if let Some(frame) = pending.encode() {
                // A page that opens the room must not take back a command that may be in the log.
                save_command(room, &outbox, &pending.id);
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
