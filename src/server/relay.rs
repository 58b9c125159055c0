//! The doorbell between nodes, over Redis: "room 7 has events 41 to 43, and here they are". Nothing depends on it but
//! speed. Every node listens for its own beat; while it does not hear it, it asks the database every second instead.

use super::hub::{Frame, Hub};
use crate::domain::Seq;
use futures_util::StreamExt;
use hmac::{Hmac, KeyInit, Mac};
use redis::aio::MultiplexedConnection;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Channels are numbered, so that nothing a visitor types names one.
const SHARDS: i64 = 16;

/// Each node's beat, and the silence after which the relay counts as degraded.
const BEAT: Duration = Duration::from_millis(300);
const SILENCE: Duration = Duration::from_millis(1000);

/// A node that was not heard for so long has gone.
const GONE: Duration = Duration::from_secs(20);

/// How often rooms are compared with the database: while all is well, and while it is not.
const CHECK: Duration = Duration::from_secs(5);
const CHECK_DEGRADED: Duration = Duration::from_secs(1);

/// A connection that brings nothing for so long is given up; how long to wait before the next.
const DEAF: Duration = Duration::from_secs(3);
const RECONNECT: Duration = Duration::from_millis(250);

/// What Redis is given to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// Doorbells that wait to be rung, and the bytes of frames that one of them carries at most.
const QUEUE: usize = 1024;
const PAYLOAD: usize = 64 << 10;

/// How the relay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RelayState {
    /// There is no Redis: one node.
    None,
    /// Every known node is heard.
    Ok,
    /// Somebody is not heard; the database is asked every second.
    Degraded,
}

/// What goes over Redis.
#[derive(Debug, Serialize, Deserialize)]
enum Bell {
    /// Events `first` to `last` are in the log; `frames` may be left out.
    Room { room: i64, first: Seq, last: Seq, frames: Vec<(String, bool)> },
    /// Doorbells were lost: look at every room.
    All,
    /// A node is there.
    Beat(Uuid),
}

/// A cheap-to-clone handle to ring with.
#[derive(Clone)]
pub(crate) struct Relay {
    bells: Option<mpsc::Sender<Bell>>,
    state: watch::Receiver<RelayState>,
}

impl Relay {
    /// One node, no Redis.
    pub(crate) fn none() -> Self {
        Self { bells: None, state: watch::Sender::new(RelayState::None).subscribe() }
    }

    /// Starts to ring and to listen at `url`. `secret` is the site's: what was not signed with it is not believed,
    /// and sites that share a Redis do not hear each other.
    pub(crate) fn start(url: &str, secret: &[u8], hub: Hub, tasks: &mut JoinSet<()>) -> redis::RedisResult<Self> {
        let client = redis::Client::open(url)?;
        let seal = Seal::new(secret);
        let (state, watched) = watch::channel(RelayState::Degraded);
        let (bells, waiting) = mpsc::channel(QUEUE);
        let (heard, hears) = mpsc::channel(QUEUE);
        tasks.spawn(ring_for_ever(client.clone(), seal.clone(), waiting));
        tasks.spawn(listen_for_ever(client, seal, heard));
        tasks.spawn(Watch::new(hub, state, bells.clone()).run(hears));
        Ok(Self { bells: Some(bells), state: watched })
    }

    /// Tells the other nodes. Never waits: what cannot be told now is found in the database.
    pub(crate) fn ring(&self, room: i64, first: Seq, frames: &[Frame]) {
        let Some(bells) = &self.bells else { return };
        let last = first + frames.len() as Seq - 1;
        let fits = frames.iter().map(|frame| frame.text.len()).sum::<usize>() <= PAYLOAD;
        let frames = if fits { frames } else { &[] };
        let frames = frames.iter().map(|frame| (frame.text.to_string(), frame.deletion)).collect();
        let _ = bells.try_send(Bell::Room { room, first, last, frames });
    }

    /// How the relay is just now.
    pub(crate) fn state(&self) -> RelayState {
        *self.state.borrow()
    }
}

/// Signs and names what goes over Redis.
#[derive(Clone)]
struct Seal {
    key: Hmac<Sha256>,
    prefix: String,
}

impl Seal {
    fn new(secret: &[u8]) -> Self {
        let key = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
        let name = key.clone().chain_update(b"channels").finalize().into_bytes();
        Self { key, prefix: format!("parlour:{:02x}{:02x}{:02x}{:02x}", name[0], name[1], name[2], name[3]) }
    }

    fn channels(&self) -> Vec<String> {
        (0..SHARDS).map(|shard| self.channel(shard)).collect()
    }

    fn channel(&self, shard: i64) -> String {
        format!("{}:{shard}", self.prefix)
    }

    fn close(&self, bell: &Bell) -> Vec<u8> {
        let json = serde_json::to_vec(bell).expect("a bell is plain data");
        let mut sealed = self.key.clone().chain_update(&json).finalize().into_bytes()[..16].to_vec();
        sealed.extend(json);
        sealed
    }

    fn open(&self, sealed: &[u8]) -> Option<Bell> {
        let (signature, json) = sealed.split_at_checked(16)?;
        self.key.clone().chain_update(json).verify_truncated_left(signature).ok()?;
        serde_json::from_slice(json).ok()
    }
}

