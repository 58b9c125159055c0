//! Publishes presence: to a room's subscribers at most once a second, and less often in a room of many readers; and to
//! the other nodes, which publish theirs.
//!
//! A node publishes a room's presence when the room is opened, which also requests that of the other nodes, and after
//! every change while another node has the room too. Periodically, it publishes a digest of the participants of each
//! room. A node that knows other participants requests them again. This recovers lost messages without repeating known
//! presence.

use super::hub::{Hub, MIN_PRESENCE_INTERVAL, PeerPresence, PresenceBatch, PresenceChanges};
use super::relay::{Relay, RoomPresence};
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval};

/// Interval of checking for due updates while any are pending.
const BROADCAST_TICK: Duration = Duration::from_millis(100);

/// Interval of publishing the digests of this node's rooms.
const REBROADCAST_INTERVAL: Duration = Duration::from_secs(8);

/// Maximum number of rooms that are updated before the task yields.
const MAX_ROOMS_PER_BROADCAST: usize = 64;

/// Maximum size of one relay message about many rooms, in bytes. The message of one large room may exceed it.
const MAX_PRESENCE_MESSAGE_BYTES: usize = 8 << 10;

/// Maximum number of rooms per digest message, and of such messages per tick.
const DIGEST_ROOMS: usize = 256;
const MAX_DIGESTS_PER_TICK: usize = 4;

/// Publishes presence for as long as the server lives.
pub(crate) async fn run_broadcaster(hub: Hub, relay: Relay, changes: PresenceChanges) {
    let mut rooms = PresenceSchedule::new(hub, relay);
    // Rooms that a previous run of this task, which has panicked, may not have updated.
    rooms.changed = rooms.hub.room_ids().into_iter().map(|room| (room, PeerPresence::Participants)).collect();
    let mut tick = interval(BROADCAST_TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut again = interval(REBROADCAST_INTERVAL);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            collected = changes.next() => rooms.take_in(collected),
            _ = tick.tick(), if rooms.has_changes() => rooms.publish_changed().await,
            _ = again.tick() => rooms.name_all(),
        }
    }
}

struct PresenceSchedule {
    hub: Hub,
    relay: Relay,
    /// Rooms whose subscribers have to be updated, and the presence to publish to other nodes then.
    changed: HashMap<i64, PeerPresence>,
    /// Time of the last update of each room.
    published_at: HashMap<i64, Instant>,
    /// Rooms whose presence has to be published to other nodes, and whether to request theirs.
    outgoing: HashMap<i64, bool>,
    /// The order in which they are published.
    order: VecDeque<i64>,
    /// Rooms whose digests have to be published.
    naming: VecDeque<i64>,
    /// Rooms whose published presence was not empty.
    known: HashSet<i64>,
}

impl PresenceSchedule {
    fn new(hub: Hub, relay: Relay) -> Self {
        let (changed, published_at, outgoing) = (HashMap::new(), HashMap::new(), HashMap::new());
        let (order, naming, known) = (VecDeque::new(), VecDeque::new(), HashSet::new());
        Self { hub, relay, changed, published_at, outgoing, order, naming, known }
    }

    fn take_in(&mut self, PresenceBatch { rooms, typing, everything }: PresenceBatch) {
        for (room, others) in rooms {
            let changed = self.changed.entry(room).or_default();
            *changed = others.max(*changed);
        }
        for (room, text) in typing {
            self.relay.publish_typing(room, text.text());
        }
        if everything {
            self.name_all();
        }
    }

    fn has_changes(&self) -> bool {
        !self.changed.is_empty() || !self.order.is_empty() || !self.naming.is_empty()
    }

