//! Pending presence changes, collected until they are broadcast. They are bounded by the number of rooms, because
//! repeated changes of a room are merged.

use crate::server::sync::lock;
use crate::server::websocket::TextFrame;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// Maximum number of typing hints that are queued for other nodes. Further hints are dropped, because a lost hint does
/// no harm.
const MAX_TYPING_FRAMES: usize = 256;

/// A change of presence in a room.
#[derive(Clone, Debug)]
pub(crate) enum PresenceChange {
    /// A participant joined or left on this node, or was renamed.
    Local(i64),
    /// Another node has published its participants.
    Remote(i64),
    /// The participants that another node published before are outdated: that node is asked to publish them again.
    Outdated(i64),
    /// A participant on this node is typing. Carries the frame to send.
    Typing(i64, TextFrame),
    /// Other nodes may have missed published presence.
    Resync,
}

/// Changes that are not broadcast yet.
#[derive(Debug, Default)]
pub(crate) struct PresenceBatch {
    /// Rooms whose subscribers have to be updated, and the presence to publish to other nodes.
    pub(crate) rooms: HashMap<i64, PeerPresence>,
    pub(crate) typing: Vec<(i64, TextFrame)>,
    pub(crate) everything: bool,
}

/// Presence of a room that is published to other nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PeerPresence {
    /// Nothing, because the change came from another node.
    #[default]
    Nothing,
    /// The participants on this node.
    Participants,
    /// The participants on this node, and a request that other nodes publish theirs.
    WithRequest,
}

/// Cheap-to-clone queue of changes.
#[derive(Clone, Default)]
pub(crate) struct PresenceChanges(Arc<ChangeQueue>);

#[derive(Default)]
struct ChangeQueue {
    collected: Mutex<PresenceBatch>,
    changed: Notify,
}

impl PresenceChanges {
    pub(super) fn add(&self, change: PresenceChange) {
        {
            let mut collected = lock(&self.0.collected);
            let mut mark = |room, others: PeerPresence| {
                let marked = collected.rooms.entry(room).or_default();
                *marked = others.max(*marked);
            };
            match change {
                PresenceChange::Local(room) => mark(room, PeerPresence::Participants),
                PresenceChange::Remote(room) => mark(room, PeerPresence::Nothing),
                PresenceChange::Outdated(room) => mark(room, PeerPresence::WithRequest),
                PresenceChange::Typing(room, text) if collected.typing.len() < MAX_TYPING_FRAMES => {
                    collected.typing.push((room, text))
                }
                PresenceChange::Typing(..) => {}
                PresenceChange::Resync => collected.everything = true,
            }
        }
        self.0.changed.notify_one();
    }

    /// Waits until there is a change, and returns all pending changes. Cancel safe.
    pub(crate) async fn next(&self) -> PresenceBatch {
        loop {
            self.0.changed.notified().await;
            let collected = std::mem::take(&mut *lock(&self.0.collected));
            if collected.everything || !collected.rooms.is_empty() || !collected.typing.is_empty() {
                return collected;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn repeated_changes_are_published_once_and_to_all_who_need_them() {
        let changes = PresenceChanges::default();
        for room in 0..10_000 {
            changes.add(PresenceChange::Local(room % 3));
            changes.add(PresenceChange::Remote(room % 3));
            changes.add(PresenceChange::Typing(1, TextFrame::new("{}")));
        }
        changes.add(PresenceChange::Outdated(2));
        let collected = changes.next().await;
        let expected =
            [(0, PeerPresence::Participants), (1, PeerPresence::Participants), (2, PeerPresence::WithRequest)];
        assert_eq!(collected.rooms, HashMap::from(expected));
        assert_eq!((collected.typing.len(), collected.everything), (MAX_TYPING_FRAMES, false));
        changes.add(PresenceChange::Resync);
        assert!(changes.next().await.everything);
    }
}
