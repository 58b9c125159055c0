//! One connection's life: greeted, then one loop that reads, delivers, answers and keeps time.

use super::wire::{Goodbye, ping, received, say, send};
use crate::domain::{Rejection, RejectionCode, Seq, Username};
use crate::protocol::{ClientFrame, HEARTBEAT_MS, MAX_REPLAY, SILENCE_MS, ServerFrame, close};
use crate::server::chat::{self, Chat, Wish, reset};
use crate::server::hub::{Seat, Subscription};
use crate::server::identity::Author;
use crate::server::journal::Outcome;
use crate::server::metrics;
use crate::server::store::Room;
use axum::extract::ws::WebSocket;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

/// How many frames go out in one write.
pub(super) const TURN: usize = 64;

/// How many posts of one connection wait for their commits; then it is not read from until some are answered.
const UNACKNOWLEDGED: usize = 128;

/// Others are told at most so often that something is being written.
const TYPING_PACE: Duration = Duration::from_secs(1);

const SILENCE: Duration = Duration::from_millis(SILENCE_MS as u64);

/// Connections leave a stopping server one by one, within this time.
const DRAIN_SPREAD: Duration = Duration::from_secs(3);

pub(super) struct Connection {
    chat: Chat,
    room: Room,
    author: Author,
    seat: Seat,
    /// The name of its posts from here on. The seat shows it once a message is stored under it.
    username: Username,
    /// When it was last told that something is being written here.
    typed: Option<Instant>,
    pending: FuturesUnordered<Pending>,
    /// The newest event that is this connection's own, and is answered by its delivery.
    owed: Seq,
}

impl Connection {
    pub(super) fn new(chat: Chat, room: Room, author: Author, seat: Seat) -> Self {
        let username = seat.participant().username.clone();
        Self { chat, room, author, seat, username, typed: None, pending: FuturesUnordered::new(), owed: 0 }
    }

    pub(super) async fn run(
        mut self,
        socket: &mut WebSocket,
        mut subscription: Subscription,
        greeting: Vec<ServerFrame>,
        draining: CancellationToken,
    ) -> Goodbye {
        if let Err(goodbye) = send(socket, greeting.iter().map(|frame| frame.encode().into()).collect()).await {
            return goodbye;
        }
        let mut heard = Instant::now();
        let mut beat = interval(Duration::from_millis(HEARTBEAT_MS.into()));
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beat.reset();
        let mut leaving: Option<Instant> = None;
        loop {
            let turn = tokio::select! {
                // Deliver: every frame that is ready, in one write.
                frames = subscription.next(TURN) => match frames {
                    Ok(frames) => send(socket, frames).await.inspect(|()| subscription.written()),
                    Err(_) => Err((close::OVERLOADED, "the log cannot be read just now")),
                },
                // Answer: what is not answered by the event itself.
                Some(answered) = self.pending.next() => match self.answer(answered, subscription.position()) {
                    Some(frame) => say(socket, frame).await,
                    None => Ok(()),
                },
                // Read.
                frame = socket.recv(), if self.pending.len() < UNACKNOWLEDGED => {
                    heard = Instant::now();
                    match received(frame) {
                        Ok(Some(text)) => match self.hear(&text, &mut subscription, draining.is_cancelled()).await {
                            Some(frame) => say(socket, frame).await,
                            None => Ok(()),
                        },
                        Ok(None) => Ok(()),
                        Err(goodbye) => Err(goodbye),
                    }
                }
                // Show who is here and who writes.
                hint = self.seat.next() => send(socket, vec![hint]).await,
                // Keep time.
                _ = beat.tick() => {
                    let head = ServerFrame::Heartbeat { head: subscription.head() };
                    match say(socket, head).await {
                        Ok(()) => ping(socket).await,
                        Err(goodbye) => Err(goodbye),
                    }
                }
                () = sleep_until(heard + SILENCE) => Err((close::SILENT, "nothing was heard")),
                // Leave, when the server is asked to stop: told at once, gone a little later.
                _ = draining.cancelled(), if leaving.is_none() => {
                    let within = DRAIN_SPREAD.mul_f64(random());
                    leaving = Some(Instant::now() + within);
                    let reconnect_in_ms = (within + Duration::from_millis(500)).as_millis() as u32;
                    say(socket, ServerFrame::Drain { reconnect_in_ms }).await
                }
                _ = sleep_until(leaving.unwrap_or_else(Instant::now)), if leaving.is_some() && self.pending.is_empty() && self.owed <= subscription.position() => {
                    Err((close::RESTARTING, "the server is restarting"))
                }
            };
            if let Err(goodbye) = turn {
                return goodbye;
            }
        }
    }

