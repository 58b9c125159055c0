//! One connection's life: greeted, then one loop that reads, delivers, answers and keeps time.

use super::allowance::{Allowance, Pace};
use super::clock::{BEAT, Clock, REPLAY_PACE, SILENCE, STUCK};
use super::goodbye::{Goodbye, ended};
use super::pending::{Answered, Pending};
use crate::domain::{Rejection, RejectionCode, Seq, Username};
use crate::protocol::{ClientFrame, MAX_REPLAY, ServerFrame, close};
use crate::server::Shared;
use crate::server::chat::{self, Wish, reset};
use crate::server::hub::{Pulled, Seat};
use crate::server::identity::Author;
use crate::server::network::Network;
use crate::server::websocket::{Received, Socket, TextFrame, Wire, ping};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, sleep_until};

/// How many posts of one connection wait for their commits; then it is not read from until some are answered.
const UNACKNOWLEDGED: usize = 128;

/// Others are told at most so often that something is being written.
const TYPING_PACE: Duration = Duration::from_secs(1);

/// Connections leave a stopping server one by one, within this time.
const DRAIN_SPREAD: Duration = Duration::from_secs(3);

/// How long one that leaves waits for what it still owes before it looks again, and in all: what is not stored by then
/// is sent again elsewhere.
const OWING: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(8);

pub(super) struct Connection {
    shared: Shared,
    /// Who sends, and from which network.
    sender: (Author, Network),
    pub(super) seat: Seat,
    pub(super) wire: Arc<Wire>,
    /// The name of its posts from here on. The seat shows it once a message is stored under it.
    username: Username,
    /// When it was last told that something is being written here.
    typed: Option<Instant>,
    pending: FuturesUnordered<Pending>,
    /// How much more of it is read.
    allowance: Allowance,
    /// Events that were sent before, and are sent again because their ids were.
    pub(super) again: Vec<Seq>,
    /// The newest event that is this connection's own, and is answered by its delivery.
    owed: Seq,
    pub(super) clock: Clock,
}

impl Connection {
    pub(super) fn new(shared: Shared, sender: (Author, Network), seat: Seat, wire: Arc<Wire>) -> Self {
        let username = seat.participant().username.clone();
        let clock = Clock::new();
        let (pending, allowance) = (FuturesUnordered::new(), Allowance::new());
        let (typed, again, owed) = (None, Vec::new(), 0);
        Self { shared, sender, seat, wire, username, typed, pending, allowance, again, owed, clock }
    }

    /// Lives until the connection ends; what is said then is the caller's.
    pub(super) async fn run(&mut self, socket: &mut Socket) -> Goodbye {
        let draining = self.shared.draining.clone();
        let mut alarm = std::pin::pin!(sleep_until(self.clock.next()));
        let mut drained = std::pin::pin!(draining.cancelled());
        loop {
            let left = match self.write() {
                Ok(left) => left,
                Err(goodbye) => return goodbye,
            };
            if alarm.is_elapsed() || self.clock.next() < alarm.deadline() {
                alarm.as_mut().reset(self.clock.next());
            }
            let stuck = self.clock.stuck.is_some();
            // Whoever does not take the answers is not asked for more.
            let listens = !stuck && self.pending.len() < UNACKNOWLEDGED && self.clock.paused.is_none();
            let turn = tokio::select! {
                biased;
                // Something is to be written that nobody else writes.
                () = self.wire.stirred() => self.stay(),
                _ = self.wire.writable(), if stuck => Ok(()),
                // Keep time.
                () = &mut alarm => self.keep_time(),
                // Leave, when the server is asked to stop: told at once, gone a little later.
                () = &mut drained, if self.clock.leaves.is_none() => {
                    let (now, within) = (Instant::now(), DRAIN_SPREAD.mul_f64(random()));
                    self.clock.leaves = Some((now + within, now + PATIENCE));
                    let reconnect_in_ms = (within + Duration::from_millis(500)).as_millis() as u32;
                    self.say(ServerFrame::Drain { reconnect_in_ms });
                    Ok(())
                }
                // Answer: what is not answered by the event itself.
                Some(answered) = self.pending.next() => {
                    self.answer(answered);
                    Ok(())
                }
                // Read out of the log what has left memory.
                read = Self::read(&self.seat, left) => self.take_read(left, read),
                // Listen.
                received = socket.receive(), if listens => {
                    let (now, pace) = (Instant::now(), self.pace());
                    self.clock.paused = self.allowance.spend(socket.take_usage(), pace, now);
                    if received != Ok(Received::Part) {
                        self.clock.heard = now;
                    }
                    match received {
                        Ok(Received::Text(text)) => {
                            // In a box: between two posts its room is not needed.
                            Box::pin(self.hear(&text, draining.is_cancelled())).await;
                            Ok(())
                        }
                        Ok(Received::Binary(_)) => Err((close::UNSUPPORTED, "frames are text here")),
                        Ok(Received::Sound | Received::Part) => Ok(()),
                        Err(end) => Err(ended(end)),
                    }
                }
                // Write what is left, which the socket takes; if it goes on like that, others are served in between.
                () = consume_budget(), if left == Pulled::Some => Ok(()),
            };
            if let Err(goodbye) = turn {
                return goodbye;
            }
        }
    }

    /// Whoever was banned or removed meanwhile has to go, and everybody out of a room that was deleted.
    fn stay(&self) -> Result<(), Goodbye> {
        match self.seat.expelled() {
            None => Ok(()),
            Some(close::BANNED) => Err((close::BANNED, "you are banned from this room for a while")),
            Some(close::RESTARTING) => Err((close::RESTARTING, "this room is looked up once more")),
            Some(close::DELETED) => Err((close::DELETED, "this room was deleted")),
            Some(code) => Err((code, "you were removed from this room")),
        }
    }

