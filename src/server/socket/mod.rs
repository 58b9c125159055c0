//! The live socket: who may connect, and one connection's life from greeting to goodbye.

mod connection;
mod wire;

use super::chat::{Joined, Resume, draining};
use super::config::Limits;
use super::identity::{Author, Identities};
use super::{Shared, origin};
use crate::domain::{RoomName, Username};
use crate::protocol::{MAX_FRAME_BYTES, close};
use axum::extract::ws::{WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::extract::{Extension, Path, Query, State, rejection::QueryRejection};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use connection::{Connection, TURN};
use serde::Deserialize;

/// How many connections this node takes, unless limits are off.
const MAX_CONNECTIONS: usize = 20_000;

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
        if shared.config.limits == Limits::On && shared.sockets.len() >= MAX_CONNECTIONS {
            return (StatusCode::SERVICE_UNAVAILABLE, "Too many people are here just now.").into_response();
        }
        let author = author.map_or_else(Identities::guest, |Extension(author)| author);
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
    let username = username.unwrap_or_else(Username::anonymous);
    let resume = Resume {
        after: query.after.and_then(|after| after.parse().ok()).filter(|&after| after >= 0),
        epoch: query.epoch,
    };
    let joined = match shared.chat.join(&room_name, username, author, resume).await {
        Ok(joined) => joined,
        Err(error) => {
            tracing::error!(%error, "a room cannot be entered");
            return wire::end(&mut socket, close::OVERLOADED, "the room cannot be read just now").await;
        }
    };
    let Joined { room, subscription, seat, greeting } = joined;
    let connection = Connection::new(shared.chat, room, author, seat);
    let (code, reason) = connection.run(&mut socket, subscription, greeting, shared.draining).await;
    wire::end(&mut socket, code, reason).await;
}
