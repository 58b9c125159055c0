//! Accepting connections: an own loop, because a server that faces people must outlast those that send nothing.

use super::arrivals::Arrivals;
use super::peer::Peer;
use axum::Router;
use axum::http::Request;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// A request's head has so long to arrive, and an idle connection so long to begin one.
const HEAD: Duration = Duration::from_secs(5);

/// What was sent and is not taken for so long ends the connection. Rooms are quicker, and say why.
const UNREAD: Duration = Duration::from_secs(35);

/// How long to wait when the system has no file descriptor to give.
const PAUSE: Duration = Duration::from_millis(100);

/// What a request's head may measure.
const MAX_HEAD_BYTES: usize = 32 << 10;
const MAX_HEADERS: usize = 64;

/// Takes as many file descriptors as the system lets this process have: each connection needs one.
pub(crate) fn raise_open_files() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// Serves until `shutdown`, to whom `arrivals` lets in; then accepts nothing more, and lets requests that have begun end.
pub async fn serve(listener: TcpListener, app: Router, arrivals: Arrivals, shutdown: CancellationToken) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok((stream, from)) => {
                // Whoever has too many is hung up on: an answer would cost what is to be saved.
                let Ok(arrival) = arrivals.take(from.ip()) else { continue };
                let serving = connection(stream, Peer(from.ip()), app.clone(), shutdown.clone());
                connections.spawn(async move {
                    serving.await;
                    drop(arrival);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn connection(stream: TcpStream, peer: Peer, app: Router, shutdown: CancellationToken) {
    // A page is written in pieces: without this, the last one waits for the other side's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    limit_unread(&stream);
    let app = app.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app))
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Has the system give up a reader who has stopped (TCP_USER_TIMEOUT): nothing else bounds how long an answer waits.
#[cfg(target_os = "linux")]
fn limit_unread(stream: &TcpStream) {
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(UNREAD));
}

#[cfg(not(target_os = "linux"))]
fn limit_unread(_: &TcpStream) {}