    fn keep_time(&mut self) -> Result<(), Goodbye> {
        let now = Instant::now();
        if self.pending.len() >= UNACKNOWLEDGED || self.clock.paused.is_some() {
            // It is not listened to.
            self.clock.heard = now;
        }
        self.clock.paused = self.clock.paused.filter(|until| *until > now);
        if self.clock.heard + SILENCE <= now {
            return Err((close::SILENT, "nothing was heard"));
        }
        if self.clock.stuck.is_some_and(|since| since + STUCK <= now) {
            return Err((close::TOO_SLOW, "nothing was read"));
        }
        if let Some((leaves, latest)) = self.clock.leaves.filter(|(leaves, _)| *leaves <= now) {
            let owes = !self.pending.is_empty() || self.owed > self.seat.position();
            if !owes || latest <= leaves {
                return Err((close::RESTARTING, "the server is restarting"));
            }
            self.clock.leaves = Some((now + OWING, latest));
        }
        self.replay();
        if self.clock.beat <= now {
            self.clock.beat = now + BEAT;
            self.say(ServerFrame::Heartbeat { head: self.seat.head() });
            self.wire.queue(ping());
        }
        Ok(())
    }

    /// Sends again what was asked for, once it is time.
    fn replay(&mut self) {
        let now = Instant::now();
        if self.clock.replays <= now
            && let Some(after) = self.clock.replay.take()
        {
            self.clock.replays = now + REPLAY_PACE;
            self.seat.rewind(after);
        }
    }

    fn pace(&self) -> Pace {
        Pace::new(self.shared.config.rates.as_ref())
    }

    fn say(&self, frame: ServerFrame) {
        self.wire.queue(TextFrame::new(&frame.encode()).bytes().clone());
    }

    /// Takes one frame, and says about it what can be said at once.
    async fn hear(&mut self, text: &str, draining: bool) {
        match ClientFrame::parse(text) {
            Ok(ClientFrame::Post { id, message, username }) => match self.name(username.as_deref()) {
                Ok(username) => self.submit(id, Wish::Post { username, message: &message }, draining).await,
                Err(rejection) => self.reject(id, rejection),
            },
            Ok(ClientFrame::Edit { id, target, text }) => {
                self.submit(id, Wish::Edit { target, text: &text }, draining).await
            }
            Ok(ClientFrame::Delete { id, target }) => self.submit(id, Wish::Delete { target }, draining).await,
            Ok(ClientFrame::Moderate { id, action, target, tag, seconds }) => {
                self.submit(id, Wish::Moderate { action, target, tag, seconds }, draining).await
            }
            Ok(ClientFrame::Sync { after }) => {
                let head = self.seat.head();
                if after > head || head - after > MAX_REPLAY {
                    return self.say(reset(&self.seat.room().epoch, head));
                }
                // A few bytes ask for much: those that come too fast are answered together.
                let position = self.seat.position();
                if after < position {
                    let events = (position - after).unsigned_abs();
                    let paused = self.allowance.spend_replay(events, self.pace(), Instant::now());
                    self.clock.paused = self.clock.paused.max(paused);
                    self.clock.replay = Some(self.clock.replay.map_or(after, |other| other.min(after)));
                    self.replay();
                }
            }
            Ok(ClientFrame::Typing) => {
                if self.typed.is_none_or(|typed| typed.elapsed() >= TYPING_PACE) {
                    self.typed = Some(Instant::now());
                    self.seat.type_something();
                }
            }
            Ok(ClientFrame::Heartbeat) => {}
            Err(bad) => self.reject(bad.id, bad.rejection),
        }
    }

    /// The name of a post: another one from now on, if one is given. A blank one is none, as in the forms.
    fn name(&mut self, username: Option<&str>) -> Result<Username, Rejection> {
        if let Some(username) = username.filter(|name| !name.trim().is_empty()) {
            self.username = Username::parse(username)?;
        }
        Ok(self.username.clone())
    }

    async fn submit(&mut self, id: Option<String>, wish: Wish<'_>, draining: bool) {
        if draining {
            return self.reject(id, chat::draining());
        }
        let username = match &wish {
            Wish::Post { username, .. } => Some(username.clone()),
            _ => None,
        };
        match self.shared.chat.submit(self.seat.room(), self.sender, id.as_deref(), wish).await {
            Ok(outcome) => self.pending.push(Pending { id, username, outcome }),
            Err(rejection) => self.reject(id, rejection),
        }
    }

    /// A new event answers for itself when it is delivered. One that was delivered before is sent again; one that is
    /// not stored is rejected.
    fn answer(&mut self, Answered { id, username, outcome }: Answered) {
        match outcome {
            Ok(stored) if stored.repeated && stored.event.seq <= self.seat.position() => {
                self.again.push(stored.event.seq);
            }
            Ok(stored) => {
                self.owed = self.owed.max(stored.event.seq);
                if let Some(username) = username.filter(|_| !stored.repeated) {
                    self.seat.rename(username);
                }
            }
            Err(rejection) => {
                // A name that is taken was not taken on.
                if rejection.code == RejectionCode::UsernameTaken && username.as_ref() == Some(&self.username) {
                    self.username = self.seat.participant().username.clone();
                }
                self.reject(id, rejection);
            }
        }
    }

    fn reject(&self, id: Option<String>, rejection: Rejection) {
        crate::server::metrics::refused(rejection.code);
        self.say(ServerFrame::Rejected { id, rejection });
    }
}

/// A number from 0 up to 1.
fn random() -> f64 {
    f64::from(uuid::Uuid::new_v4().as_u128() as u32) / f64::from(u32::MAX)
}
