//! Participants of a live room: those on this node, and those that other nodes have published.

use crate::domain::{AuthorTag, Participant, Username};
use crate::protocol::{MAX_PARTICIPANTS, ServerFrame};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::iter::once;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Maximum number of participants that are listed by name for the owner of a room.
pub(super) const MAX_NAMED_PARTICIPANTS: usize = 500;

/// A participant as others see it, with its author as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct PresenceEntry {
    pub(super) participant: Participant,
    pub(super) author: [u8; 16],
}

/// The participants of a room on one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodePresence {
    count: usize,
    /// Empty if there are more than [`MAX_PARTICIPANTS`].
    participants: BTreeSet<PresenceEntry>,
}

/// Participants that another node has published for the room.
#[derive(Debug)]
struct RemotePresence {
    received_at: Instant,
    present: NodePresence,
    digest: u64,
}

impl NodePresence {
    /// Returns a digest of the participants, which is the same on every node.
    pub(crate) fn digest(&self) -> u64 {
        let json = serde_json::to_vec(self).expect("participants are plain data");
        let hash = Sha256::digest(&json);
        hash.iter().take(8).fold(0, |digest, byte| digest << 8 | u64::from(*byte))
    }

    /// Returns the approximate size of the published participants, in bytes.
    pub(crate) fn size(&self) -> usize {
        32 + self.participants.iter().map(|known| 160 + known.participant.username.as_str().len()).sum::<usize>()
    }

    /// Returns whether there are no participants.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

#[derive(Default)]
pub(super) struct Participants {
    local: HashMap<u64, PresenceEntry>,
    remote: HashMap<Uuid, RemotePresence>,
}

impl Participants {
    /// Adds a connection, or renames its participant.
    pub(super) fn insert(&mut self, connection: u64, participant: Participant, author: [u8; 16]) {
        self.local.insert(connection, PresenceEntry { participant, author });
    }

    /// Removes a connection.
    pub(super) fn remove(&mut self, connection: u64) {
        self.local.remove(&connection);
    }

    /// Returns the number of readers: the connections of this node, and the participants of the other nodes.
    pub(super) fn readers(&self) -> usize {
        self.remote.values().fold(self.local.len(), |readers, node| readers.saturating_add(node.present.count))
    }

    /// Returns the authors who have this tag, over all nodes, with the name of each.
    pub(super) fn tagged(&self, tag: &AuthorTag) -> HashMap<[u8; 16], Username> {
        let remote = self.remote.values().flat_map(|entry| &entry.present.participants);
        // Local entries come last, because they are the newest.
        let tagged = remote.chain(self.local.values()).filter(|known| known.participant.tag == *tag);
        tagged.map(|known| (known.author, known.participant.username.clone())).collect()
    }

    /// Returns the authors who are present, over all nodes, with the name of each: at most [`MAX_NAMED_PARTICIPANTS`].
    pub(super) fn named(&self) -> HashMap<[u8; 16], Username> {
        let mut named = HashMap::new();
        let remote = self.remote.values().flat_map(|entry| &entry.present.participants);
        for known in self.local.values().chain(remote) {
            if named.len() < MAX_NAMED_PARTICIPANTS {
                named.entry(known.author).or_insert_with(|| known.participant.username.clone());
            }
        }
        named
    }

    /// Merges the participants that another node has published. Returns whether they have changed.
    pub(super) fn merge_remote(&mut self, node: Uuid, present: NodePresence, now: Instant) -> bool {
        if present.count == 0 {
            return self.remote.remove(&node).is_some();
        }
        let digest = present.digest();
        let before = self.remote.insert(node, RemotePresence { received_at: now, present, digest });
        before.is_none_or(|before| before.digest != digest)
    }

    /// Compares the digest that another node has published. Returns whether it differs from its known participants.
    pub(super) fn merge_digest(&mut self, node: Uuid, digest: u64, now: Instant) -> bool {
        let empty = || RemotePresence { received_at: now, present: NodePresence::default(), digest: 0 };
        let known = self.remote.entry(node).or_insert_with(empty);
        known.received_at = now;
        known.digest != digest
    }

    /// Returns whether another node has the room too.
    pub(super) fn is_shared(&self) -> bool {
        !self.remote.is_empty()
    }

    /// Forgets nodes that are not in `nodes` or have been silent for `silence`. Returns whether the participants have
    /// changed.
    pub(super) fn prune_nodes(&mut self, nodes: &[Uuid], silence: Duration, now: Instant) -> bool {
        let before = self.remote.len();
        self.remote.retain(|node, entry| nodes.contains(node) && now.duration_since(entry.received_at) < silence);
        self.remote.len() < before
    }

