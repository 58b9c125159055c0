//! HTTP by hand: for requests that no library would send, and for connections that send none.

use super::{DEADLINE, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The head of an answer.
#[derive(Debug)]
pub struct Head {
    /// The status.
    pub status: u16,
    lines: String,
}

impl Head {
    /// A header.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut headers = self.lines.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A connection on which nothing has been sent yet.
pub async fn connect(server: &Server) -> TcpStream {
    timeout(DEADLINE, TcpStream::connect(server.addr)).await.expect("a connection in time").expect("a connection")
}

/// Sends these bytes and reads the answer to its end; `None` if there is none.
pub async fn exchange(server: &Server, request: &[u8]) -> Option<Head> {
    let mut stream = connect(server).await;
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("an answer ends in time");
    let head = String::from_utf8_lossy(&answer);
    let lines = head.split("\r\n\r\n").next()?.to_owned();
    let status = lines.split(' ').nth(1)?.parse().ok()?;
    Some(Head { status, lines })
}

/// `METHOD TARGET` with these further header lines and this body; the target goes out as it is.
pub async fn request(server: &Server, method: &str, target: &[u8], headers: &str, body: &str) -> Option<Head> {
    let rest = format!(
        " HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        server.addr,
        body.len()
    );
    exchange(server, &[method.as_bytes(), b" ", target, rest.as_bytes()].concat()).await
}
