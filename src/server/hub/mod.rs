//! The rooms alive on this node. Each keeps the newest number delivered and the last frames; a connection keeps its
//! own position and pulls from there, out of the tail while it keeps up, out of the log when it has fallen behind.
//! So nobody is skipped, nobody is sent n+1 before n, and a slow reader costs a number, not a queue.

mod live_room;
mod subscription;
mod tail;

pub(crate) use live_room::LiveRoom;
pub(crate) use subscription::Subscription;

use super::store::{Room, Store};
use crate::domain::{Event, EventBody, Seq};
use crate::protocol::ServerFrame;
use axum::extract::ws::Utf8Bytes;
use sea_orm::DbErr;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// An event as it goes over every socket of a room: encoded once, its bytes shared.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) text: Utf8Bytes,
    /// A deletion: frames before it may hold what was deleted, and are dropped from memory.
    pub(crate) deletion: bool,
}

impl From<Event> for Frame {
    fn from(event: Event) -> Self {
        let deletion = matches!(event.body, EventBody::Deleted { .. });
        Self { text: ServerFrame::from(event).encode().into(), deletion }
    }
}

/// The live rooms of this node, by their ids.
#[derive(Clone)]
pub(crate) struct Hub {
    store: Store,
    rooms: Arc<Mutex<HashMap<i64, Weak<LiveRoom>>>>,
}

impl Hub {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, rooms: Arc::default() }
    }

    /// The live room, opened if nobody is in it yet. It lives as long as somebody holds it.
    pub(crate) async fn enter(&self, room: &Room) -> Result<Arc<LiveRoom>, DbErr> {
        let live = {
            let mut rooms = lock(&self.rooms);
            match rooms.get(&room.id).and_then(Weak::upgrade) {
                Some(live) => live,
                None => {
                    rooms.retain(|_, live| live.strong_count() > 0);
                    let live = Arc::new(LiveRoom::new(room.clone(), self.store.clone()));
                    rooms.insert(room.id, Arc::downgrade(&live));
                    live
                }
            }
        };
        live.open().await?;
        Ok(live)
    }

    /// Tells a live room that `frames` are in its log, numbered from `first`. Rooms without connections need nothing.
    pub(crate) fn publish(&self, room_id: i64, first: Seq, frames: Vec<Frame>) {
        if let Some(live) = self.live(room_id) {
            live.publish(first, frames);
        }
    }

    /// Somebody knows of `seq` in this room.
    pub(crate) fn want(&self, room_id: i64, seq: Seq) {
        if let Some(live) = self.live(room_id) {
            live.want(seq);
        }
    }

    /// Compares every live room with the database, and heals those that are behind.
    pub(crate) async fn check(&self) -> Result<(), DbErr> {
        let ids: Vec<i64> = lock(&self.rooms).keys().copied().collect();
        for ids in ids.chunks(1000) {
            for (id, head) in self.store.heads(ids).await? {
                if let Some(live) = self.live(id) {
                    live.want(head);
                }
            }
        }
        Ok(())
    }

    fn live(&self, room_id: i64) -> Option<Arc<LiveRoom>> {
        lock(&self.rooms).get(&room_id).and_then(Weak::upgrade)
    }
}

/// A panic elsewhere leaves these plain values whole, so a poisoned lock is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
