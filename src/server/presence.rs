//! Who is here, told: to a room's connections at most once a second, and to the other nodes, who tell theirs.

use super::hub::{Change, Hub};
use super::relay::Relay;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::interval;

/// A room is told at most so often.
const PACE: Duration = Duration::from_secs(1);

/// How often the clock is looked at while somebody waits to be told.
const TICK: Duration = Duration::from_millis(100);

/// How often other nodes are told again what they may have missed.
const AGAIN: Duration = Duration::from_secs(8);

/// Tells, for as long as the server lives.
pub(crate) async fn tell_for_ever(hub: Hub, relay: Relay, mut changes: UnboundedReceiver<Change>) {
    let mut rooms = Rooms { hub, relay, changed: HashMap::new(), told: HashMap::new() };
    let mut tick = interval(TICK);
    let mut again = interval(AGAIN);
    loop {
        tokio::select! {
            change = changes.recv() => match change {
                Some(change) => rooms.change(change),
                None => return,
            },
            _ = tick.tick(), if !rooms.changed.is_empty() => rooms.tell(),
            _ = again.tick() => rooms.change(Change::Everything),
        }
    }
}

struct Rooms {
    hub: Hub,
    relay: Relay,
    /// Rooms to be told, and whether other nodes need to know.
    changed: HashMap<i64, bool>,
    /// When each room was last told.
    told: HashMap<i64, Instant>,
}

impl Rooms {
    fn change(&mut self, change: Change) {
        match change {
            Change::Here(room) => drop(self.changed.insert(room, true)),
            Change::Elsewhere(room) => drop(self.changed.entry(room).or_insert(false)),
            Change::Typing(room, text) => self.relay.tell_typing(room, text.text()),
            Change::Everything => {
                let live: HashSet<i64> = self.hub.ids().into_iter().collect();
                self.told.retain(|room, told| live.contains(room) || told.elapsed() < PACE);
                if self.relay.is_there() {
                    self.changed.extend(live.into_iter().map(|room| (room, true)));
                }
            }
        }
    }

    fn tell(&mut self) {
        let due = |room: &i64| self.told.get(room).is_none_or(|told| told.elapsed() >= PACE);
        let rooms: Vec<i64> = self.changed.keys().copied().filter(due).collect();
        for room in rooms {
            let to_all = self.changed.remove(&room).unwrap_or_default();
            self.told.insert(room, Instant::now());
            let (present, asks) = self.hub.tell_presence(room);
            if to_all {
                self.relay.tell_presence(room, present, asks);
            }
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
            assert!(hub.tell_presence(room.id).1);
            assert!(!hub.tell_presence(room.id).1, "they were asked");
        }
        assert!(!hub.tell_presence(room.id).1, "nobody is here to know it");
    }
}
