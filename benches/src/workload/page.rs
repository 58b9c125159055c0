//! Pages of a room with a history: what one costs, as a page and as an older part of a long history.

use super::{post, run_number};
use crate::check::Mark;
use crate::client::{Frame, connect};
use crate::host::{Host, Target};
use crate::report::{result, rounded};
use clap::Args;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Args, Clone)]
pub struct Page {
    #[command(flatten)]
    target: Target,
    /// Messages in the room before it is asked for
    #[arg(long, default_value_t = 50)]
    history: u32,
    /// Edits of the first message, which stand behind all of them
    #[arg(long, default_value_t = 0)]
    edits: u32,
    #[arg(long, default_value_t = 500)]
    requests: usize,
    /// What is asked for; `{room}` is the room, `{seq}` a message in the middle of it
    #[arg(long, default_value = "/{room}/")]
    path: String,
}

impl Page {
    pub async fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        let host = Host::start(&self.target).await?;
        let addr = self.target.addr[0];
        let room = format!("bench{}", run_number());
        fill(addr, &room, self.history, self.edits).await?;

        let middle = (self.history / 2).max(1).to_string();
        let path = self.path.replace("{room}", &room).replace("{seq}", &middle);
        let mut stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        // The first visit gets a cookie, and says how long a page is.
        let (cookie, _) = get(&mut stream, addr, &path, "").await?;
        for _ in 0..20 {
            get(&mut stream, addr, &path, &cookie).await?;
        }
        let (cpu, mut times, mut bytes) = (host.cpu_us(), Vec::new(), 0);
        for _ in 0..self.requests {
            let begun = Instant::now();
            bytes = get(&mut stream, addr, &path, &cookie).await?.1;
            times.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
        times.sort_by(f64::total_cmp);
        result(
            &self.target,
            json!({
                "history": self.history, "edits": self.edits, "bytes": bytes,
                "us_per_page": rounded((host.cpu_us() - cpu) / self.requests as f64),
                "p50_ms": rounded(times[times.len() / 2]), "p99_ms": rounded(times[times.len() * 99 / 100]),
            }),
        )
    }
}

/// Says so much in a room, edits the first of it so often, and waits for the last of that.
async fn fill(addr: SocketAddr, room: &str, messages: u32, edits: u32) -> Result<(), Box<dyn std::error::Error>> {
    let run = run_number();
    let (mut reader, mut writer) = connect(addr, &format!("/ws/{room}/"), 0).await?;
    let (mut sent, mut seen) = (0, 0);
    while seen < messages + edits {
        while sent < (messages + edits).min(seen + 256) && (sent < messages || seen >= messages) {
            let mark = Mark { publisher: 0, number: sent, sent: 0 };
            let text = mark.text(run, 120);
            if sent < messages {
                writer.text(&post(room, &text)).await?;
            } else {
                let edit = json!({"type": "edit", "id": format!("e{run}-{sent}"), "target": 1, "text": text});
                writer.text(&edit.to_string()).await?;
            }
            sent += 1;
        }
        if let Frame::Text(text) = reader.next().await? {
            seen += u32::from(Mark::find(text, run).is_some());
        }
    }
    Ok(())
}

/// One request on a connection that stays; returns the cookies that were set, and the body's length.
async fn get(
    stream: &mut TcpStream,
    addr: SocketAddr,
    path: &str,
    cookie: &str,
) -> Result<(String, usize), Box<dyn std::error::Error>> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nCookie: {cookie}\r\nAccept: */*\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut read = Vec::with_capacity(64 << 10);
    loop {
        if stream.read_buf(&mut read).await? == 0 {
            return Err("the server hung up".into());
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
        let whole = match header("content-length").first() {
            Some(length) => read.len() - head >= length.parse::<usize>()?,
            None => read.ends_with(b"0\r\n\r\n"),
        };
        if whole {
            if !text.starts_with("HTTP/1.1 200") {
                return Err(text.lines().next().unwrap_or_default().into());
            }
            let cookies = header("set-cookie");
            let cookies: Vec<&str> = cookies.iter().filter_map(|cookie| cookie.split(';').next()).collect();
            return Ok((cookies.join("; "), read.len() - head));
        }
    }
}
