//! Pages of a room with a history: the cost of a page, and of an older part of a long history.

use super::{post, run_number};
use crate::check::Mark;
use crate::client::{Frame, connect, open};
use crate::host::{Host, Target};
use crate::http::Http;
use crate::report::{result, rounded};
use clap::Args;
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

const EMOJI: [&str; 8] = ["👍", "🎉", "😂", "👀", "🚀", "🔥", "🙏", "💯"];

#[derive(Args, Clone)]
pub struct Page {
    #[command(flatten)]
    target: Target,
    /// Messages in the room before the first request
    #[arg(long, default_value_t = 50)]
    history: u32,
    /// Edits of the first message, after all messages
    #[arg(long, default_value_t = 0)]
    edits: u32,
    /// Reactions to each message, up to eight
    #[arg(long, default_value_t = 0)]
    reactions: u32,
    #[arg(long, default_value_t = 500)]
    requests: usize,
    /// Path to request; `{room}` is the room, `{seq}` a message in the middle of it
    #[arg(long, default_value = "/{room}/")]
    path: String,
    /// `Accept-Encoding` of the requests
    #[arg(long, default_value = "identity")]
    encoding: String,
}

impl Page {
    pub async fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        let host = Host::start(&self.target).await?;
        let addr = self.target.addr[0];
        let room = format!("bench{}", run_number());
        fill(addr, &room, self.history, self.edits).await?;

        let middle = (self.history / 2).max(1).to_string();
        let path = self.path.replace("{room}", &room).replace("{seq}", &middle);
        let mut client = Http::connect(addr, Ipv4Addr::LOCALHOST).await?;
        // The first visit sets a cookie.
        let cookie = client.page(&path, "").await?.cookie_header();
        if self.reactions > 0 {
            let visitor = client.page("/", "").await?.cookie_header();
            react(addr, &room, &visitor, self.history, self.reactions).await?;
        }
        let headers = format!("{cookie}Accept-Encoding: {}\r\n", self.encoding);
        for _ in 0..20 {
            client.page(&path, &headers).await?;
        }
        let (cpu, mut times, mut bytes) = (host.cpu_us(), Vec::new(), 0);
        for _ in 0..self.requests {
            let begun = Instant::now();
            bytes = client.page(&path, &headers).await?.length;
            times.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
        times.sort_by(f64::total_cmp);
        result(
            &self.target,
            json!({
                "history": self.history, "edits": self.edits, "reactions": self.reactions, "encoding": self.encoding, "bytes": bytes,
                "us_per_page": rounded((host.cpu_us() - cpu) / self.requests as f64),
                "p50_ms": rounded(times[times.len() / 2]), "p99_ms": rounded(times[times.len() * 99 / 100]),
            }),
        )
    }
}

/// Reacts to all messages of a room, as the visitor with this cookie, with so many emoji each, and waits for the last
/// reaction.
async fn react(
    addr: SocketAddr,
    room: &str,
    cookie: &str,
    messages: u32,
    reactions: u32,
) -> Result<(), Box<dyn std::error::Error>> {
    let headers = format!("{cookie}Origin: http://{addr}\r\n");
    let (mut reader, mut writer) = open(addr, &format!("/ws/{room}/"), Ipv4Addr::LOCALHOST, &headers).await?;
    let reactions = reactions.min(EMOJI.len() as u32);
    let (mut sent, mut seen, all) = (0, 0, messages * reactions);
    while seen < all {
        while sent < all.min(seen + 256) {
            let (target, emoji) = (sent / reactions + 1, EMOJI[(sent % reactions) as usize]);
            let react =
                json!({"type": "react", "id": format!("r{sent}"), "target": target, "emoji": emoji, "on": true});
            writer.text(&react.to_string()).await?;
            sent += 1;
        }
        if let Frame::Text(text) = reader.next().await? {
            if text.starts_with(br#"{"type":"rejected""#) {
                return Err(String::from_utf8_lossy(text).into());
            }
            seen += u32::from(text.starts_with(br#"{"type":"reacted""#));
        }
    }
    Ok(())
}

/// Posts messages in a room, edits the first one repeatedly, and waits for the last edit.
pub(super) async fn fill(
    addr: SocketAddr,
    room: &str,
    messages: u32,
    edits: u32,
) -> Result<(), Box<dyn std::error::Error>> {
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
