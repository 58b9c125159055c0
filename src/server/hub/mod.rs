//! The live rooms of this node. Each room keeps the newest delivered number and a tail buffer; every subscriber has its
//! own position. Fan-out tasks write all ready events at once to the subscribers that are up to date. A subscriber that
//! lags pulls from its position, from the tail buffer or from the log. Events are never skipped or reordered. A slow
//! subscriber costs one integer (its position), not a queue.

mod backfill;
mod catch_up;
mod crowd;
mod event_frame;
mod fanout;
mod followers;
mod history;
mod in_flight;
mod live_room;
mod moderation;
mod presence;
mod presence_changes;
mod reconciler;
mod revocation;
mod subscriber;
mod subscription;
mod tail_buffer;
mod vacant_rooms;
mod write_coalescer;

pub(crate) use backfill::BackfillError;
pub(crate) use crowd::MIN_PRESENCE_INTERVAL;
pub(crate) use event_frame::EventFrame;
pub(crate) use followers::LogFollowers;
pub(crate) use in_flight::InFlightGuard;
pub(crate) use live_room::LiveRoom;
pub(crate) use presence::NodePresence;
pub(crate) use presence_changes::{PeerPresence, PresenceBatch, PresenceChange, PresenceChanges};
pub(crate) use subscription::{PullResult, Subscription};

use super::store::{RoomRef, Store, StoreError};
use super::telemetry::outage::Outage;
use super::websocket::TextFrame;
use crate::domain::{AuthorTag, Seq, Username};
use crate::protocol::close;
use crate::server::sync::lock;
use backfill::BackfillCache;
use fanout::EphemeralFrame;
use reconciler::KnownHeads;
use revocation::TokenSubscribers;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::task::yield_now;
use uuid::Uuid;

/// Maximum number of events per write.
const MAX_BATCH_EVENTS: usize = 64;

/// Maximum number of bytes per write, unless one event is longer.
const MAX_BATCH_BYTES: usize = 32 << 10;

/// Maximum number of rooms that are processed before the task yields.
const ROOMS_PER_YIELD: usize = 256;

/// Live rooms by id. An entry is removed when the room's last connection closes.
type LiveRooms = Arc<Mutex<HashMap<i64, Weak<LiveRoom>>>>;

/// State of the comparison with the database, and of its outages.
struct Reconciliation {
    requested: Notify,
    failing: Outage,
    reading: Outage,
    enforcing: Outage,
    revoking: Outage,
}

impl Reconciliation {
    fn new() -> Self {
        Self {
            requested: Notify::new(),
            failing: Outage::new(
                "Comparing rooms with the database failed",
                "Comparing rooms with the database works again",
            ),
            reading: Outage::new("Reading the log failed", "Reading the log works again"),
            revoking: Outage::new("Looking for revoked tokens failed", "Looking for revoked tokens works again"),
            enforcing: Outage::new("Enforcing a ban or lock failed; retrying", "Enforcing bans and locks works again"),
        }
    }
}

/// The live rooms of this node; cheap to clone.
#[derive(Clone)]
pub(crate) struct Hub {
    store: Store,
    /// Reads of the log for connections that have fallen behind.
    backfill_cache: BackfillCache,
    rooms: LiveRooms,
    presence_changes: PresenceChanges,
    remembered: Arc<Mutex<KnownHeads>>,
    reconciliation: Arc<Reconciliation>,
    token_subscribers: TokenSubscribers,
    followers: LogFollowers,
}

impl Hub {
    /// Returns a hub, and the queue of presence changes of its rooms.
    pub(crate) fn new(store: Store) -> (Self, PresenceChanges) {
        let changes = PresenceChanges::default();
        let reconciliation = Arc::new(Reconciliation::new());
        let backfill_cache = BackfillCache::new(store.clone(), reconciliation.clone());
        let presence_changes = changes.clone();
        let (rooms, remembered) = (LiveRooms::default(), Arc::default());
        let (token_subscribers, followers) = (TokenSubscribers::default(), LogFollowers::default());
        let hub = Self {
            store,
            backfill_cache,
            rooms,
            presence_changes,
            remembered,
            reconciliation,
            token_subscribers,
            followers,
        };
        (hub, changes)
    }

    /// Returns the live room, and opens it if it has no connections yet. It lives as long as it is held.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::RoomGone`] if the log of the room is lost, or an error if the database cannot be read.
    pub(crate) async fn enter(&self, room: &RoomRef) -> Result<Arc<LiveRoom>, StoreError> {
        // Dropped after the lock is released: the last reference locks the list itself.
        let mut replaced = None;
        let live = {
            let mut rooms = lock(&self.rooms);
            match rooms.get(&room.id).and_then(Weak::upgrade) {
                Some(live) if live.room.name == room.name => live,
                other => {
                    replaced = other;
                    let live = Arc::new(LiveRoom::new(room.clone(), self.clone()));
                    rooms.insert(room.id, Arc::downgrade(&live));
                    live
                }
            }
        };
        if let Some(replaced) = replaced {
            // The id belonged to a room that no longer exists, in a database that went back in time.
            replaced.end(close::DELETED);
        }
        live.open().await?;
        if live.epoch() != room.epoch {
            // One of the two references is outdated.
            self.reconcile_room(&live).await?;
        }
        Ok(live)
    }

