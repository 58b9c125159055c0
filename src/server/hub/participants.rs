//! Who is in a live room: the connections of this node, and what the other nodes have said of theirs.

use crate::domain::{Participant, Username};
use crate::protocol::{MAX_PARTICIPANTS, ServerFrame};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The participants that one node sees.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Present {
    count: usize,
    /// Empty when they are more than [`MAX_PARTICIPANTS`].
    participants: BTreeSet<Participant>,
}

#[derive(Default)]
pub(super) struct Participants {
    here: HashMap<u64, Participant>,
    elsewhere: HashMap<Uuid, (Instant, Present)>,
}

impl Participants {
    /// A connection has come, or has another name.
    pub(super) fn put(&mut self, connection: u64, participant: Participant) {
        self.here.insert(connection, participant);
    }

    /// A connection has gone.
    pub(super) fn remove(&mut self, connection: u64) {
        self.here.remove(&connection);
    }

    /// The name under which a connection of this node is here.
    pub(super) fn username(&self, connection: u64) -> Option<&Username> {
        self.here.get(&connection).map(|participant| &participant.username)
    }

    /// Another node has told who is there. Returns whether that is news.
    pub(super) fn hear(&mut self, node: Uuid, present: Present, now: Instant) -> bool {
        if present.count == 0 {
            return self.elsewhere.remove(&node).is_some();
        }
        let before = self.elsewhere.insert(node, (now, present.clone()));
        before.is_none_or(|(_, before)| before != present)
    }

    /// Forgets nodes that are not in `nodes` or have not spoken for `silence`. Returns whether that is news.
    pub(super) fn keep(&mut self, nodes: &[Uuid], silence: Duration, now: Instant) -> bool {
        let before = self.elsewhere.len();
        self.elsewhere.retain(|node, (heard, _)| nodes.contains(node) && now.duration_since(*heard) < silence);
        self.elsewhere.len() < before
    }

    /// Who is here, for the other nodes to know.
    pub(super) fn here(&self) -> Present {
        let distinct: HashSet<&Participant> = self.here.values().collect();
        let count = distinct.len();
        let named = if count <= MAX_PARTICIPANTS { distinct } else { HashSet::new() };
        Present { count, participants: named.into_iter().cloned().collect() }
    }

    /// Who is in the room: those `here`, and those on other nodes. Who is on two of them is counted once, as long as
    /// everybody is named.
    pub(super) fn frame(&self, here: Present) -> ServerFrame {
        let mut all = here;
        let mut named = all.count <= MAX_PARTICIPANTS;
        for (_, present) in self.elsewhere.values() {
            named &= present.count == present.participants.len();
            all.count += present.count;
            all.participants.extend(present.participants.iter().cloned());
        }
        if named && all.participants.len() <= MAX_PARTICIPANTS {
            let participants: Vec<Participant> = all.participants.into_iter().collect();
            return ServerFrame::Presence { count: participants.len(), participants };
        }
        let count = if named { all.participants.len() } else { all.count };
        ServerFrame::Presence { count, participants: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Tag;

    fn participant(name: &str, tag: u8) -> Participant {
        Participant { username: Username::parse(name).unwrap(), tag: Tag::new([tag, 0]) }
    }

    fn names(participants: &Participants) -> (usize, Vec<String>) {
        let ServerFrame::Presence { count, participants } = participants.frame(participants.here()) else {
            unreachable!()
        };
        (count, participants.into_iter().map(|it| it.username.to_string()).collect())
    }

    #[test]
    fn two_connections_of_one_person_are_one_participant() {
        let mut participants = Participants::default();
        participants.put(1, participant("Ann", 1));
        participants.put(2, participant("Ann", 1));
        participants.put(3, participant("Ann", 2));
        assert_eq!(names(&participants), (2, vec!["Ann".into(), "Ann".into()]));
        participants.remove(1);
        participants.remove(2);
        assert_eq!(names(&participants).0, 1);
    }

    #[test]
    fn other_nodes_are_counted_until_they_fall_silent_or_go() {
        let (node, now) = (Uuid::from_u128(1), Instant::now());
        let mut there = Participants::default();
        there.put(1, participant("Bob", 3));
        there.put(2, participant("Ann", 1));
        let mut here = Participants::default();
        here.put(1, participant("Ann", 1));
        assert!(here.hear(node, there.here(), now));
        assert!(!here.hear(node, there.here(), now), "the same again is no news");
        assert_eq!(names(&here), (2, vec!["Ann".into(), "Bob".into()]), "who is on both is counted once");
        assert!(!here.keep(&[node], Duration::from_secs(30), now));
        assert!(here.keep(&[], Duration::from_secs(30), now));
        assert_eq!(names(&here).0, 1);
        here.hear(node, there.here(), now);
        assert!(here.hear(node, Present::default(), now), "it says that nobody is there any more");
        assert_eq!(names(&here).0, 1);
    }

    #[test]
    fn of_a_crowd_only_the_count_is_told() {
        let mut participants = Participants::default();
        for number in 0..=MAX_PARTICIPANTS {
            participants.put(number as u64, participant(&format!("visitor {number}"), 0));
        }
        assert_eq!(names(&participants), (MAX_PARTICIPANTS + 1, vec![]));
    }
}
