//! Accept loop. Parlour has its own, because a public server must withstand clients that send nothing.

use super::response_budget::ResponseBudget;
use crate::server::limits::connection_limit::ConnectionLimiter;
use crate::server::network::client_ip::ClientIp;
use crate::server::telemetry::outage::Outage;
use crate::server::unread_timeout::{UNREAD_TIMEOUT, set_unread_timeout};
use crate::server::websocket::{TakenConnection, Takeover};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::convert::Infallible;
use std::future::poll_fn;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// Time limit for a request's head to arrive, and for an idle connection to begin one.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(5);

/// Delay before accepting again when the system has no file descriptor left.
const ACCEPT_ERROR_DELAY: Duration = Duration::from_millis(100);

/// Time without such an error after which an accepted connection ends the outage. Near the limit, connections that
/// close make room for only a few others at a time.
const SETTLED_AFTER: Duration = Duration::from_secs(5);

const EXHAUSTED: &str = "Connections cannot be accepted; retrying";
const ACCEPTING_AGAIN: &str = "Connections are accepted again";

/// Size of the kernel's send and receive buffers of a connection, in bytes. The kernel counts its own overhead, and
/// doubles the numbers for that (socket(7)).
const SEND_BUFFER: usize = 64 << 10;
const RECEIVE_BUFFER: usize = 64 << 10;

/// Maximum number of unsent bytes in the kernel's send buffer (TCP_NOTSENT_LOWAT). A client that does not read holds no
/// more than this; a client that reads is still served at full speed.
const UNSENT: u32 = 16 << 10;

/// Maximum size of a request's head, in bytes.
const MAX_HEADER_BYTES: usize = 32 << 10;
const MAX_HEADERS: usize = 64;

/// Raises the limit of open files to the maximum that the system allows: each connection needs a file descriptor.
pub(crate) fn raise_open_files() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "The limit of open files could not be raised");
    }
}

/// Serves the connections that `limiter` admits until `shutdown`. Then accepts no more, and lets requests in progress
/// complete.
pub async fn serve(listener: TcpListener, app: Router, limiter: ConnectionLimiter, shutdown: CancellationToken) {
    let (connections, answers) = (TaskTracker::new(), ResponseBudget::default());
    bound_buffers(&listener);
    let (exhausted, mut refused) = (Outage::new(EXHAUSTED, ACCEPTING_AGAIN), None::<Instant>);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok((stream, from)) => {
                // A network with too many connections gets no response, which would cost the resources to be saved.
                let Ok(arrival) = limiter.acquire(from.ip()) else { continue };
                if refused.is_some_and(|refused| refused.elapsed() >= SETTLED_AFTER) {
                    (_, refused) = (exhausted.over(), None);
                }
                let budget = (answers.clone(), limiter.clone());
                let serving = connection(stream, ClientIp(from.ip()), budget, app.clone(), shutdown.clone());
                connections.spawn(async move {
                    serving.await;
                    drop(arrival);
                });
            }
            // The client has closed the connection, or its network has failed, before the connection was accepted.
            Err(error) if is_of_the_client(&error) => {
                tracing::debug!(%error, "A connection ended before it was accepted");
                tokio::task::coop::consume_budget().await;
            }
            Err(error) => {
                exhausted.failed(&error);
                refused = Some(Instant::now());
                tokio::time::sleep(ACCEPT_ERROR_DELAY).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Returns whether accept(2) reports an error of the connection it would have returned: the next one may succeed.
fn is_of_the_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::*;
    matches!(
        error.kind(),
        ConnectionAborted
            | ConnectionReset
            | HostUnreachable
            | Interrupted
            | NetworkDown
            | NetworkUnreachable
            | TimedOut
    )
}

/// Bounds the kernel's buffers for each connection; accepted connections inherit them from the listener.
fn bound_buffers(listener: &TcpListener) {
    let socket = socket2::SockRef::from(listener);
    let _ = socket.set_send_buffer_size(SEND_BUFFER);
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_notsent_lowat(UNSENT);
    #[cfg(not(target_os = "linux"))]
    let _ = UNSENT;
}

async fn connection(
    stream: TcpStream,
    peer: ClientIp,
    (answers, limiter): (ResponseBudget, ConnectionLimiter),
    app: Router,
    shutdown: CancellationToken,
) {
    // A page is written in pieces. Without this, the last one would wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    // Nothing else bounds how long a response waits.
    set_unread_timeout(&stream, Some(UNREAD_TIMEOUT));
    let takeover = Takeover::default();
    let claimed = takeover.clone();
    let app = tower::service_fn(move |request: Request<Incoming>| {
        let (mut request, app) = (request.map(Body::new), app.clone());
        let slot = answers.slot(limiter.client(peer, request.headers()));
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(takeover.clone());
        // Boxed, because a connection that can be taken over has to be movable.
        Box::pin(async move {
            let answer = async |request| match app.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            Ok::<_, Infallible>(slot.answer(request, answer).await)
        })
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ_TIMEOUT)
        .max_buf_size(MAX_HEADER_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    let served = tokio::select! {
        served = poll_fn(|context| connection.poll_without_shutdown(context)) => served,
        () = shutdown.cancelled() => {
            Pin::new(&mut connection).graceful_shutdown();
            poll_fn(|context| connection.poll_without_shutdown(context)).await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "A connection ended early");
        return;
    }
    let parts = connection.into_parts();
    let mut stream = parts.io.into_inner();
    match claimed.take() {
        // An error means that the handler has given up.
        Some(handler) => drop(handler.send(TakenConnection { stream, read: parts.read_buf })),
        None => drop(stream.shutdown().await),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, ErrorKind};

    #[test]
    fn only_what_concerns_all_connections_pauses_accepting() {
        for kind in [ErrorKind::ConnectionAborted, ErrorKind::ConnectionReset, ErrorKind::NetworkUnreachable] {
            assert!(is_of_the_client(&kind.into()), "{kind}");
        }
        // EMFILE and ENOBUFS do not have an `ErrorKind` on every platform.
        for error in [Error::from_raw_os_error(24), Error::from_raw_os_error(105), ErrorKind::OutOfMemory.into()] {
            assert!(!is_of_the_client(&error), "{error}");
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_accepted_connection_has_bounded_buffers() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        bound_buffers(&listener);
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let socket = socket2::SockRef::from(&stream);
        assert_eq!(socket.tcp_notsent_lowat().unwrap(), UNSENT);
        assert_eq!(socket.send_buffer_size().unwrap(), 2 * SEND_BUFFER);
        assert_eq!(socket.recv_buffer_size().unwrap(), 2 * RECEIVE_BUFFER);
    }
}