    /// Takes one frame; returns what can be said about it at once.
    async fn hear(&mut self, text: &str, subscription: &mut Subscription, draining: bool) -> Option<ServerFrame> {
        match ClientFrame::parse(text) {
            Ok(ClientFrame::Post { id, message, username }) => match self.name(username.as_deref()) {
                Ok(username) => self.submit(id, Wish::Post { username, message: &message }, draining).await,
                Err(rejection) => Some(rejected(id, rejection)),
            },
            Ok(ClientFrame::Edit { id, target, text }) => {
                self.submit(id, Wish::Edit { target, text: &text }, draining).await
            }
            Ok(ClientFrame::Delete { id, target }) => self.submit(id, Wish::Delete { target }, draining).await,
            Ok(ClientFrame::Sync { after }) => {
                let head = subscription.head();
                if after > head || head - after > MAX_REPLAY {
                    return Some(reset(&self.room.epoch, head));
                }
                subscription.rewind(after);
                None
            }
            Ok(ClientFrame::Typing) => {
                if self.typed.is_none_or(|typed| typed.elapsed() >= TYPING_PACE) {
                    self.typed = Some(Instant::now());
                    self.seat.type_something();
                }
                None
            }
            Ok(ClientFrame::Heartbeat) => None,
            Err(bad) => Some(rejected(bad.id, bad.rejection)),
        }
    }

    /// The name of a post: another one from now on, if one is given. A blank one is none, as in the forms.
    fn name(&mut self, username: Option<&str>) -> Result<Username, Rejection> {
        if let Some(username) = username.filter(|name| !name.trim().is_empty()) {
            self.username = Username::parse(username)?;
        }
        Ok(self.username.clone())
    }

    async fn submit(&mut self, id: Option<String>, wish: Wish<'_>, draining: bool) -> Option<ServerFrame> {
        if draining {
            return Some(rejected(id, chat::draining()));
        }
        let username = match &wish {
            Wish::Post { username, .. } => Some(username.clone()),
            _ => None,
        };
        match self.chat.submit(&self.room, self.author, id.as_deref(), wish).await {
            Ok(outcome) => {
                self.pending.push(Pending { id, username, outcome });
                None
            }
            Err(rejection) => Some(rejected(id, rejection)),
        }
    }

    /// A new event answers for itself when it is delivered. One that was delivered before is sent again; one that is
    /// not stored is rejected.
    fn answer(&mut self, Answered { id, username, outcome }: Answered, position: Seq) -> Option<ServerFrame> {
        match outcome {
            Ok(stored) if stored.repeated && stored.event.seq <= position => Some(stored.event.into()),
            Ok(stored) => {
                self.owed = self.owed.max(stored.event.seq);
                if let Some(username) = username.filter(|_| !stored.repeated) {
                    self.seat.rename(username);
                }
                None
            }
            Err(rejection) => {
                // A name that is taken was not taken on.
                if rejection.code == RejectionCode::UsernameTaken && username.as_ref() == Some(&self.username) {
                    self.username = self.seat.participant().username.clone();
                }
                Some(rejected(id, rejection))
            }
        }
    }
}

/// A post whose outcome is not known yet.
struct Pending {
    id: Option<String>,
    username: Option<Username>,
    outcome: oneshot::Receiver<Outcome>,
}

/// A post whose outcome is known.
struct Answered {
    id: Option<String>,
    username: Option<Username>,
    outcome: Outcome,
}

impl Future for Pending {
    type Output = Answered;

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Answered> {
        let outcome = std::task::ready!(std::pin::Pin::new(&mut self.outcome).poll(context));
        let outcome = outcome.unwrap_or_else(|_| Err(chat::draining()));
        std::task::Poll::Ready(Answered { id: self.id.take(), username: self.username.take(), outcome })
    }
}

fn rejected(id: Option<String>, rejection: Rejection) -> ServerFrame {
    metrics::refused(rejection.code);
    ServerFrame::Rejected { id, rejection }
}

/// A number from 0 up to 1.
fn random() -> f64 {
    f64::from(uuid::Uuid::new_v4().as_u128() as u32) / f64::from(u32::MAX)
}
