//! The live socket: admission of a connection, and its session from the welcome to the close frame.

mod budget;
mod close_reason;
mod delivery;
mod event_loop;
mod events;
mod pending;
mod reading;
mod stream;
mod timers;
use close_reason::BANNED_REASON;
pub use close_reason::{CloseReason, close_reason};
pub(crate) use events::events;

use super::auth::visitor::Visitor;
use super::chat::access::AccessDenied;
use super::chat::{Resume, draining_rejection};
use super::http::middleware::public_address::warn_of_origin;
use super::http::origin;
use super::http::problem::Problem;
use super::http::state::AppState;
use super::limits::connection_counter::ConnectionPermit;
use super::store::RoomRecord;
use super::websocket::{EventStream, FrameEncoding, Handshake, HandshakeRejection, TakenConnection, WebSocket};
use crate::domain::event::parse_position;
use crate::domain::{RememberedUsername, RoomName, Username};
use crate::protocol::{MAX_FRAME_BYTES, MAX_REPLAY, close};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use delivery::Delivery;
use event_loop::Session;
use serde::Deserialize;
use stream::StreamSession;
use tokio::sync::oneshot;
use tracing::{Instrument, Span};

/// Query parameters of the address. A value that does not parse counts as absent.
#[derive(Default, Deserialize)]
pub(crate) struct SocketQuery {
    after: Option<String>,
    epoch: Option<String>,
    username: Option<String>,
}

/// `GET /ws/{room_name}/`.
pub(crate) async fn upgrade(
    State(state): State<AppState>,
    room_name: Result<Path<String>, PathRejection>,
    query: Result<Query<SocketQuery>, QueryRejection>,
    Extension(visitor): Extension<Visitor>,
    Extension(known): Extension<RememberedUsername>,
    headers: HeaderMap,
    handshake: Result<Handshake, HandshakeRejection>,
) -> Response {
    // An address that is not UTF-8 is replaced by U+FFFD, which no room name contains.
    let room_name = room_name.map_or_else(|_| char::REPLACEMENT_CHARACTER.to_string(), |Path(room_name)| room_name);
    let room_name = match RoomName::parse(&room_name) {
        Ok(room_name) => room_name,
        Err(reason) => return (StatusCode::NOT_FOUND, reason.to_string()).into_response(),
    };
    let own = origin::is_same_origin(&headers, state.config.public_url.as_deref());
    // A page of another site cannot send a token, and a program that does sends no origin.
    if !own.unwrap_or(visitor.author.is_guest() || visitor.author.is_token()) {
        warn_of_origin(&headers, state.config.public_url.as_deref());
        return (StatusCode::FORBIDDEN, "Pages of other sites cannot enter rooms here.").into_response();
    }
    let handshake = match handshake {
        Ok(handshake) => handshake,
        Err(refusal) => return refusal.into_response(),
    };
    if state.draining.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, draining_rejection().detail).into_response();
    }
    let permit = match state.limiter.check_connection(visitor.network) {
        Ok(permit) => permit,
        Err(full) => return Problem::from(full).into_text(),
    };
    let entering = state.limiter.enter(visitor.network).await;
    let admitted = state.chat.admit(&room_name, &visitor).await;
    drop(entering);
    let admitted = match admitted {
        Ok(room) => Ok(room),
        // Browsers do not show scripts the status of a handshake, so these clients get the reason as a close code.
        Err(AccessDenied::Banned(_)) => Err(BANNED_REASON),
        Err(AccessDenied::Locked) => Err((close::NO_ACCESS, "this room is locked")),
        Err(AccessDenied::Missing) => Err((close::NO_ACCESS, "no room is here")),
        Err(denied) => return (denied.status(), denied.to_string()).into_response(),
    };
    let mut query = query.map(|Query(query)| query).unwrap_or_default();
    if visitor.author.is_token() && query.username.is_none() {
        query.username = known.0.map(|label| label.to_string());
    }
    let (response, socket) = handshake.accept_key(MAX_FRAME_BYTES);
    let (sockets, request) = (state.sockets.clone(), Span::current());
    sockets.spawn(async move {
        match (socket.await, admitted) {
            (Some(socket), Ok(room)) => {
                run_session(socket, state, room, visitor, query, permit).instrument(request).await;
            }
            (Some(socket), Err((code, reason))) => socket.close(code, reason).await,
            (None, _) => {}
        }
    });
    response
}

/// Joins the room and starts the session in a separate task, so that the state needed for joining is dropped early.
async fn run_session(
    mut socket: WebSocket,
    state: AppState,
    room: RoomRecord,
    visitor: Visitor,
    query: SocketQuery,
    permit: Option<ConnectionPermit>,
) {
    let username = query.username.as_deref().and_then(|name| Username::parse(name).ok());
    let username = username.unwrap_or_else(Username::anonymous);
    let after = query.after.as_deref().and_then(parse_position);
    let resume = Resume { after, epoch: query.epoch, max_replay: MAX_REPLAY, is_shown: true };
    let entering = state.limiter.enter(visitor.network).await;
    let joined = state.chat.join(room, username, visitor.author, resume, socket.writer()).await;
    drop(entering);
    match joined {
        Ok(subscription) => {
            let sockets = state.sockets.clone();
            let mut connection =
                Session::new(state, (visitor.author, visitor.network), subscription, socket.writer().clone());
            sockets.spawn(async move {
                let (code, reason) = connection.run(&mut socket).await;
                drop(connection);
                socket.close(code, reason).await;
                drop(permit);
            });
        }
        Err(error) => {
            tracing::error!(%error, "A room could not be joined");
            socket.close(close::OVERLOADED, "the room cannot be read right now").await;
        }
    }
}

/// A request for an event stream, by a visitor who may enter the room.
pub(crate) struct StreamRequest {
    pub(crate) room: RoomRecord,
    pub(crate) username: Username,
    pub(crate) visitor: Visitor,
    pub(crate) resume: Resume,
    /// Whether the stream ends at the head of the log.
    pub(crate) ends: bool,
    pub(crate) permit: Option<ConnectionPermit>,
}

/// Streams a room's events in a separate task, once the connection is `taken`.
pub(crate) fn run_stream(
    state: AppState,
    request: StreamRequest,
    taken: oneshot::Receiver<TakenConnection>,
    encoding: FrameEncoding,
) {
    let sockets = state.sockets.clone();
    let StreamRequest { room, username, visitor, resume, ends, permit } = request;
    let streaming = async move {
        let Ok(taken) = taken.await else { return };
        let mut stream = EventStream::new(taken, encoding);
        let entering = state.limiter.enter(visitor.network).await;
        let joined = state.chat.join(room, username, visitor.author, resume, stream.writer()).await;
        drop(entering);
        let (code, reason) = match joined {
            Ok(subscription) => {
                let until = ends.then(|| subscription.head());
                let delivery = Delivery::new(subscription, stream.writer().clone());
                StreamSession::new(state, visitor.network, delivery, until).run(&mut stream).await
            }
            Err(error) => {
                tracing::error!(%error, "A room could not be joined");
                (close::OVERLOADED, "the room cannot be read right now")
            }
        };
        stream.end(encoding.end(code, reason)).await;
        drop(permit);
    };
    sockets.spawn(streaming.instrument(Span::current()));
}
