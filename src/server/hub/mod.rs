//! The rooms alive on this node. Each keeps the newest number delivered and the last frames; every connection has a
//! position of its own. Those that keep up are written to row by row, one write each for all that is ready; one that has
//! fallen behind pulls from its position, out of the tail or out of the log. So nobody is skipped, nobody is sent n+1
//! before n, and a slow reader costs a number, not a queue.

mod backfill;
mod event_frame;
mod fanout;
mod in_flight;
mod live_room;
mod moderation;
mod presence;
mod presence_changes;
mod reconciler;
mod subscription;
mod tail_buffer;
mod vacant_rooms;
mod write_coalescer;

pub(crate) use backfill::BackfillError;
pub(crate) use event_frame::EventFrame;
pub(crate) use in_flight::InFlightGuard;
pub(crate) use live_room::LiveRoom;
pub(crate) use presence::NodePresence;
pub(crate) use presence_changes::{PeerPresence, PresenceBatch, PresenceChange, PresenceChanges};
pub(crate) use subscription::{PullResult, Subscription};

use super::store::{RoomRef, Store};
use super::telemetry::outage::Outage;
use super::websocket::TextFrame;
use crate::domain::{AuthorTag, Seq, Username};
use crate::protocol::close;
use backfill::BackfillCache;
use fanout::EphemeralFrame;
use reconciler::KnownHeads;
use sea_orm::DbErr;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::task::yield_now;
use uuid::Uuid;

/// Maximum number of rooms that are gone through before other tasks have a turn.
const ROOMS_PER_YIELD: usize = 256;

/// Rooms by their ids; each takes itself out when its last connection has gone.
type LiveRooms = Arc<Mutex<HashMap<i64, Weak<LiveRoom>>>>;

/// Looking at the database, and the outages that this may meet.
struct Reconciliation {
    asked: Notify,
    failing: Outage,
    reading: Outage,
    enforcing: Outage,
}

impl Reconciliation {
    fn new() -> Self {
        Self {
            asked: Notify::new(),
            failing: Outage::new(
                "the rooms cannot be compared with the database just now",
                "the rooms are compared with the database again",
            ),
            reading: Outage::new("the log cannot be read just now", "the log is read again"),
            enforcing: Outage::new("a ban or a lock has to wait", "bans and locks are enforced again"),
        }
    }
}

/// The live rooms of this node.
#[derive(Clone)]
pub(crate) struct Hub {
    store: Store,
    /// The log, for connections that have fallen behind.
    backlog: BackfillCache,
    rooms: LiveRooms,
    presence_changes: PresenceChanges,
    remembered: Arc<Mutex<KnownHeads>>,
    looks: Arc<Reconciliation>,
}

impl Hub {
    /// Returns a hub, and the changes that are to be told of its rooms.
    pub(crate) fn new(store: Store) -> (Self, PresenceChanges) {
        let changes = PresenceChanges::default();
        let looks = Arc::new(Reconciliation::new());
        let backlog = BackfillCache::new(store.clone(), looks.clone());
        let (rooms, remembered) = (LiveRooms::default(), Arc::default());
        (Self { store, backlog, rooms, presence_changes: changes.clone(), remembered, looks }, changes)
    }

    /// The live room, opened if nobody is in it yet. It lives as long as somebody holds it.
    pub(crate) async fn enter(&self, room: &RoomRef) -> Result<Arc<LiveRoom>, DbErr> {
        let live = {
            let mut rooms = lock(&self.rooms);
            match rooms.get(&room.id).and_then(Weak::upgrade) {
                Some(live) if live.room.name == room.name => live,
                other => {
                    // The id of a room that is no more, in a database that went back in time.
                    if let Some(other) = other {
                        other.end(close::DELETED);
                    }
                    let live = Arc::new(LiveRoom::new(room.clone(), self.clone()));
                    rooms.insert(room.id, Arc::downgrade(&live));
                    live
                }
            }
        };
        live.open().await?;
        if live.epoch() != room.epoch {
            // One of the two is outdated.
            self.reconcile_room(&live).await?;
        }
        Ok(live)
    }

    /// Leaves a room that has ended to those inside: whoever comes next finds another.
    fn forget(&self, ended: &Arc<LiveRoom>) {
        let mut rooms = lock(&self.rooms);
        if rooms.get(&ended.room.id).is_some_and(|live| live.as_ptr() == Arc::as_ptr(ended)) {
            rooms.remove(&ended.room.id);
        }
    }

