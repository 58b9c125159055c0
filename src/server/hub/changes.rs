//! Changes of who is in a room, collected until they are told. Bounded by the number of rooms: what changes again
//! before it was told is told once.

use super::lock;
use crate::server::websocket::TextFrame;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// Maximum number of typing hints that wait to be told to other nodes. More are dropped: they are hints.
const TYPING: usize = 256;

/// A change of who is in a room.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A participant came to this node, went, or has another name.
    Here(i64),
    /// Another node has told who is there.
    Elsewhere(i64),
    /// What another node told of its participants is not what it has now: it is to tell them again.
    Outdated(i64),
    /// A participant on this node is writing; this is the frame that says so.
    Typing(i64, TextFrame),
    /// Other nodes may have missed what was told.
    Everything,
}

/// Changes that were not told yet.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    /// Rooms whose connections are to be told.
    pub(crate) rooms: HashMap<i64, Others>,
    pub(crate) typing: Vec<(i64, TextFrame)>,
    pub(crate) everything: bool,
}

/// What other nodes are to be told of a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Others {
    /// Nothing: the change came from them.
    #[default]
    Nothing,
    /// Who is here.
    Told,
    /// Who is here, and that they are to tell the same.
    Asked,
}

/// A cheap-to-clone collection of changes.
#[derive(Clone, Default)]
pub(crate) struct Changes(Arc<Parts>);

#[derive(Default)]
struct Parts {
    collected: Mutex<Collected>,
    changed: Notify,
}

impl Changes {
    pub(super) fn add(&self, change: Change) {
        {
            let mut collected = lock(&self.0.collected);
            let mut mark = |room, others: Others| {
                let marked = collected.rooms.entry(room).or_default();
                *marked = others.max(*marked);
            };
            match change {
                Change::Here(room) => mark(room, Others::Told),
                Change::Elsewhere(room) => mark(room, Others::Nothing),
                Change::Outdated(room) => mark(room, Others::Asked),
                Change::Typing(room, text) if collected.typing.len() < TYPING => collected.typing.push((room, text)),
                Change::Typing(..) => {}
                Change::Everything => collected.everything = true,
            }
        }
        self.0.changed.notify_one();
    }

    /// Waits until there is a change, and returns all there are. Cancel safe.
    pub(crate) async fn next(&self) -> Collected {
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
    async fn what_changes_again_before_it_was_told_is_told_once_and_to_all_who_need_it() {
        let changes = Changes::default();
        for room in 0..10_000 {
            changes.add(Change::Here(room % 3));
            changes.add(Change::Elsewhere(room % 3));
            changes.add(Change::Typing(1, TextFrame::new("{}")));
        }
        changes.add(Change::Outdated(2));
        let collected = changes.next().await;
        let expected = [(0, Others::Told), (1, Others::Told), (2, Others::Asked)];
        assert_eq!(collected.rooms, HashMap::from(expected));
        assert_eq!((collected.typing.len(), collected.everything), (TYPING, false));
        changes.add(Change::Everything);
        assert!(changes.next().await.everything);
    }
}
