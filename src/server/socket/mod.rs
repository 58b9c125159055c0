//! The live socket: who may connect, and one connection's life from greeting to goodbye.

mod connection;
mod wire;

use super::access::Denied;
use super::chat::{Joined, Resume, draining};
use super::limits::{Full, Place};
use super::store::Room;
use super::visitor::Visitor;
use super::{Shared, origin};
use crate::domain::{RoomName, Seq, Username};
use crate::protocol::{MAX_FRAME_BYTES, close};
use axum::extract::ws::{WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::extract::{Extension, Path, Query, State, rejection::QueryRejection};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use connection::{Connection, TURN};
use serde::Deserialize;
use tracing::{Instrument, Span};

/// Bytes that a connection holds while it reads, and before it writes.
const READ_BUFFER: usize = 4 << 10;
const WRITE_BUFFER: usize = 16 << 10;

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
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let room_name = match RoomName::parse(&room_name) {
        Ok(room_name) => room_name,
        Err(reason) => return (StatusCode::NOT_FOUND, reason.to_string()).into_response(),
    };
    let own = origin::is_own(&headers, shared.config.public_url.as_deref());
    if !own.unwrap_or(visitor.author.is_guest()) {
        return (StatusCode::FORBIDDEN, "Pages of other sites cannot enter rooms here.").into_response();
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    if shared.draining.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, draining().detail).into_response();
    }
    let place = match shared.limiter.connection(visitor.network) {
        Ok(place) => place,
        Err(full) => return refuse(full),
    };
    let room = match shared.chat.admit(&room_name, &visitor).await {
        Ok(room) => room,
        Err(Denied::TooManyRooms(too_much)) => return too_much.response("Too many new rooms come from this address."),
        Err(denied) => return (denied.status(), denied.to_string()).into_response(),
    };
    let query = query.map(|Query(query)| query).unwrap_or_default();
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(WRITE_BUFFER + 2 * MAX_FRAME_BYTES * TURN)
        .max_message_size(MAX_FRAME_BYTES)
        .max_frame_size(MAX_FRAME_BYTES)
        .on_upgrade({
            let request = Span::current();
            move |socket| {
                let sockets = shared.sockets.clone();
                sockets.track_future(live(socket, shared, room, visitor, query, place, request))
            }
        })
}

fn refuse(full: Full) -> Response {
    match full {
        Full::Node => (StatusCode::SERVICE_UNAVAILABLE, "Too many people are here just now.").into_response(),
        Full::Address => {
            (StatusCode::TOO_MANY_REQUESTS, "Too many connections are open from this address.").into_response()
        }
        Full::Joins(too_much) => too_much.response("Connections from this address come too often."),
    }
}

async fn live(
    mut socket: WebSocket,
    shared: Shared,
    room: (Room, Seq),
    visitor: Visitor,
    query: SocketQuery,
    _place: Place,
    request: Span,
) {
    let username = query.username.as_deref().and_then(|name| Username::parse(name).ok());
    let username = username.unwrap_or_else(Username::anonymous);
    let resume = Resume {
        after: query.after.and_then(|after| after.parse().ok()).filter(|&after| after >= 0),
        epoch: query.epoch,
    };
    let joined = match shared.chat.join(room, username, visitor.author, resume).instrument(request.clone()).await {
        Ok(joined) => joined,
        Err(error) => {
            request.in_scope(|| tracing::error!(%error, "a room cannot be entered"));
            return wire::end(&mut socket, close::OVERLOADED, "the room cannot be read just now").await;
        }
    };
    drop(request);
    let Joined { room, subscription, seat, greeting } = joined;
    let connection = Connection::new(shared.chat, room, visitor.author, seat);
    let (code, reason) = connection.run(&mut socket, subscription, greeting, shared.draining).await;
    wire::end(&mut socket, code, reason).await;
}