/// Publishes what waits, all of it in one round trip.
async fn ring_for_ever(client: redis::Client, seal: Seal, mut bells: mpsc::Receiver<Bell>) {
    let mut connection: Option<MultiplexedConnection> = None;
    let mut waiting = Vec::new();
    let mut lost = false;
    while bells.recv_many(&mut waiting, QUEUE).await > 0 {
        lost |= waiting.len() == QUEUE;
        if lost {
            waiting.push(Bell::All);
        }
        let mut pipeline = redis::pipe();
        for bell in waiting.drain(..) {
            let shard = if let Bell::Room { room, .. } = bell { room.rem_euclid(SHARDS) } else { 0 };
            pipeline.publish(seal.channel(shard), seal.close(&bell)).ignore();
        }
        if connection.is_none() {
            connection = connect(&client).await;
        }
        let rung = match &mut connection {
            Some(connection) => pipeline.query_async::<()>(connection).await.is_ok(),
            None => false,
        };
        lost = !rung;
        if !rung {
            connection = None;
        }
    }
}

async fn connect(client: &redis::Client) -> Option<MultiplexedConnection> {
    let config =
        redis::AsyncConnectionConfig::new().set_connection_timeout(Some(ANSWER)).set_response_timeout(Some(ANSWER));
    client.get_multiplexed_async_connection_with_config(&config).await.ok()
}

/// Passes on what is heard; a connection that falls silent is replaced.
async fn listen_for_ever(client: redis::Client, seal: Seal, heard: mpsc::Sender<Bell>) {
    loop {
        if let Err(error) = listen(&client, &seal, &heard).await {
            tracing::warn!(%error, "the relay is not heard");
        }
        if heard.is_closed() {
            return;
        }
        tokio::time::sleep(RECONNECT).await;
    }
}

async fn listen(client: &redis::Client, seal: &Seal, heard: &mpsc::Sender<Bell>) -> Result<(), Silence> {
    let subscribe = async {
        let mut connection = client.get_async_pubsub().await?;
        connection.subscribe(seal.channels()).await?;
        redis::RedisResult::Ok(connection)
    };
    let mut messages = tokio::time::timeout(ANSWER, subscribe).await??.into_on_message();
    loop {
        let Some(message) = tokio::time::timeout(DEAF, messages.next()).await? else { return Err(Silence::Closed) };
        if let Some(bell) = seal.open(message.get_payload_bytes())
            && heard.send(bell).await.is_err()
        {
            return Ok(());
        }
    }
}

/// Why nothing is heard.
#[derive(Debug, thiserror::Error)]
enum Silence {
    #[error("Redis does not answer")]
    Deaf(#[from] tokio::time::error::Elapsed),
    #[error("Redis closed the connection")]
    Closed,
    #[error("{0}")]
    Redis(#[from] redis::RedisError),
}

/// Knows which nodes are heard, and compares the rooms with the database: now and then while all are, often while
/// one is not, and at once when that changes.
struct Watch {
    hub: Hub,
    state: watch::Sender<RelayState>,
    bells: mpsc::Sender<Bell>,
    node: Uuid,
    /// When each node was last heard; this one is known from the beginning.
    nodes: HashMap<Uuid, Instant>,
    checked: Instant,
}

impl Watch {
    fn new(hub: Hub, state: watch::Sender<RelayState>, bells: mpsc::Sender<Bell>) -> Self {
        let node = Uuid::new_v4();
        let now = Instant::now();
        let long_ago = now.checked_sub(SILENCE * 2).unwrap_or(now);
        Self { hub, state, bells, node, nodes: HashMap::from([(node, long_ago)]), checked: now }
    }

    async fn run(mut self, mut heard: mpsc::Receiver<Bell>) {
        let mut beat = tokio::time::interval(BEAT);
        loop {
            tokio::select! {
                bell = heard.recv() => match bell {
                    Some(Bell::Room { room, first, last, frames }) => self.room(room, first, last, frames),
                    Some(Bell::All) => self.check().await,
                    Some(Bell::Beat(node)) => {
                        self.nodes.insert(node, Instant::now());
                    }
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
        let frames = frames.into_iter().map(|(text, deletion)| Frame { text: text.into(), deletion });
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
        }
        if now != before || self.checked.elapsed() >= due {
            self.check().await;
        }
    }

    async fn check(&mut self) {
        self.checked = Instant::now();
        if let Err(error) = self.hub.check().await {
            tracing::warn!(%error, "the rooms cannot be compared with the database just now");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_survives_the_way_and_only_from_this_site() {
        let bell = Bell::Room { room: 7, first: 41, last: 41, frames: vec![("{}".into(), false)] };
        let sealed = Seal::new(b"secret").close(&bell);
        assert!(matches!(Seal::new(b"secret").open(&sealed), Some(Bell::Room { room: 7, first: 41, .. })));
        assert!(Seal::new(b"another").open(&sealed).is_none());
        let mut forged = sealed.clone();
        *forged.last_mut().unwrap() ^= 1;
        assert!(Seal::new(b"secret").open(&forged).is_none());
        assert!(Seal::new(b"secret").open(b"short").is_none());
    }

    #[test]
    fn sites_do_not_share_channels() {
        assert_ne!(Seal::new(b"one").channel(0), Seal::new(b"two").channel(0));
    }
}
