//! The doorbell between nodes, over Redis: "room 7 has events 41 to 43, and here they are". Nothing depends on it but
//! speed: every node asks the database every second, too, and at once when it may have missed something.

mod line;
mod seal;
mod watch;

use super::hub::{Frame, Hub, Present};
use crate::domain::Seq;
use seal::Seal;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch as state};
use tokio::task::JoinSet;
use uuid::Uuid;
use watch::Watch;

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
    /// Somebody is not heard; what they write is found in the database, within a second.
    Degraded,
}

/// What goes over Redis: by which node it was rung, and as its how manieth bell. So none is believed twice.
#[derive(Debug, Serialize, Deserialize)]
struct Rung {
    node: Uuid,
    number: u64,
    bell: Bell,
}

/// What the listening line brings.
enum Heard {
    Rung(Rung),
    /// It was silent until now: bells may have gone by.
    Nothing,
}

/// What a node tells the others.
#[derive(Debug, Serialize, Deserialize)]
enum Bell {
    /// Events `first` to `last` are in the log; `frames` may be left out.
    Room { room: i64, first: Seq, last: Seq, frames: Vec<String> },
    /// Doorbells were lost: look at every room.
    All,
    /// The node is there.
    Beat,
    /// Who is in a room on this node; `asks` for the same from the others.
    Presence { room: i64, present: Present, asks: bool },
    /// Somebody in a room is writing; the frame that says so.
    Typing { room: i64, text: String },
}

impl Bell {
    /// The room it is about.
    fn room(&self) -> Option<i64> {
        match self {
            Self::Room { room, .. } | Self::Presence { room, .. } | Self::Typing { room, .. } => Some(*room),
            Self::All | Self::Beat => None,
        }
    }
}

/// A cheap-to-clone handle to ring with.
#[derive(Clone)]
pub(crate) struct Relay {
    bells: Option<mpsc::Sender<Bell>>,
    state: state::Receiver<RelayState>,
}

impl Relay {
    /// One node, no Redis.
    pub(crate) fn none() -> Self {
        Self { bells: None, state: state::Sender::new(RelayState::None).subscribe() }
    }

    /// Starts to ring and to listen at `url`. `secret` is the site's: what was not signed with it is not believed,
    /// and sites that share a Redis do not hear each other.
    pub(crate) fn start(url: &str, secret: &[u8], hub: Hub, tasks: &mut JoinSet<()>) -> redis::RedisResult<Self> {
        let client = redis::Client::open(url)?;
        let seal = Seal::new(secret);
        let (state, watched) = state::channel(RelayState::Degraded);
        let (bells, waiting) = mpsc::channel(QUEUE);
        let (heard, hears) = mpsc::channel(QUEUE);
        let node = Uuid::new_v4();
        tasks.spawn(line::ring_for_ever(client.clone(), seal.clone(), node, waiting));
        tasks.spawn(line::listen_for_ever(client, seal, heard));
        tasks.spawn(Watch::new(node, hub, state, bells.clone()).run(hears));
        Ok(Self { bells: Some(bells), state: watched })
    }

    /// Reaches Redis.
    pub(crate) async fn check(url: &str) -> redis::RedisResult<()> {
        redis::cmd("PING").exec_async(&mut line::connect(&redis::Client::open(url)?).await?).await
    }

    /// Has every node look at its rooms now. For a command, which is no node and stays no longer than this.
    pub(crate) async fn call(url: &str, secret: &[u8]) -> redis::RedisResult<()> {
        let seal = Seal::new(secret);
        let rung = Rung { node: Uuid::new_v4(), number: 1, bell: Bell::All };
        let mut connection = line::connect(&redis::Client::open(url)?).await?;
        redis::cmd("PUBLISH").arg(seal.channel(0)).arg(seal.close(&rung)).exec_async(&mut connection).await
    }

    /// Whether there may be other nodes.
    pub(crate) fn is_there(&self) -> bool {
        self.bells.is_some()
    }

    /// Tells the other nodes of new events up to `last`: these, or what the database has. Never waits: what cannot be
    /// told now is found in the database.
    pub(crate) fn ring(&self, room: i64, last: Seq, frames: &[Frame]) {
        let Some(bells) = &self.bells else { return };
        let first = last + 1 - frames.len() as Seq;
        let fits = frames.iter().map(Frame::len).sum::<usize>() <= PAYLOAD;
        let frames = if fits { frames } else { &[] };
        let frames = frames.iter().map(|frame| frame.text().to_owned()).collect();
        let _ = bells.try_send(Bell::Room { room, first, last, frames });
    }

    /// Tells the other nodes who is in a room on this one, and perhaps asks them the same.
    pub(crate) fn tell_presence(&self, room: i64, present: Present, asks: bool) {
        let Some(bells) = &self.bells else { return };
        let _ = bells.try_send(Bell::Presence { room, present, asks });
    }

    /// Tells the other nodes that somebody is writing.
    pub(crate) fn tell_typing(&self, room: i64, text: &str) {
        let Some(bells) = &self.bells else { return };
        let _ = bells.try_send(Bell::Typing { room, text: text.to_owned() });
    }

    /// How many doorbells wait to be rung.
    pub(crate) fn waiting(&self) -> usize {
        self.bells.as_ref().map_or(0, |bells| bells.max_capacity() - bells.capacity())
    }

    /// How the relay is just now.
    pub(crate) fn state(&self) -> RelayState {
        *self.state.borrow()
    }
}
