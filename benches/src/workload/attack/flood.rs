//! Small frames at full speed, which cost the sender almost nothing. Responses are read and discarded.

use super::{ATTACKER, Counts, Field};
use crate::client::{Reader, Writer, dial, halves, open};
use crate::http::Http;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

const TEXT: u8 = 0x81;
const TEXT_BEGINS: u8 = 0x01;
const CONTINUES: u8 = 0x00;
const ENDS: u8 = 0x80;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Minimum size of a write.
const CHUNK_BYTES: usize = 32 << 10;

/// Number of fragments of a message: its length in bytes, which must be below the frame limit.
const FRAGMENTS: usize = 16_000;

/// Delay before a connection that was refused or closed is opened again.
const AGAIN: Duration = Duration::from_millis(100);

/// A flood.
pub struct Flood {
    sockets: usize,
    /// Sent once, at the beginning of a connection.
    first: Vec<u8>,
    /// Sent again and again.
    chunk: Vec<u8>,
    /// Plain HTTP, no WebSocket.
    http: bool,
}

impl Flood {
    fn of(sockets: usize, unit: &[u8]) -> Self {
        let chunk = unit.repeat(CHUNK_BYTES.div_ceil(unit.len().max(1)));
        Self { sockets, first: Vec::new(), chunk, http: false }
    }

    pub fn pings() -> Self {
        Self::of(1, &frame(PING, b""))
    }

    pub fn pongs() -> Self {
        Self::of(4, &frame(PONG, b""))
    }

    pub fn texts(text: &str) -> Self {
        Self::of(4, &frame(TEXT, text.as_bytes()))
    }

    /// Messages of white space and `{}`, a byte in each fragment.
    pub fn fragments() -> Self {
        let mut message = frame(TEXT_BEGINS, b" ");
        message.extend(frame(CONTINUES, b" ").repeat(FRAGMENTS - 3));
        message.extend(frame(CONTINUES, b"{"));
        message.extend(frame(ENDS, b"}"));
        Self::of(4, &message)
    }

    pub fn after_close() -> Self {
        Self { first: frame(CLOSE, &1000u16.to_be_bytes()), sockets: 4, ..Self::pings() }
    }

    pub fn requests() -> Self {
        let addr = SocketAddr::from(([127, 0, 0, 1], 80));
        Self { http: true, ..Self::of(4, Http::request(addr, "/healthz", "").as_bytes()) }
    }

    /// Starts the flood's connections.
    pub fn mount(self, field: &mut Field) {
        let flood = Arc::new(self);
        for _ in 0..flood.sockets {
            let (flood, addr, path) = (flood.clone(), field.addr, format!("/ws/{}/", field.room("flood")));
            let counts = field.counts.clone();
            field.tasks.spawn(async move {
                loop {
                    // An error means the end of the connection, for any reason.
                    let _ = flood.connection(addr, &path, &counts).await;
                    tokio::time::sleep(AGAIN).await;
                }
            });
        }
    }

    async fn connection(&self, addr: SocketAddr, path: &str, counts: &Counts) -> std::io::Result<()> {
        let (mut reader, mut writer) =
            if self.http { halves(dial(addr, ATTACKER).await?) } else { open(addr, path, ATTACKER, "").await? };
        counts.opened.fetch_add(1, Relaxed);
        writer.raw(&self.first).await?;
        tokio::select! {
            end = discard(&mut reader) => end,
            end = self.write(&mut writer, counts) => end,
        }
    }

    async fn write(&self, writer: &mut Writer, counts: &Counts) -> std::io::Result<()> {
        loop {
            writer.raw(&self.chunk).await?;
            counts.bytes.fetch_add(self.chunk.len() as u64, Relaxed);
        }
    }
}

async fn discard(reader: &mut Reader) -> std::io::Result<()> {
    loop {
        reader.discard().await?;
    }
}

/// A masked frame; `first` is its first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("floods are of small frames");
    let mut frame = vec![first, 0x80 | length];
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}
