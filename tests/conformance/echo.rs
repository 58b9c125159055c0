//! The server under test: an echo that uses the upgrade, the settings and the accept loop of Parlour. It exists only in
//! this test.

use axum::Router;
use axum::response::Response;
use axum::routing::any;
use parlour::protocol::{MAX_FRAME_BYTES, close};
use parlour::server::http::listener;
use parlour::server::limits::connection_limit::ConnectionLimiter;
use parlour::server::session;
use parlour::server::websocket::{Handshake, Received, WebSocket};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Path of the echo with the settings of rooms.
pub const PATH: &str = "/";

/// Path of the echo that accepts larger messages, which rooms refuse.
pub const LARGE: &str = "/large";
const LARGE_BYTES: usize = 1 << 20;

/// Serves for as long as the process lives.
pub async fn serve(addr: SocketAddr) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(addr).await?;
    let addr = listener.local_addr()?;
    let app = Router::new()
        .route(PATH, any(|handshake| upgraded(handshake, MAX_FRAME_BYTES)))
        .route(LARGE, any(|handshake| upgraded(handshake, LARGE_BYTES)));
    tokio::spawn(listener::serve(listener, app, ConnectionLimiter::default(), CancellationToken::new()));
    Ok(addr)
}

async fn upgraded(handshake: Handshake, max_bytes: usize) -> Response {
    let (response, socket) = handshake.accept_key(max_bytes);
    tokio::spawn(async move {
        if let Some(socket) = socket.await {
            echo(socket).await;
        }
    });
    response
}

async fn echo(mut socket: WebSocket) {
    let (code, reason) = loop {
        let echoed = match socket.receive().await {
            Ok(Received::Text(text)) => socket.send(&text).await,
            Ok(Received::Binary(bytes)) => socket.send_binary(&bytes).await,
            Ok(Received::Control) => socket.flush().await,
            Ok(Received::Part) => Ok(()),
            Err(end) => break session::close_reason(end),
        };
        if echoed.is_err() {
            break (close::NORMAL, "");
        }
    };
    socket.close(code, reason).await;
}