    /// Removes a room that has ended from the list, so that the next visitor opens another. Connected subscribers keep
    /// the old one until they leave.
    fn forget(&self, ended: &Arc<LiveRoom>) {
        let mut rooms = lock(&self.rooms);
        if rooms.get(&ended.room.id).is_some_and(|live| live.as_ptr() == Arc::as_ptr(ended)) {
            rooms.remove(&ended.room.id);
        }
    }

    /// Appends `frames`, oldest first, to a live room. Does nothing if the room has no connections.
    pub(crate) fn publish(&self, room_id: i64, frames: Vec<EventFrame>) {
        self.followers.notify(room_id);
        if let Some(live) = self.live(room_id) {
            live.publish(frames);
        }
    }

    /// Returns the rooms that are followed without a connection.
    pub(crate) fn followers(&self) -> &LogFollowers {
        &self.followers
    }

    /// Counts an entry in flight into this room's log for as long as the returned guard is held, or returns `None` if
    /// the room is not live.
    pub(crate) fn track_in_flight(&self, room_id: i64) -> Option<InFlightGuard> {
        self.live(room_id).map(|live| live.in_flight.track())
    }

    /// Notifies fan-out tasks after an entry in flight has brought no new event, so that they do not wait for it any
    /// longer.
    pub(crate) fn notify_subscribers(&self, room_id: i64) {
        if let Some(live) = self.live(room_id) {
            live.notify_subscribers();
        }
    }

    /// Catches up with the log, which has events up to `seq` in this room.
    pub(crate) fn catch_up_to(&self, room_id: i64, seq: Seq) {
        if let Some(live) = self.live(room_id) {
            live.catch_up_to(seq);
        }
    }

    /// Evicts from memory the events that retention may have removed from a room.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn evict_purged(&self, room_id: i64) -> Result<(), StoreError> {
        let Some(live) = self.live(room_id) else { return Ok(()) };
        // The head is read first, so that events that arrive later are newer than all of these.
        let head = live.head();
        live.evict_before(self.store.oldest(room_id).await?.unwrap_or(head + 1));
        Ok(())
    }

    /// Merges the participants that another node has published for a room.
    pub(crate) fn merge_remote_presence(&self, node: Uuid, room_id: i64, present: NodePresence) {
        if let Some(live) = self.live(room_id)
            && live.participants().merge_remote(node, present, Instant::now())
        {
            self.notify_presence(PresenceChange::Remote(room_id));
        }
    }

    /// Compares the digest that another node has published for a room with its known participants.
    pub(crate) fn merge_digest(&self, node: Uuid, room_id: i64, digest: u64) {
        if let Some(live) = self.live(room_id)
            && live.participants().merge_digest(node, digest, Instant::now())
        {
            self.notify_presence(PresenceChange::Outdated(room_id));
        }
    }

    /// Shows a typing hint from another node.
    pub(crate) fn relay_typing(&self, room_id: i64, text: &str) {
        if let Some(live) = self.live(room_id).filter(|live| live.shows_typing()) {
            live.send_ephemeral(EphemeralFrame { from: None, text: TextFrame::new(text) });
        }
    }

    /// Forgets the participants of nodes that are not in `nodes` or have been silent for `silence`.
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

    /// Updates the presence that a room's subscribers see. Returns whether other nodes have to be asked for their
    /// participants, because a room forgets them with its last connection.
    pub(crate) fn publish_presence(&self, room_id: i64) -> bool {
        self.live(room_id).is_some_and(|live| {
            live.publish_presence();
            live.should_request_presence()
        })
    }

    /// Returns the participants of a room on this node, and whether another node has the room too.
    pub(crate) fn present(&self, room_id: i64) -> (NodePresence, bool) {
        let Some(live) = self.live(room_id) else { return Default::default() };
        let participants = live.participants();
        (participants.local(), participants.is_shared())
    }

    /// Returns the authors in a room who have this tag, as the database knows them, with the name of each.
    pub(crate) fn tagged(&self, room_id: i64, tag: &AuthorTag) -> HashMap<[u8; 16], Username> {
        self.live(room_id).map_or_else(HashMap::new, |live| live.participants().tagged(tag))
    }

    /// Returns the participants of a room on all nodes, as the database knows them, with the name of each: at most
    /// [`MAX_NAMED_PARTICIPANTS`](presence::MAX_NAMED_PARTICIPANTS).
    pub(crate) fn participants(&self, room_id: i64) -> HashMap<[u8; 16], Username> {
        self.live(room_id).map_or_else(HashMap::new, |live| live.participants().named())
    }

    /// Returns the ids of the live rooms.
    pub(crate) fn room_ids(&self) -> Vec<i64> {
        lock(&self.rooms).keys().copied().collect()
    }

    /// Queues a presence change.
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
