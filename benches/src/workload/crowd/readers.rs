//! The readers of one node of a crowd, in a process of their own. Prints `joined`, and at the end one line of JSON.

use crate::check::{Mark, Seen};
use crate::client::{Frame, Reader, Writer, connect};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::task::JoinSet;

/// Time without any frame after which a reader gives up. There is a heartbeat every 20 seconds.
pub const STALL: Duration = Duration::from_secs(60);

/// Number of heartbeats without a message after which a reader gives up.
const MAX_IDLE_PINGS: u32 = 5;

/// Of so many readers, one checks the marks of all messages. The others compare bytes with it.
const READERS_PER_CHECK: usize = 500;

/// Number of readers that join at the same time.
const JOINING_AT_ONCE: usize = 32;

/// Beginning of a message's frame.
const MESSAGE: &[u8] = br#"{"type":"message""#;

/// Returns the time that all processes share, in microseconds.
pub fn now_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64
}

/// The messages that some readers have received.
#[derive(Default, Serialize, Deserialize)]
pub struct Heard {
    pub got: u64,
    pub repeated: u64,
    /// Messages out of order, and readers with another order than the others.
    pub reordered: u64,
    /// Posts that were rejected.
    pub rejected: u64,
    /// Readers whose connection ended before the last message.
    pub ended: u64,
    /// Number of reads from sockets.
    pub reads: u64,
    /// Times from posting to arrival, sorted.
    pub delay_us: Vec<u64>,
    /// Times until publishers got their own messages, sorted.
    pub own_us: Vec<u64>,
    /// The order of all these readers, once there is one.
    order: Option<u64>,
}

impl Heard {
    pub fn of(seen: &Seen, reads: u64) -> Self {
        let Seen { got, repeated, reordered, order, .. } = seen.clone();
        Self { got, repeated, reordered, reads, order: Some(order), ..Self::default() }
    }

    pub fn merge(&mut self, mut other: Self) {
        self.got += other.got;
        self.repeated += other.repeated;
        self.reordered += other.reordered + u64::from(self.order.is_some() && self.order != other.order);
        self.reads += other.reads;
        self.rejected += other.rejected;
        self.ended += other.ended;
        self.order = self.order.or(other.order);
        for (own, others) in [(&mut self.delay_us, &mut other.delay_us), (&mut self.own_us, &mut other.own_us)] {
            own.append(others);
            own.sort_unstable();
        }
    }
}

#[derive(Args, Clone)]
pub struct CrowdReaders {
    #[arg(long)]
    addr: SocketAddr,
    #[arg(long)]
    room: String,
    #[arg(long)]
    run: u32,
    #[arg(long)]
    connections: usize,
    #[arg(long)]
    messages: u32,
    #[arg(long)]
    publishers: usize,
}

impl CrowdReaders {
    pub async fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        let joined = match self.join().await {
            Ok(joined) => joined,
            Err(error) => {
                println!("{error}");
                return Err(error);
            }
        };
        println!("joined");
        let mut readers = JoinSet::new();
        for (number, (reader, writer)) in joined.into_iter().enumerate() {
            let plan = self.clone();
            let is_checked = number % READERS_PER_CHECK == 0;
            readers.spawn(async move { plan.read(reader, writer, is_checked).await });
        }
        let (mut all, mut bytes_of_all, mut uneven) = (Heard::default(), None, 0);
        while let Some(one) = readers.join_next().await {
            let (heard, bytes) = one?;
            all.ended +=
                u64::from(heard.as_ref().map_or_else(|(got, _)| *got, |heard| heard.got) < u64::from(self.messages));
            uneven += u64::from(*bytes_of_all.get_or_insert(bytes) != bytes);
            match heard {
                Ok(checked) => all.merge(checked),
                Err((got, reads)) => (all.got, all.reads) = (all.got + got, all.reads + reads),
            }
        }
        all.reordered += uneven;
        println!("{}", serde_json::to_string(&all)?);
        Ok(())
    }

    async fn join(&self) -> Result<Vec<(Reader, Writer)>, Box<dyn std::error::Error>> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut workers = JoinSet::new();
        for _ in 0..JOINING_AT_ONCE {
            let (next, plan, path) = (next.clone(), self.clone(), format!("/ws/{}/", self.room));
            workers.spawn(async move {
                let mut joined = Vec::new();
                loop {
                    let number = next.fetch_add(1, Relaxed);
                    if number >= plan.connections {
                        return std::io::Result::Ok(joined);
                    }
                    let (mut reader, writer) = connect(plan.addr, &path, number).await?;
                    reader.next().await?;
                    reader.rest();
                    joined.push((reader, writer));
                }
            });
        }
        let mut joined = Vec::new();
        while let Some(some) = workers.join_next().await {
            joined.extend(some??);
        }
        Ok(joined)
    }

    /// Reads all messages. Returns what was heard if it was checked, or else the numbers of messages and reads; and the
    /// hash of all messages' bytes.
    async fn read(&self, mut reader: Reader, mut writer: Writer, is_checked: bool) -> (Result<Heard, (u64, u64)>, u64) {
        let (mut seen, mut delay_us) = (Seen::of(self.publishers), Vec::new());
        let (mut got, mut bytes, mut idle_pings) = (0, 0, 0);
        'connection: while got < u64::from(self.messages) && idle_pings < MAX_IDLE_PINGS {
            let Ok(Ok(())) = tokio::time::timeout(STALL, reader.fill()).await else { break };
            let mut is_pinged = false;
            while let Some(frame) = reader.take() {
                match frame {
                    Ok(Frame::Text(text)) if text.starts_with(MESSAGE) => {
                        (got, bytes, idle_pings) = (got + 1, hash(bytes, text), 0);
                        if is_checked && let Some(mark) = Mark::find(text, self.run) {
                            seen.see(mark);
                            delay_us.push(now_us().saturating_sub(mark.sent));
                        }
                    }
                    Ok(Frame::Ping) => is_pinged = true,
                    Ok(_) => {}
                    Err(_) => break 'connection,
                }
            }
            reader.rest();
            if is_pinged {
                idle_pings += 1;
                if writer.pong().await.is_err() {
                    break;
                }
            }
        }
        let reads = reader.reads();
        delay_us.sort_unstable();
        let heard = if is_checked { Ok(Heard { delay_us, ..Heard::of(&seen, reads) }) } else { Err((got, reads)) };
        (heard, bytes)
    }
}

/// Returns the hash of `text` after a hash of what came before it.
fn hash(before: u64, text: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let (parts, rest) = text.as_chunks::<8>();
    let whole = parts.iter().fold(before ^ text.len() as u64, |hash, part| {
        (hash ^ u64::from_le_bytes(*part)).wrapping_mul(FACTOR).rotate_left(29)
    });
    rest.iter().fold(whole, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(FACTOR).rotate_left(29))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_with_another_order_is_noticed() {
        let whole = hash(hash(0, b"first message"), b"second message");
        assert_ne!(hash(hash(0, b"second message"), b"first message"), whole);
        assert_ne!(hash(hash(whole, b"second message"), b""), whole);
        let heard = |order| Heard { got: 1, order: Some(order), ..Heard::default() };
        let mut all = Heard::default();
        all.merge(heard(7));
        all.merge(heard(7));
        assert_eq!((all.got, all.reordered), (2, 0));
        all.merge(heard(8));
        assert_eq!((all.got, all.reordered), (3, 1));
    }
}
