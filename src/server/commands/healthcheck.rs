//! `parlour healthcheck`: asks the server at the configured address whether it is ready.

use super::CommandResult;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Maximum time for the server to answer. It waits for its database for two seconds at most.
const HEALTHCHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum size of an answer, which is one line, in bytes.
const MAX_ANSWER_BYTES: usize = 4096;

/// Asks the server that listens on this address whether it is ready.
///
/// # Errors
///
/// Returns an error with the server's answer unless the server is ready.
pub(super) async fn ask(listens: SocketAddr) -> CommandResult {
    let addr = reachable(listens);
    let answered = timeout(HEALTHCHECK_TIMEOUT, readiness(addr)).await;
    let answered = answered.map_err(|_| format!("healthcheck: http://{addr}/readyz did not answer in time"))?;
    match answered.map_err(|error| format!("healthcheck: http://{addr}/readyz: {error}"))? {
        (StatusCode::OK, _) => Ok(()),
        (status, said) => Err(format!("healthcheck: http://{addr}/readyz returned {status}: {said}").into()),
    }
}

async fn readiness(addr: SocketAddr) -> Result<(StatusCode, String), Box<dyn std::error::Error>> {
    let stream = TokioIo::new(TcpStream::connect(addr).await?);
    let (mut requests, connection) = hyper::client::conn::http1::handshake(stream).await?;
    let request = Request::get("/readyz").header(header::HOST, addr.to_string()).body(Body::empty())?;
    let answer = async {
        let (head, body) = requests.send_request(request).await?.into_parts();
        let body = to_bytes(Body::new(body), MAX_ANSWER_BYTES).await?;
        Ok::<_, Box<dyn std::error::Error>>((head.status, String::from_utf8_lossy(&body).into_owned()))
    };
    tokio::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        // This task drives the connection; if it ends first, the answer says why.
        _ = connection => answer.await,
    }
}

/// Returns the address to connect to: the loopback address for a server that listens on every address.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_reached_on_the_loopback_one() {
        for (listens, asked) in
            [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("192.0.2.1:80", "192.0.2.1:80")]
        {
            assert_eq!(reachable(listens.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
