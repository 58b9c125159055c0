//! One connection's life: greeted, then one loop that reads, delivers, answers and keeps time.

use super::chat::{Chat, Joined, Resume, Wish, draining, reset};
use super::identity::Author;
use super::journal::Outcome;
use super::store::Room;
use super::{Shared, origin};
use crate::domain::{Rejection, RoomName, Seq, Username};
use crate::protocol::{ClientFrame, HEARTBEAT_MS, MAX_FRAME_BYTES, SILENCE_MS, ServerFrame, close};
use axum::extract::ws::{
    CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection,
};
use axum::extract::{Extension, Path, Query, State, rejection::QueryRejection};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream::FuturesUnordered;
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

/// Bytes that a connection holds while it reads, and before it writes.
const READ_BUFFER: usize = 4 << 10;
const WRITE_BUFFER: usize = 16 << 10;

/// How many frames go out in one write.
const TURN: usize = 64;

/// How many posts of one connection wait for their commits; then it is not read from until some are answered.
const UNACKNOWLEDGED: usize = 128;

/// A reader that takes nothing for so long is disconnected.
const STUCK: Duration = Duration::from_secs(30);

/// Connections leave a stopping server one by one, within this time.
const DRAIN_SPREAD: Duration = Duration::from_secs(3);

/// What the address may say; whatever does not parse counts as not said.
#[derive(Default, Deserialize)]
pub(crate) struct SocketQuery {
    after: Option<String>,
    epoch: Option<String>,
    username: Option<String>,
}

/// `GET /ws/{room_name}/`.
pub(crate) async fn upgrade(
    State(shared): State<Shared>,
    Path(room_name): Path<String>,
    query: Result<Query<SocketQuery>, QueryRejection>,
    author: Option<Extension<Author>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let room_name = match RoomName::parse(&room_name) {
        Ok(room_name) => room_name,
        Err(reason) => return (StatusCode::NOT_FOUND, reason.to_string()).into_response(),
    };
    let own = origin::is_own(&headers, shared.config.public_url.as_deref());
    if own.unwrap_or(author.is_none()) {
        let upgrade = match upgrade {
            Ok(upgrade) => upgrade,
            Err(rejection) => return rejection.into_response(),
        };
        if shared.draining.is_cancelled() {
            return (StatusCode::SERVICE_UNAVAILABLE, draining().detail).into_response();
        }
        let author = author.map_or_else(super::identity::Identities::guest, |Extension(author)| author);
        let query = query.map(|Query(query)| query).unwrap_or_default();
        return upgrade
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_write_buffer_size(WRITE_BUFFER + 2 * MAX_FRAME_BYTES * TURN)
            .max_message_size(MAX_FRAME_BYTES)
            .max_frame_size(MAX_FRAME_BYTES)
            .on_upgrade(move |socket| {
                let sockets = shared.sockets.clone();
                sockets.track_future(live(socket, shared, room_name, author, query))
            });
    }
    (StatusCode::FORBIDDEN, "Pages of other sites cannot enter rooms here.").into_response()
}

async fn live(mut socket: WebSocket, shared: Shared, room_name: RoomName, author: Author, query: SocketQuery) {
    let username = query.username.as_deref().and_then(|name| Username::parse(name).ok());
    let resume = Resume {
        after: query.after.and_then(|after| after.parse().ok()).filter(|&after| after >= 0),
        epoch: query.epoch,
    };
    let shown = username.clone().unwrap_or_else(Username::anonymous);
    let joined = match shared.chat.join(&room_name, shown, author, resume).await {
        Ok(joined) => joined,
        Err(error) => {
            tracing::error!(%error, "a room cannot be entered");
            return end(&mut socket, close::OVERLOADED, "the room cannot be read just now").await;
        }
    };
    let Joined { room, subscription, greeting } = joined;
    let connection =
        Connection { chat: shared.chat, room, author, username, pending: FuturesUnordered::new(), owed: 0 };
    let (code, reason) = connection.run(&mut socket, subscription, greeting, shared.draining).await;
    end(&mut socket, code, reason).await;
}