    /// Returns the participants of this node, as published to other nodes.
    pub(super) fn local(&self) -> NodePresence {
        let distinct: HashSet<&PresenceEntry> = self.local.values().collect();
        let count = distinct.len();
        let named = if count <= MAX_PARTICIPANTS { distinct } else { HashSet::new() };
        NodePresence { count, participants: named.into_iter().cloned().collect() }
    }

    /// Returns the frame with the participants of all nodes, where `here` are those of this node. A participant on two
    /// nodes is counted once, as long as every node lists its participants by name.
    pub(super) fn frame(&self, here: &NodePresence) -> ServerFrame {
        let nodes: Vec<&NodePresence> = once(here).chain(self.remote.values().map(|entry| &entry.present)).collect();
        if nodes.iter().any(|present| present.count != present.participants.len()) {
            let count = nodes.iter().fold(0_usize, |count, present| count.saturating_add(present.count));
            return ServerFrame::Presence { count, participants: Vec::new() };
        }
        let all = nodes.iter().flat_map(|present| &present.participants).map(|known| &known.participant);
        let all: BTreeSet<&Participant> = all.collect();
        let named = if all.len() <= MAX_PARTICIPANTS { all.iter().copied().cloned().collect() } else { Vec::new() };
        ServerFrame::Presence { count: all.len(), participants: named }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AuthorTag;

    fn participant(name: &str, tag: u8) -> Participant {
        Participant { username: Username::parse(name).unwrap(), tag: AuthorTag::new([tag, 0]) }
    }

    /// Adds a connection with this name. `number` determines the tag and the author.
    fn put(participants: &mut Participants, connection: u64, name: &str, number: u8) {
        participants.insert(connection, participant(name, number), [number; 16]);
    }

    fn names(participants: &Participants) -> (usize, Vec<String>) {
        let ServerFrame::Presence { count, participants } = participants.frame(&participants.local()) else {
            unreachable!()
        };
        (count, participants.into_iter().map(|entry| entry.username.to_string()).collect())
    }

    #[test]
    fn two_connections_of_one_person_are_one_participant() {
        let mut participants = Participants::default();
        put(&mut participants, 1, "Ann", 1);
        put(&mut participants, 2, "Ann", 1);
        put(&mut participants, 3, "Ann", 2);
        assert_eq!(names(&participants), (2, vec!["Ann".into(), "Ann".into()]));
        assert_eq!(participants.readers(), 3, "each connection is written to");
        participants.remove(1);
        participants.remove(2);
        assert_eq!(names(&participants).0, 1);
    }

    #[test]
    fn other_nodes_are_counted_until_they_fall_silent_or_go() {
        let (node, now) = (Uuid::from_u128(1), Instant::now());
        let mut there = Participants::default();
        put(&mut there, 1, "Bob", 3);
        put(&mut there, 2, "Ann", 1);
        let mut here = Participants::default();
        put(&mut here, 1, "Ann", 1);
        assert!(here.merge_remote(node, there.local(), now));
        assert!(!here.merge_remote(node, there.local(), now), "the same again is no news");
        assert_eq!(names(&here), (2, vec!["Ann".into(), "Bob".into()]), "who is on both is counted once");
        assert_eq!(here.readers(), 3, "and reads on both");
        assert!(!here.prune_nodes(&[node], Duration::from_secs(30), now));
        assert!(here.prune_nodes(&[], Duration::from_secs(30), now));
        assert_eq!(names(&here).0, 1);
        here.merge_remote(node, there.local(), now);
        assert!(here.merge_remote(node, NodePresence::default(), now), "it says that nobody is there any more");
        assert_eq!(names(&here).0, 1);
    }

    #[test]
    fn a_participant_is_found_by_tag_on_any_node() {
        let (mut here, mut there) = (Participants::default(), Participants::default());
        put(&mut here, 1, "Ann", 1);
        put(&mut there, 1, "Bob", 2);
        put(&mut there, 2, "Bob", 2);
        here.merge_remote(Uuid::from_u128(1), there.local(), Instant::now());
        let found = |number: u8| here.tagged(&AuthorTag::new([number, 0])).into_iter().collect::<Vec<_>>();
        assert_eq!(found(1), [([1; 16], Username::parse("Ann").unwrap())]);
        assert_eq!(found(2), [([2; 16], Username::parse("Bob").unwrap())]);
        assert_eq!(found(3), []);
    }

    #[test]
    fn of_a_crowd_only_the_count_is_told() {
        let mut participants = Participants::default();
        for number in 0..=MAX_PARTICIPANTS {
            put(&mut participants, number as u64, &format!("visitor {number}"), 0);
        }
        assert_eq!(names(&participants), (MAX_PARTICIPANTS + 1, vec![]));
    }
}
