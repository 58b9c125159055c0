//! The rooms alive on this node. Each keeps the newest number delivered and the last frames; every connection has a
//! position of its own. Those that keep up are written to row by row, one write each for all that is ready; one that has
//! fallen behind pulls from its position, out of the tail or out of the log. So nobody is skipped, nobody is sent n+1
//! before n, and a slow reader costs a number, not a queue.

mod backlog;
mod coming;
mod enforce;
mod frame;
mod gathering;
mod live_room;
mod participants;
mod row;
mod seat;
mod tail;

pub(crate) use backlog::Unread;
pub(crate) use coming::Expected;
pub(crate) use frame::Frame;
pub(crate) use live_room::LiveRoom;
pub(crate) use participants::Present;
pub(crate) use seat::{Pulled, Seat};

use super::store::{Room, Store};
use super::websocket::TextFrame;
use crate::domain::{Seq, Tag, Username};
use backlog::Backlog;
use row::Hint;
use sea_orm::DbErr;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Rooms by their ids; each takes itself out when its last connection has gone.
type Rooms = Arc<Mutex<HashMap<i64, Weak<LiveRoom>>>>;

/// What changes about who is in a room. Whoever holds the receiver tells the room and the other nodes.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A participant came to this node, went, or has another name.
    Here(i64),
    /// Another node has told who is there.
    Elsewhere(i64),
    /// Somebody on this node is writing; this is the frame that says so.
    Typing(i64, TextFrame),
    /// Other nodes may have missed what was told.
    Everything,
}

/// The live rooms of this node.
#[derive(Clone)]
pub(crate) struct Hub {
    store: Store,
    /// The log, for connections that have fallen behind.
    backlog: Backlog,
    rooms: Rooms,
    changes: mpsc::UnboundedSender<Change>,
}

impl Hub {
    pub(crate) fn new(store: Store) -> (Self, mpsc::UnboundedReceiver<Change>) {
        let (changes, changed) = mpsc::unbounded_channel();
        let backlog = Backlog::new(store.clone());
        (Self { store, backlog, rooms: Rooms::default(), changes }, changed)
    }

    /// The live room, opened if nobody is in it yet. It lives as long as somebody holds it.
    pub(crate) async fn enter(&self, room: &Room) -> Result<Arc<LiveRoom>, DbErr> {
        let live = {
            let mut rooms = lock(&self.rooms);
            match rooms.get(&room.id).and_then(Weak::upgrade) {
                Some(live) => live,
                None => {
                    let live = Arc::new(LiveRoom::new(room.clone(), self.clone()));
                    rooms.insert(room.id, Arc::downgrade(&live));
                    live
                }
            }
        };
        live.open().await?;
        Ok(live)
    }

    /// Tells a live room that `frames` are in its log, oldest first. Rooms without connections need nothing.
    pub(crate) fn publish(&self, room_id: i64, frames: Vec<Frame>) {
        if let Some(live) = self.live(room_id) {
            live.publish(frames);
        }
    }

    /// Something is on its way into this room's log, for as long as what comes back is held.
    pub(crate) fn expect(&self, room_id: i64) -> Option<Expected> {
        self.live(room_id).map(|live| live.coming.expect())
    }

    /// What was on its way into this room's log brings nothing new: whoever waits for it looks again.
    pub(crate) fn expect_no_more(&self, room_id: i64) {
        if let Some(live) = self.live(room_id) {
            live.remind();
        }
    }

    /// Somebody knows of `seq` in this room.
    pub(crate) fn want(&self, room_id: i64, seq: Seq) {
        if let Some(live) = self.live(room_id) {
            live.want(seq);
        }
    }

    /// Compares every live room with the database, heals those that are behind, and ends those that were deleted. What was
    /// removed leaves memory.
    pub(crate) async fn check(&self) -> Result<(), DbErr> {
        for ids in self.ids().chunks(1000) {
            let heads: HashMap<i64, Seq> = self.store.heads(ids).await?.into_iter().collect();
            for id in ids {
                let Some(live) = self.live(*id) else { continue };
                live.forget_removed();
                match heads.get(id) {
                    Some(&head) => live.want(head),
                    None => live.end(),
                }
            }
        }
        Ok(())
    }

    /// A room may have lost its oldest messages: what of them is in memory goes too.
    pub(crate) async fn forget_oldest(&self, room_id: i64) -> Result<(), DbErr> {
        let Some(live) = self.live(room_id) else { return Ok(()) };
        // Read first: an event that comes meanwhile is newer than all of these.
        let head = live.head();
        live.forget_before(self.store.oldest(room_id).await?.unwrap_or(head + 1));
        Ok(())
    }

    /// Another node has told who is in a room there.
    pub(crate) fn hear(&self, node: Uuid, room_id: i64, present: Present) {
        if let Some(live) = self.live(room_id)
            && live.participants().hear(node, present, Instant::now())
        {
            self.changed(Change::Elsewhere(room_id));
        }
    }

    /// Somebody on another node is writing.
    pub(crate) fn hear_typing(&self, room_id: i64, text: &str) {
        if let Some(live) = self.live(room_id) {
            live.hint(Hint { from: None, text: TextFrame::new(text) });
        }
    }

    /// Only these nodes are there, and only while they speak.
    pub(crate) fn keep(&self, nodes: &[Uuid], silence: Duration) {
        for live in self.all() {
            if live.participants().keep(nodes, silence, Instant::now()) {
                self.changed(Change::Elsewhere(live.room.id));
            }
        }
    }

    /// Tells a room's connections who is here, and returns what other nodes need to know of it, and whether they are to
    /// tell the same: what a room knows of other nodes goes with its last connection.
    pub(crate) fn tell_presence(&self, room_id: i64) -> (Present, bool) {
        self.live(room_id).map_or_else(Default::default, |live| (live.tell_presence(), live.asks()))
    }

    /// The authors in a room who have this tag, as the database knows them, and the name each goes by.
    pub(crate) fn tagged(&self, room_id: i64, tag: &Tag) -> HashMap<[u8; 16], Username> {
        self.live(room_id).map_or_else(HashMap::new, |live| live.participants().tagged(tag))
    }

    /// The ids of the live rooms.
    pub(crate) fn ids(&self) -> Vec<i64> {
        lock(&self.rooms).keys().copied().collect()
    }

    /// Somebody tells of a change.
    pub(crate) fn changed(&self, change: Change) {
        // Whoever is told lives as long as the server.
        let _ = self.changes.send(change);
    }

    fn all(&self) -> Vec<Arc<LiveRoom>> {
        lock(&self.rooms).values().filter_map(Weak::upgrade).collect()
    }

    fn live(&self, room_id: i64) -> Option<Arc<LiveRoom>> {
        lock(&self.rooms).get(&room_id).and_then(Weak::upgrade)
    }
}

/// A panic elsewhere leaves these plain values whole, so a poisoned lock is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
