//! A connection's seat in a live room: while it is held, its participant is here.

use super::{Change, Hub, LiveRoom};
use crate::domain::{Participant, Username};
use crate::protocol::ServerFrame;
use axum::extract::ws::Utf8Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{broadcast, watch};

/// Something that is shown for a moment to everybody but the connection it comes from.
#[derive(Clone, Debug)]
pub(super) struct Hint {
    /// `None` when it comes from another node.
    pub(super) from: Option<u64>,
    pub(super) text: Utf8Bytes,
}

pub(crate) struct Seat {
    hub: Hub,
    live: Arc<LiveRoom>,
    connection: u64,
    participant: Participant,
    presence: watch::Receiver<Utf8Bytes>,
    hints: broadcast::Receiver<Hint>,
}

impl Seat {
    /// Takes a seat in `live`.
    pub(crate) fn take(hub: &Hub, live: &Arc<LiveRoom>, participant: Participant) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let connection = NEXT.fetch_add(1, Ordering::Relaxed);
        let (presence, hints) = live.watch_participants();
        live.participants().put(connection, participant.clone());
        hub.changed(Change::Here(live.room.id));
        Self { hub: hub.clone(), live: live.clone(), connection, participant, presence, hints }
    }

    pub(crate) fn participant(&self) -> &Participant {
        &self.participant
    }

    /// Appears under another name from now on.
    pub(crate) fn rename(&mut self, username: Username) {
        if username != self.participant.username {
            self.participant.username = username;
            self.live.participants().put(self.connection, self.participant.clone());
            self.hub.changed(Change::Here(self.live.room.id));
        }
    }

    /// Shows the others that something is being written here.
    pub(crate) fn type_something(&self) {
        let text: Utf8Bytes = ServerFrame::Typing(self.participant.clone()).encode().into();
        self.live.hint(Hint { from: Some(self.connection), text: text.clone() });
        self.hub.changed(Change::Typing(self.live.room.id, text));
    }

    /// The next frame about the others. What passes by unseen is lost: these are hints. Cancelling it loses nothing.
    pub(crate) async fn next(&mut self) -> Utf8Bytes {
        loop {
            tokio::select! {
                // Its sender lives in the room, which this holds: waiting cannot fail.
                _ = self.presence.changed() => return self.presence.borrow_and_update().clone(),
                hint = self.hints.recv() => match hint {
                    Ok(hint) if hint.from != Some(self.connection) => return hint.text,
                    _ => {}
                }
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.live.participants().remove(self.connection);
        self.hub.changed(Change::Here(self.live.room.id));
    }
}