    /// Tells a live room that `frames` are in its log, oldest first. Rooms without connections need nothing.
    pub(crate) fn publish(&self, room_id: i64, frames: Vec<EventFrame>) {
        if let Some(live) = self.live(room_id) {
            live.publish(frames);
        }
    }

    /// Something is on its way into this room's log, for as long as what comes back is held.
    pub(crate) fn track_in_flight(&self, room_id: i64) -> Option<InFlightGuard> {
        self.live(room_id).map(|live| live.in_flight.track())
    }

    /// What was on its way into this room's log brings nothing new: whoever waits for it looks again.
    pub(crate) fn notify_subscribers(&self, room_id: i64) {
        if let Some(live) = self.live(room_id) {
            live.notify_subscribers();
        }
    }

    /// Somebody knows of `seq` in this room.
    pub(crate) fn catch_up_to(&self, room_id: i64, seq: Seq) {
        if let Some(live) = self.live(room_id) {
            live.catch_up_to(seq);
        }
    }

    /// A room may have lost its oldest messages: what of them is in memory goes too.
    pub(crate) async fn evict_purged(&self, room_id: i64) -> Result<(), DbErr> {
        let Some(live) = self.live(room_id) else { return Ok(()) };
        // Read first: an event that comes meanwhile is newer than all of these.
        let head = live.head();
        live.evict_before(self.store.oldest(room_id).await?.unwrap_or(head + 1));
        Ok(())
    }

    /// Another node has told who is in a room there.
    pub(crate) fn merge_remote_presence(&self, node: Uuid, room_id: i64, present: NodePresence) {
        if let Some(live) = self.live(room_id)
            && live.participants().merge_remote(node, present, Instant::now())
        {
            self.notify_presence(PresenceChange::Remote(room_id));
        }
    }

    /// Another node has told that it has this room too, and a digest of who is in it there.
    pub(crate) fn hear_digest(&self, node: Uuid, room_id: i64, digest: u64) {
        if let Some(live) = self.live(room_id)
            && live.participants().hear_digest(node, digest, Instant::now())
        {
            self.notify_presence(PresenceChange::Outdated(room_id));
        }
    }

    /// Somebody on another node is writing.
    pub(crate) fn relay_typing(&self, room_id: i64, text: &str) {
        if let Some(live) = self.live(room_id) {
            live.send_ephemeral(EphemeralFrame { from: None, text: TextFrame::new(text) });
        }
    }

    /// Only these nodes are there, and only while they speak.
    pub(crate) async fn prune_nodes(&self, nodes: &[Uuid], silence: Duration) {
        for (index, live) in self.live_rooms().into_iter().enumerate() {
            if live.participants().prune_nodes(nodes, silence, Instant::now()) {
                self.notify_presence(PresenceChange::Remote(live.room.id));
            }
            if index % ROOMS_PER_YIELD == ROOMS_PER_YIELD - 1 {
                yield_now().await;
            }
        }
    }

    /// Tells a room's connections who is here. Returns whether other nodes are to be asked who is there: what a room
    /// knows of them goes with its last connection.
    pub(crate) fn publish_presence(&self, room_id: i64) -> bool {
        self.live(room_id).is_some_and(|live| {
            live.publish_presence();
            live.should_request_presence()
        })
    }

    /// Who is in a room on this node, and whether another node has the room too.
    pub(crate) fn present(&self, room_id: i64) -> (NodePresence, bool) {
        let Some(live) = self.live(room_id) else { return Default::default() };
        let participants = live.participants();
        (participants.local(), participants.is_shared())
    }

    /// The authors in a room who have this tag, as the database knows them, and the name each goes by.
    pub(crate) fn tagged(&self, room_id: i64, tag: &AuthorTag) -> HashMap<[u8; 16], Username> {
        self.live(room_id).map_or_else(HashMap::new, |live| live.participants().tagged(tag))
    }

    /// The ids of the live rooms.
    pub(crate) fn room_ids(&self) -> Vec<i64> {
        lock(&self.rooms).keys().copied().collect()
    }

    /// Somebody tells of a change.
    pub(crate) fn notify_presence(&self, change: PresenceChange) {
        self.presence_changes.add(change);
    }

    fn live_rooms(&self) -> Vec<Arc<LiveRoom>> {
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
