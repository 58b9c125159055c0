//! What the cases are run against: an echo behind the upgrade, the settings and the accept loop of the product. It
//! exists in this test alone.

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use parlour::protocol::MAX_FRAME_BYTES;
use parlour::server::{accept, socket};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// With everything as in rooms.
pub const PATH: &str = "/";

/// The same for larger messages, which rooms refuse.
pub const LARGE: &str = "/large";
const LARGE_BYTES: usize = 1 << 20;

/// Serves for as long as the process lives.
pub async fn serve(addr: SocketAddr) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(addr).await?;
    let addr = listener.local_addr()?;
    let app = Router::new()
        .route(PATH, any(|upgrade| upgraded(upgrade, MAX_FRAME_BYTES)))
        .route(LARGE, any(|upgrade| upgraded(upgrade, LARGE_BYTES)));
    tokio::spawn(accept::serve(listener, app, CancellationToken::new()));
    Ok(addr)
}

async fn upgraded(upgrade: WebSocketUpgrade, max_bytes: usize) -> Response {
    socket::configured(upgrade, max_bytes).on_upgrade(echo)
}

async fn echo(mut socket: WebSocket) {
    let (code, reason) = loop {
        match socket.recv().await {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                if let Err(error) = socket.send(message).await {
                    break socket::goodbye(error);
                }
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(_))) | None => break (1000, ""),
            Some(Err(error)) => break socket::goodbye(error),
        }
    };
    socket::end(&mut socket, code, reason).await;
}
