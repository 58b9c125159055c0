//! Who is here, told: to a room's connections at most once a second, and to the other nodes, who tell theirs.
//!
//! Other nodes are told of a room when it is opened here, which asks them for theirs, and of every change while one of
//! them has the room too. Now and then a node names its rooms, with a digest of who is in each: where that is not what
//! another node knows, it asks again. So what was lost is made up for, and nothing is said again that is known.

use super::hub::{Hub, PeerPresence, PresenceBatch, PresenceChanges};
use super::relay::{Relay, Told};
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval};

/// Shortest time between two times that a room is told.
const BROADCAST_INTERVAL: Duration = Duration::from_secs(1);

/// Interval of looking at the clock while somebody waits to be told.
const BROADCAST_TICK: Duration = Duration::from_millis(100);

/// Interval of naming this node's rooms to the others.
const REBROADCAST_INTERVAL: Duration = Duration::from_secs(8);

/// Maximum number of rooms that are told before other tasks have a turn.
const MAX_ROOMS_PER_BROADCAST: usize = 64;

/// Bound of one bell that tells who is in many rooms, in bytes. That of one large room may be above it.
const BELL: usize = 8 << 10;

/// Maximum number of rooms that one bell names, and of such bells in one tick.
const NAMED: usize = 256;
const NAMING: usize = 4;

/// Tells, for as long as the server lives.
pub(crate) async fn run_broadcaster(hub: Hub, relay: Relay, changes: PresenceChanges) {
    let mut rooms = PresenceSchedule::new(hub, relay);
    // Rooms that an earlier run of this task, which has panicked, may not have told.
    rooms.changed = rooms.hub.room_ids().into_iter().map(|room| (room, PeerPresence::Told)).collect();
    let mut tick = interval(BROADCAST_TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut again = interval(REBROADCAST_INTERVAL);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            collected = changes.next() => rooms.take_in(collected),
            _ = tick.tick(), if rooms.has_news() => rooms.tell().await,
            _ = again.tick() => rooms.name_all(),
        }
    }
}

struct PresenceSchedule {
    hub: Hub,
    relay: Relay,
    /// Rooms whose connections are to be told, and what other nodes are to be told then.
    changed: HashMap<i64, PeerPresence>,
    /// When each room was last told.
    told: HashMap<i64, Instant>,
    /// Rooms of which other nodes are to be told, and whether they are asked.
    outgoing: HashMap<i64, bool>,
    /// The order in which they are told.
    order: VecDeque<i64>,
    /// Rooms that are to be named.
    naming: VecDeque<i64>,
    /// Rooms of which other nodes were told that somebody is in them here.
    known: HashSet<i64>,
}

impl PresenceSchedule {
    fn new(hub: Hub, relay: Relay) -> Self {
        let (changed, told, outgoing) = (HashMap::new(), HashMap::new(), HashMap::new());
        let (order, naming, known) = (VecDeque::new(), VecDeque::new(), HashSet::new());
        Self { hub, relay, changed, told, outgoing, order, naming, known }
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

    fn has_news(&self) -> bool {
        !self.changed.is_empty() || !self.order.is_empty() || !self.naming.is_empty()
    }

    /// Has every room named to the other nodes; nodes that do not understand that are told who is in each.
    fn name_all(&mut self) {
        let live = self.hub.room_ids();
        let lives: HashSet<i64> = live.iter().copied().collect();
        self.told.retain(|room, told| lives.contains(room) || told.elapsed() < BROADCAST_INTERVAL);
        if !self.relay.is_enabled() {
            return;
        }
        if self.relay.has_old_nodes() {
            live.iter().for_each(|room| self.tell_others(*room, false));
        }
        // Those that still wait to be named are not named later for it.
        let (mut waiting, named): (Vec<i64>, Vec<i64>) = {
            let waits: HashSet<i64> = self.naming.iter().copied().collect();
            live.into_iter().partition(|room| waits.contains(room))
        };
        waiting.extend(named);
        self.naming = waiting.into();
    }

    fn tell_others(&mut self, room: i64, asks: bool) {
        match self.outgoing.get_mut(&room) {
            Some(asked) => *asked |= asks,
            None => {
                self.outgoing.insert(room, asks);
                self.order.push_back(room);
            }
        }
    }

    async fn tell(&mut self) {
        let due = |room: &i64| self.told.get(room).is_none_or(|told| told.elapsed() >= BROADCAST_INTERVAL);
        let rooms: Vec<i64> = self.changed.keys().copied().filter(due).collect();
        for (index, room) in rooms.into_iter().enumerate() {
            let others = self.changed.remove(&room).unwrap_or_default();
            self.told.insert(room, Instant::now());
            let asks = self.hub.publish_presence(room) || others == PeerPresence::Asked;
            if self.relay.is_enabled() && (asks || others == PeerPresence::Told) {
                self.tell_others(room, asks);
            }
            if index % MAX_ROOMS_PER_BROADCAST == MAX_ROOMS_PER_BROADCAST - 1 {
                yield_now().await;
            }
        }
        self.send_presence().await;
        self.send_names().await;
    }

    /// Tells the other nodes of rooms, as far as there is room for it. Of one that no other node has, nothing needs to be
    /// told.
    async fn send_presence(&mut self) {
        while !self.order.is_empty() && self.relay.takes_hints() {
            let (mut bell, mut bytes) = (Vec::new(), 0);
            for _ in 0..MAX_ROOMS_PER_BROADCAST {
                if bytes >= BELL {
                    break;
                }
                let Some(room) = self.order.pop_front() else { break };
                let asks = self.outgoing.remove(&room).unwrap_or_default();
                let (present, shared) = self.hub.present(room);
                let was_known = if present.is_empty() { self.known.remove(&room) } else { self.known.contains(&room) };
                if asks || shared || self.relay.has_old_nodes() || present.is_empty() && was_known {
                    if !present.is_empty() {
                        self.known.insert(room);
                    }
                    bytes += present.size();
                    bell.push(Told { room, present, asks });
                }
            }
            self.relay.publish_presence(bell);
            yield_now().await;
        }
    }

    /// Names rooms to the other nodes, some of them in each tick.
    async fn send_names(&mut self) {
        for _ in 0..NAMING {
            if self.naming.is_empty() || !self.relay.takes_hints() {
                return;
            }
            let mut named = Vec::new();
            for room in self.naming.drain(..NAMED.min(self.naming.len())) {
                let (present, _) = self.hub.present(room);
                if !present.is_empty() {
                    named.push((room, present.digest()));
                }
            }
            self.relay.tell_rooms(named);
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