/// Says goodbye, and gives the other side a moment to say it too.
async fn end(socket: &mut WebSocket, code: u16, reason: &'static str) {
    let goodbye = async {
        let frame = CloseFrame { code, reason: reason.into() };
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    let _ = timeout(Duration::from_secs(2), goodbye).await;
}

/// What a connection is at its end told: a close code and the reason in words.
type Goodbye = (u16, &'static str);

struct Connection {
    chat: Chat,
    room: Room,
    author: Author,
    /// The name that the address asked for; posts may bring another.
    username: Option<Username>,
    pending: FuturesUnordered<Pending>,
    /// The newest event that is this connection's own, and is answered by its delivery.
    owed: Seq,
}

impl Connection {
    async fn run(
        mut self,
        socket: &mut WebSocket,
        mut subscription: super::hub::Subscription,
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
                    Ok(frames) => send(socket, frames).await,
                    Err(_) => Err((close::OVERLOADED, "the log cannot be read just now")),
                },
                // Answer: what is not answered by the event itself.
                Some((id, outcome)) = self.pending.next() => match self.answer(id, outcome, subscription.position()) {
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
                // Keep time.
                _ = beat.tick() => {
                    if heard.elapsed() > Duration::from_millis(SILENCE_MS.into()) {
                        Err((close::SILENT, "nothing was heard"))
                    } else {
                        let head = ServerFrame::Heartbeat { head: subscription.head() };
                        match say(socket, head).await {
                            Ok(()) => ping(socket).await,
                            Err(goodbye) => Err(goodbye),
                        }
                    }
                }
                // Leave, when the server is asked to stop: told at once, gone a little later.
                _ = draining.cancelled(), if leaving.is_none() => {
                    let within = DRAIN_SPREAD.mul_f64(random());
                    leaving = Some(Instant::now() + within);
                    let reconnect_in_ms = (within + Duration::from_millis(500)).as_millis() as u32;
                    say(socket, ServerFrame::Drain { reconnect_in_ms }).await
                }
                _ = tokio::time::sleep_until(leaving.unwrap_or_else(Instant::now)), if leaving.is_some() && self.pending.is_empty() && self.owed <= subscription.position() => {
                    Err((close::RESTARTING, "the server is restarting"))
                }
            };
            if let Err(goodbye) = turn {
                return goodbye;
            }
        }
    }

    /// Takes one frame; returns what can be said about it at once.
    async fn hear(
        &mut self,
        text: &str,
        subscription: &mut super::hub::Subscription,
        draining: bool,
    ) -> Option<ServerFrame> {
        match ClientFrame::parse(text) {
            Ok(ClientFrame::Post { id, message, username }) => {
                let asked = self.username.clone();
                let username = username.as_deref().or(asked.as_ref().map(Username::as_str));
                self.submit(id, Wish::Post { username, message: &message }, draining).await
            }
            Ok(ClientFrame::Edit { id, target, text }) => {
                self.submit(id, Wish::Edit { target, text: &text }, draining).await
            }
            Ok(ClientFrame::Delete { id, target }) => self.submit(id, Wish::Delete { target }, draining).await,
            Ok(ClientFrame::Sync { after }) => {
                let head = subscription.head();
                if after > head || head - after > crate::protocol::MAX_REPLAY {
                    return Some(reset(&self.room.epoch, head));
                }
                subscription.rewind(after);
                None
            }
            Ok(ClientFrame::Heartbeat) => None,
            Err(bad) => Some(rejected(bad.id, bad.rejection)),
        }
    }

    async fn submit(&mut self, id: Option<String>, wish: Wish<'_>, draining: bool) -> Option<ServerFrame> {
        if draining {
            return Some(rejected(id, self::draining()));
        }
        match self.chat.submit(&self.room, self.author, id.as_deref(), wish).await {
            Ok(outcome) => {
                self.pending.push(Pending { id, outcome });
                None
            }
            Err(rejection) => Some(rejected(id, rejection)),
        }
    }

    /// A new event answers for itself when it is delivered. One that was delivered before is sent again; one that is
    /// not stored is rejected.
    fn answer(&mut self, id: Option<String>, outcome: Outcome, position: Seq) -> Option<ServerFrame> {
        match outcome {
            Ok(stored) if stored.repeated && stored.event.seq <= position => Some(stored.event.into()),
            Ok(stored) => {
                self.owed = self.owed.max(stored.event.seq);
                None
            }
            Err(rejection) => Some(rejected(id, rejection)),
        }
    }
}

/// A post whose outcome is not known yet.
struct Pending {
    id: Option<String>,
    outcome: oneshot::Receiver<Outcome>,
}

impl Future for Pending {
    type Output = (Option<String>, Outcome);

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        let outcome = std::task::ready!(std::pin::Pin::new(&mut self.outcome).poll(context));
        std::task::Poll::Ready((self.id.take(), outcome.unwrap_or_else(|_| Err(draining()))))
    }
}

fn rejected(id: Option<String>, rejection: Rejection) -> ServerFrame {
    ServerFrame::Rejected { id, rejection }
}

/// The text of a frame, if it has one.
fn received(frame: Option<Result<Message, axum::Error>>) -> Result<Option<Utf8Bytes>, Goodbye> {
    match frame {
        Some(Ok(Message::Text(text))) => Ok(Some(text)),
        Some(Ok(Message::Binary(_))) => Err((close::UNSUPPORTED, "frames are text here")),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        Some(Ok(Message::Close(_))) | None => Err((close::NORMAL, "")),
        Some(Err(error)) => Err(goodbye(error)),
    }
}

fn goodbye(error: axum::Error) -> Goodbye {
    use tungstenite::Error;
    match error.into_inner().downcast_ref::<Error>() {
        Some(Error::Capacity(_)) => (close::TOO_LARGE, "frames have at most 16 KiB here"),
        Some(Error::Utf8(_)) => (close::NOT_UTF8, "text is UTF-8 here"),
        Some(Error::Protocol(_)) => (close::PROTOCOL, "this is not the WebSocket protocol"),
        _ => (close::NORMAL, ""),
    }
}

/// Writes all of `texts`, then flushes once.
async fn send(socket: &mut WebSocket, texts: Vec<Utf8Bytes>) -> Result<(), Goodbye> {
    let write = async {
        for text in texts {
            socket.feed(Message::Text(text)).await?;
        }
        socket.flush().await
    };
    in_time(write).await
}

async fn say(socket: &mut WebSocket, frame: ServerFrame) -> Result<(), Goodbye> {
    send(socket, vec![frame.encode().into()]).await
}

async fn ping(socket: &mut WebSocket) -> Result<(), Goodbye> {
    in_time(socket.send(Message::Ping(Default::default()))).await
}

async fn in_time(write: impl Future<Output = Result<(), axum::Error>>) -> Result<(), Goodbye> {
    match timeout(STUCK, write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(goodbye(error)),
        Err(_) => Err((close::TOO_SLOW, "nothing was read")),
    }
}

/// A number from 0 up to 1.
fn random() -> f64 {
    f64::from(uuid::Uuid::new_v4().as_u128() as u32) / f64::from(u32::MAX)
}