    /// Schedules the digest of every room. Nodes that do not understand digests get the participants of each room.
    fn name_all(&mut self) {
        let live = self.hub.room_ids();
        let lives: HashSet<i64> = live.iter().copied().collect();
        self.published_at
            .retain(|room, published_at| lives.contains(room) || published_at.elapsed() < MIN_PRESENCE_INTERVAL);
        if !self.relay.is_enabled() {
            return;
        }
        if self.relay.has_old_nodes() {
            live.iter().for_each(|room| self.enqueue(*room, false));
        }
        // Rooms whose digests are still pending keep their place in the queue.
        let (mut waiting, named): (Vec<i64>, Vec<i64>) = {
            let waits: HashSet<i64> = self.naming.iter().copied().collect();
            live.into_iter().partition(|room| waits.contains(room))
        };
        waiting.extend(named);
        self.naming = waiting.into();
    }

    fn enqueue(&mut self, room: i64, asks: bool) {
        match self.outgoing.get_mut(&room) {
            Some(asked) => *asked |= asks,
            None => {
                self.outgoing.insert(room, asks);
                self.order.push_back(room);
            }
        }
    }

    async fn publish_changed(&mut self) {
        let due = |room: &i64| {
            let Some(since) = self.published_at.get(room).map(Instant::elapsed) else { return true };
            since >= MIN_PRESENCE_INTERVAL && since >= self.hub.presence_interval(*room)
        };
        let rooms: Vec<i64> = self.changed.keys().copied().filter(due).collect();
        for (index, room) in rooms.into_iter().enumerate() {
            let others = self.changed.remove(&room).unwrap_or_default();
            self.published_at.insert(room, Instant::now());
            let asks = self.hub.publish_presence(room) || others == PeerPresence::WithRequest;
            if self.relay.is_enabled() && (asks || others == PeerPresence::Participants) {
                self.enqueue(room, asks);
            }
            if index % MAX_ROOMS_PER_BROADCAST == MAX_ROOMS_PER_BROADCAST - 1 {
                yield_now().await;
            }
        }
        self.send_presence().await;
        self.send_names().await;
    }

    /// Publishes presence to the other nodes while the relay accepts it. Skips rooms that no other node has.
    async fn send_presence(&mut self) {
        while !self.order.is_empty() && self.relay.takes_hints() {
            let (mut message_rooms, mut bytes) = (Vec::new(), 0);
            for _ in 0..MAX_ROOMS_PER_BROADCAST {
                if bytes >= MAX_PRESENCE_MESSAGE_BYTES {
                    break;
                }
                let Some(room) = self.order.pop_front() else { break };
                let asks = self.outgoing.remove(&room).unwrap_or_default();
                let (present, is_shared) = self.hub.present(room);
                let was_known = if present.is_empty() { self.known.remove(&room) } else { self.known.contains(&room) };
                if asks || is_shared || self.relay.has_old_nodes() || present.is_empty() && was_known {
                    if !present.is_empty() {
                        self.known.insert(room);
                    }
                    bytes += present.size();
                    message_rooms.push(RoomPresence { room, present, asks });
                }
            }
            self.relay.publish_presence(message_rooms);
            yield_now().await;
        }
    }

    /// Publishes digests to the other nodes, some of them in each tick.
    async fn send_names(&mut self) {
        for _ in 0..MAX_DIGESTS_PER_TICK {
            if self.naming.is_empty() || !self.relay.takes_hints() {
                return;
            }
            let mut named = Vec::new();
            for room in self.naming.drain(..DIGEST_ROOMS.min(self.naming.len())) {
                let (present, _) = self.hub.present(room);
                if !present.is_empty() {
                    named.push((room, present.digest()));
                }
            }
            self.relay.publish_digests(named);
            yield_now().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RoomName;
    use crate::server::store::Store;

    #[tokio::test]
    async fn a_room_that_is_opened_anew_asks_the_other_nodes_anew() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/parlour.db", directory.path().display())).await.unwrap();
        let (hub, _changes) = Hub::new(store.clone());
        let room = store.create_room(&RoomName::parse("harbour").unwrap()).await.unwrap().room;
        for _ in 0..2 {
            let _live = hub.enter(&room).await.unwrap();
            assert!(hub.publish_presence(room.id));
            assert!(!hub.publish_presence(room.id), "they were asked");
        }
        assert!(!hub.publish_presence(room.id), "nobody is here to know it");
    }
}
