//! Knows which nodes are heard, and makes up for those that are not.

use super::{Bell, Heard, RelayState, Rung};
use crate::domain::Seq;
use crate::server::hub::{Change, Frame, Hub};
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

/// How often rooms are compared with the database: a node that is heard no more may go on writing.
const CHECK: Duration = Duration::from_secs(1);

/// Knows which nodes are heard, and compares the rooms with the database: now and then, and at once when a node falls
/// silent or is heard again, and when this one has not listened for a moment.
pub(super) struct Watch {
    hub: Hub,
    state: watch::Sender<RelayState>,
    bells: mpsc::Sender<Bell>,
    node: Uuid,
    /// When each node was last heard; this one is known from the beginning.
    nodes: HashMap<Uuid, Instant>,
    /// The last bell of each node that was ever heard; not forgotten, so that a node which has gone stays gone.
    last: HashMap<Uuid, u64>,
    checked: Instant,
}

impl Watch {
    pub(super) fn new(node: Uuid, hub: Hub, state: watch::Sender<RelayState>, bells: mpsc::Sender<Bell>) -> Self {
        let now = Instant::now();
        let long_ago = now.checked_sub(SILENCE * 2).unwrap_or(now);
        let nodes = HashMap::from([(node, long_ago)]);
        Self { hub, state, bells, node, nodes, last: HashMap::new(), checked: now }
    }

    pub(super) async fn run(mut self, mut heard: mpsc::Receiver<Heard>) {
        let mut beat = tokio::time::interval(BEAT);
        loop {
            tokio::select! {
                something = heard.recv() => match something {
                    Some(Heard::Rung(rung)) => self.hear(rung).await,
                    Some(Heard::Nothing) => self.make_up().await,
                    None => return,
                },
                _ = beat.tick() => {
                    let _ = self.bells.try_send(Bell::Beat);
                    self.judge().await;
                }
            }
        }
    }

    async fn hear(&mut self, Rung { node, number, bell }: Rung) {
        // Events have numbers of their own, and come to nothing when they are told again. All else counts once.
        if !matches!(bell, Bell::Room { .. }) && number <= self.last.get(&node).copied().unwrap_or_default() {
            return;
        }
        let last = self.last.entry(node).or_default();
        *last = number.max(*last);
        match bell {
            Bell::Room { room, last, frames, .. } => self.room(room, last, &frames),
            Bell::All => self.check().await,
            Bell::Beat => drop(self.nodes.insert(node, Instant::now())),
            Bell::Presence { .. } | Bell::Typing { .. } if node == self.node => {}
            Bell::Presence { room, present, asks } => {
                self.hub.hear(node, room, present);
                if asks {
                    self.hub.changed(Change::Here(room));
                }
            }
            Bell::Typing { room, text } => self.hub.hear_typing(room, &text),
        }
    }

    fn room(&self, room: i64, last: Seq, frames: &[String]) {
        // A newer version may have written what this one cannot read.
        match frames.iter().map(|text| Frame::parse(text)).collect::<Option<Vec<Frame>>>() {
            Some(frames) if !frames.is_empty() => self.hub.publish(room, frames),
            _ => self.hub.want(room, last),
        }
    }

    async fn judge(&mut self) {
        self.nodes.retain(|node, heard| *node == self.node || heard.elapsed() < GONE);
        let silent = self.nodes.values().any(|heard| heard.elapsed() > SILENCE);
        let now = if silent { RelayState::Degraded } else { RelayState::Ok };
        let before = self.state.send_replace(now);
        if now != before {
            tracing::info!(state = ?now, "relay");
            self.make_up().await;
        } else if self.checked.elapsed() >= CHECK {
            self.check().await;
        }
    }

    /// Anything may have been missed.
    async fn make_up(&mut self) {
        self.hub.changed(Change::Everything);
        self.check().await;
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
