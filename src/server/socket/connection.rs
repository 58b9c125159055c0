//! One connection's life: greeted, then one loop that reads, delivers, answers and keeps time.

use super::clock::{BEAT, Clock, REPLAY_PACE, SILENCE, STUCK};
use super::goodbye::{Goodbye, ended};
use super::pending::{Answered, Pending};
use crate::domain::{Rejection, RejectionCode, Seq, Username};
use crate::protocol::{ClientFrame, MAX_REPLAY, ServerFrame, close};
use crate::server::Shared;
use crate::server::chat::{self, Wish, reset};
use crate::server::hub::Seat;
use crate::server::identity::Author;
use crate::server::network::Network;
use crate::server::websocket::{Received, Socket, TextFrame, Wire, ping};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::sync::Arc;
use std::time::Duration;
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
    seat: Seat,
    wire: Arc<Wire>,
    /// The name of its posts from here on. The seat shows it once a message is stored under it.
    username: Username,
    /// When it was last told that something is being written here.
    typed: Option<Instant>,
    pending: FuturesUnordered<Pending>,
    /// The newest event that is this connection's own, and is answered by its delivery.
    owed: Seq,
    clock: Clock,
}

impl Connection {
    pub(super) fn new(shared: Shared, sender: (Author, Network), seat: Seat, wire: Arc<Wire>) -> Self {
        let username = seat.participant().username.clone();
        let clock = Clock::new();
        let pending = FuturesUnordered::new();
        Self { shared, sender, seat, wire, username, typed: None, pending, owed: 0, clock }
    }

    /// Lives until the connection ends; what is said then is the caller's.
    pub(super) async fn run(&mut self, socket: &mut Socket) -> Goodbye {
        let draining = self.shared.draining.clone();
        let mut alarm = std::pin::pin!(sleep_until(self.clock.next()));
        let mut drained = std::pin::pin!(draining.cancelled());
        loop {
            if let Err(goodbye) = self.write().await {
                return goodbye;
            }
            if alarm.is_elapsed() || self.clock.next() < alarm.deadline() {
                alarm.as_mut().reset(self.clock.next());
            }
            let stuck = self.clock.stuck.is_some();
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
                // Read. Whoever does not take the answers is not asked for more.
                received = socket.receive(), if !stuck && self.pending.len() < UNACKNOWLEDGED => {
                    self.clock.heard = Instant::now();
                    match received {
                        Ok(Received::Text(text)) => {
                            // In a box: between two posts its room is not needed.
                            Box::pin(self.hear(&text, draining.is_cancelled())).await;
                            Ok(())
                        }
                        Ok(Received::Binary(_)) => Err((close::UNSUPPORTED, "frames are text here")),
                        Ok(Received::Sound) => Ok(()),
                        Err(end) => Err(ended(end)),
                    }
                }
            };
            if let Err(goodbye) = turn {
                return goodbye;
            }
        }
    }

    /// Writes whatever is ready, in as few writes as the socket takes it in.
    async fn write(&mut self) -> Result<(), Goodbye> {
        loop {
            // What the socket has not taken is enough to hold; the rest is pulled later.
            let unread = |_| (close::OVERLOADED, "the log cannot be read just now");
            let more = !self.wire.is_blocked() && self.seat.pull().await.map_err(unread)?;
            if !self.wire.flush().map_err(|_| (close::NORMAL, ""))? {
                self.clock.stuck.get_or_insert_with(Instant::now);
                return Ok(());
            }
            let was_stuck = self.clock.stuck.take().is_some();
            if was_stuck {
                // It was not listened to meanwhile, and lives.
                self.clock.heard = Instant::now();
            }
            if !more && !was_stuck {
                return Ok(());
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
        if self.pending.len() >= UNACKNOWLEDGED {
            // It is not listened to.
            self.clock.heard = now;
        }
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
                if after < self.seat.position() {
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
            Ok(stored) if stored.repeated && stored.event.seq <= self.seat.position() => self.say(stored.event.into()),
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
