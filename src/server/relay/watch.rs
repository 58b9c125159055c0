//! Knows which nodes are heard, and makes up for those that are not.

use super::{Bell, RelayState};
use crate::domain::Seq;
use crate::server::hub::{Change, Frame, Hub};
use crate::server::websocket::TextFrame;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

/// Each node's beat, and the silence after which the relay counts as degraded.
const BEAT: Duration = Duration::from_millis(300);
const SILENCE: Duration = Duration::from_millis(1000);

/// A node that was not heard for so long has gone.
const GONE: Duration = Duration::from_secs(10);

/// What a node has told of a room counts for so long, if it does not tell it again.
const PRESENCE: Duration = Duration::from_secs(30);

/// How often rooms are compared with the database: while all is well, and while it is not.
const CHECK: Duration = Duration::from_secs(5);
const CHECK_DEGRADED: Duration = Duration::from_secs(1);

/// Knows which nodes are heard, and compares the rooms with the database: now and then while all are, often while
/// one is not, and at once when that changes.
pub(super) struct Watch {
    hub: Hub,
    state: watch::Sender<RelayState>,
    bells: mpsc::Sender<Bell>,
    node: Uuid,
    /// When each node was last heard; this one is known from the beginning.
    nodes: HashMap<Uuid, Instant>,
    checked: Instant,
}

impl Watch {
    pub(super) fn new(node: Uuid, hub: Hub, state: watch::Sender<RelayState>, bells: mpsc::Sender<Bell>) -> Self {
        let now = Instant::now();
        let long_ago = now.checked_sub(SILENCE * 2).unwrap_or(now);
        Self { hub, state, bells, node, nodes: HashMap::from([(node, long_ago)]), checked: now }
    }

    pub(super) async fn run(mut self, mut heard: mpsc::Receiver<Bell>) {
        let mut beat = tokio::time::interval(BEAT);
        loop {
            tokio::select! {
                bell = heard.recv() => match bell {
                    Some(Bell::Room { room, first, last, frames }) => self.room(room, first, last, frames),
                    Some(Bell::All) => self.check().await,
                    Some(Bell::Beat(node)) => {
                        self.nodes.insert(node, Instant::now());
                    }
                    Some(Bell::Presence { node, room, present, asks }) if node != self.node => {
                        self.hub.hear(node, room, present);
                        if asks {
                            self.hub.changed(Change::Here(room));
                        }
                    }
                    Some(Bell::Typing { node, room, text }) if node != self.node => {
                        self.hub.hear_typing(room, &text);
                    }
                    Some(Bell::Presence { .. } | Bell::Typing { .. }) => {}
                    None => return,
                },
                _ = beat.tick() => {
                    let _ = self.bells.try_send(Bell::Beat(self.node));
                    self.judge().await;
                }
            }
        }
    }

    fn room(&self, room: i64, first: Seq, last: Seq, frames: Vec<(String, bool)>) {
        if frames.is_empty() {
            return self.hub.want(room, last);
        }
        let frames = frames.into_iter().map(|(text, deletion)| Frame { text: TextFrame::new(&text), deletion });
        self.hub.publish(room, first, frames.collect());
    }

    async fn judge(&mut self) {
        self.nodes.retain(|node, heard| *node == self.node || heard.elapsed() < GONE);
        let silent = self.nodes.values().any(|heard| heard.elapsed() > SILENCE);
        let now = if silent { RelayState::Degraded } else { RelayState::Ok };
        let before = self.state.send_replace(now);
        let due = if silent { CHECK_DEGRADED } else { CHECK };
        if now != before {
            tracing::info!(state = ?now, "relay");
            self.hub.changed(Change::Everything);
        }
        if now != before || self.checked.elapsed() >= due {
            self.check().await;
        }
    }

    async fn check(&mut self) {
        self.checked = Instant::now();
        let nodes: Vec<Uuid> = self.nodes.keys().copied().collect();
        self.hub.keep(&nodes, PRESENCE);
        if let Err(error) = self.hub.check().await {
            tracing::warn!(%error, "the rooms cannot be compared with the database just now");
        }
    }
}
