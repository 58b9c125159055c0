//! An HTTP/1.1 client with one persistent connection.

use crate::client::dial;
use std::io::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection.
pub struct Http {
    stream: TcpStream,
    addr: SocketAddr,
}

/// A complete response.
pub struct Answer {
    pub status: u16,
    /// Its cookies, as `name=value`.
    cookies: Vec<String>,
    /// Bytes of the body, with the lines between its chunks.
    pub length: usize,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn has_cookies(&self) -> bool {
        !self.cookies.is_empty()
    }

    /// The header line that returns its cookies.
    pub fn cookie_header(&self) -> String {
        format!("Cookie: {}\r\n", self.cookies.join("; "))
    }
}

impl Http {
    /// Connects from this address.
    pub async fn connect(addr: SocketAddr, from: Ipv4Addr) -> Result<Self> {
        Ok(Self { stream: dial(addr, from).await?, addr })
    }

    /// A request for `path`. `headers` are further lines, each with its end.
    pub fn request(addr: SocketAddr, path: &str, headers: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nAccept: */*\r\n{headers}\r\n")
    }

    /// Requests `path`, and returns an error unless the status is 200.
    pub async fn page(&mut self, path: &str, headers: &str) -> Result<Answer> {
        match self.get(path, headers).await? {
            answer if answer.status == 200 => Ok(answer),
            answer => Err(Error::other(format!("{path}: {}", answer.status))),
        }
    }

    /// Requests `path`, and reads the response with any status.
    pub async fn get(&mut self, path: &str, headers: &str) -> Result<Answer> {
        self.send(&Self::request(self.addr, path, headers)).await
    }

    /// Posts a form, and returns an error unless the status is 200.
    pub async fn post(&mut self, path: &str, headers: &str, form: &str) -> Result<Answer> {
        let (addr, length) = (self.addr, form.len());
        let form_type = "application/x-www-form-urlencoded";
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: {addr}\r\nContent-Type: {form_type}\r\nContent-Length: {length}");
        match self.send(&format!("{head}\r\n{headers}\r\n{form}")).await? {
            answer if answer.status == 200 => Ok(answer),
            answer => Err(Error::other(format!("{path}: {}", answer.status))),
        }
    }

    async fn send(&mut self, request: &str) -> Result<Answer> {
        self.stream.write_all(request.as_bytes()).await?;
        let mut read = Vec::with_capacity(64 << 10);
        loop {
            if self.stream.read_buf(&mut read).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let Some(head) = read.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4) else { continue };
            let text = String::from_utf8_lossy(&read[..head]).into_owned();
            let header = |name: &str| {
                let of = |line: &str| {
                    let (found, value) = line.split_once(": ")?;
                    found.eq_ignore_ascii_case(name).then(|| value.to_owned())
                };
                text.lines().filter_map(of).collect::<Vec<_>>()
            };
            let whole = match header("content-length").first().map(|length| length.parse::<usize>()) {
                Some(length) => read.len() - head >= length.map_err(Error::other)?,
                None => read.ends_with(b"0\r\n\r\n"),
            };
            if whole {
                let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
                let pair = |cookie: String| cookie.split(';').next().unwrap_or_default().to_owned();
                let cookies = header("set-cookie").into_iter().map(pair).collect();
                return Ok(Answer { status, cookies, length: read.len() - head, body: read.split_off(head) });
            }
        }
    }
}
