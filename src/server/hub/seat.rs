//! A connection's seat in a live room: while it is held, its participant is here, and the room's row writes to it.

use super::row::{Hint, Place, Row, TURN};
use super::tail::Reach;
use super::{Change, LiveRoom, enforce};
use crate::domain::{Participant, Seq, Username};
use crate::protocol::ServerFrame;
use crate::server::identity::Author;
use crate::server::store::{Room, now};
use crate::server::websocket::{TextFrame, Wire, in_one};
use sea_orm::DbErr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) struct Seat {
    live: Arc<LiveRoom>,
    row: Arc<Row>,
    place: Arc<Place>,
    participant: Participant,
}

impl Seat {
    /// Takes a seat in `live`. From here on, `wire` carries what follows `after`; what it shall carry before is queued.
    pub(crate) fn take(
        live: &Arc<LiveRoom>,
        author: Author,
        participant: Participant,
        wire: &Arc<Wire>,
        after: Seq,
    ) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let connection = NEXT.fetch_add(1, Ordering::Relaxed);
        let place = Arc::new(Place::new(connection, author, wire.clone(), after));
        live.participants().put(connection, participant.clone(), author.to_bytes());
        let row = live.seat(&place);
        live.hub.changed(Change::Here(live.room.id));
        Self { live: live.clone(), row, place, participant }
    }

    /// The room that it is in.
    pub(crate) fn room(&self) -> &Room {
        &self.live.room
    }

    pub(crate) fn participant(&self) -> &Participant {
        &self.participant
    }

    /// The close code with which the connection has to go, once it has to.
    pub(crate) fn expelled(&self) -> Option<u16> {
        Some(self.place.expelled.load(Ordering::Relaxed)).filter(|code| *code != 0)
    }

    /// Looks for a ban or a lock, as those do who enforce it: who was admitted before it and sat down after they looked
    /// was not seen.
    pub(crate) async fn enforce(&self) -> Result<(), DbErr> {
        enforce::try_to(&self.live, std::slice::from_ref(&self.place)).await
    }

    /// The last number that this connection was sent.
    pub(crate) fn position(&self) -> Seq {
        *self.place.position()
    }

    /// The newest number of the log, as far as this node knows.
    pub(crate) fn head(&self) -> Seq {
        self.live.head().max(self.position())
    }

    /// Goes back to `after`, to send again what followed.
    pub(crate) fn rewind(&self, after: Seq) {
        let mut position = self.place.position();
        *position = after.min(*position);
    }

    /// Queues what the row leaves to this connection: what follows its position, a turn's worth, and who is here.
    /// Where the log does not hold what follows any more, the reader is told, and goes on from the newest. Returns
    /// whether there may be more. Cancelling it loses nothing.
    pub(crate) async fn pull(&self) -> Result<bool, DbErr> {
        let after = {
            let mut position = self.place.position();
            match self.live.reach(*position, TURN) {
                Reach::None => return Ok(self.pull_presence()),
                Reach::Frames(frames) => {
                    *position += frames.len() as Seq;
                    self.place.wire.queue(in_one(&frames));
                    return Ok(true);
                }
                Reach::Behind => *position,
            }
        };
        // Seldom, so what it needs is not held by every connection for ever.
        let frames = match Box::pin(self.live.read(after, TURN as u64)).await {
            Ok(frames) => frames,
            Err(DbErr::RecordNotFound(_)) => {
                self.skip();
                return Ok(true);
            }
            Err(error) => return Err(error),
        };
        let mut position = self.place.position();
        if *position == after {
            *position += frames.len() as Seq;
            self.place.wire.queue(in_one(&frames));
        }
        Ok(true)
    }

    /// Goes on from the newest number: what lies between is not kept any more.
    fn skip(&self) {
        // Held until the reset is queued: what the row writes comes after it.
        let mut position = self.place.position();
        let (head, epoch) = (self.live.head().max(*position), self.live.room.epoch.clone());
        *position = head;
        self.place.wire.queue(TextFrame::new(&ServerFrame::Reset { epoch, head }.encode()).bytes().clone());
    }

    fn pull_presence(&self) -> bool {
        let owed = self.place.owes_presence.swap(false, Ordering::Relaxed);
        let frame = if owed { self.live.presence() } else { TextFrame::default() };
        if !frame.is_empty() {
            self.place.wire.queue(frame.bytes().clone());
        }
        !frame.is_empty()
    }

    /// Appears under another name from now on.
    pub(crate) fn rename(&mut self, username: Username) {
        if username != self.participant.username {
            self.participant.username = username;
            let (connection, author) = (self.place.connection, self.place.author.to_bytes());
            self.live.participants().put(connection, self.participant.clone(), author);
            self.live.hub.changed(Change::Here(self.live.room.id));
        }
    }

    /// Says nothing until then, in UTC milliseconds, as was known on the way in.
    pub(crate) fn mute(&self, until: i64) {
        self.place.mute(until);
    }

    /// Shows the others that something is being written here, unless its author is muted.
    pub(crate) fn type_something(&self) {
        if self.place.is_muted(now()) {
            return;
        }
        let text = TextFrame::new(&ServerFrame::Typing(self.participant.clone()).encode());
        self.live.hint(Hint { from: Some(self.place.connection), text: text.clone() });
        self.live.hub.changed(Change::Typing(self.live.room.id, text));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.row.leave(&self.place);
        self.live.participants().remove(self.place.connection);
        self.live.hub.changed(Change::Here(self.live.room.id));
    }
}
