//! Connections that only listen: the cost of opening and holding each, whether a broadcast reaches all of them, and how
//! all of them reconnect after a restart.

use super::{post, run_number};
use crate::check::Mark;
use crate::client::{Frame, Reader, Writer, connect};
use crate::host::{Host, Target};
use crate::report::{result, rounded};
use clap::Args;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const STALL: Duration = Duration::from_secs(30);

#[derive(Args, Clone)]
pub struct Idle {
    #[command(flatten)]
    target: Target,
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// Number of clients that connect at the same time
    #[arg(long, default_value_t = 64)]
    at_once: usize,
    #[arg(long, default_value_t = 3)]
    broadcasts: u32,
    /// Their room; several of these may share it
    #[arg(long)]
    room: Option<String>,
    /// Then kill the server, start it again, and let all clients reconnect
    #[arg(long)]
    restart: bool,
}

impl Idle {
    pub async fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        let mut host = Host::start(&self.target).await?;
        let room = self.room.clone().unwrap_or_else(|| format!("bench{}", run_number()));
        let (empty, cpu, begun) = (host.memory_kb(), host.cpu_us(), Instant::now());
        let mut open = self.open(&room).await?;
        let (joined, join_us) = (begun.elapsed(), (host.cpu_us() - cpu) / self.connections as f64);
        tokio::time::sleep(Duration::from_secs(3)).await;
        let held = host.memory_kb();

        let (cpu, number) = (host.cpu_us(), run_number());
        let mut times = Vec::new();
        let mut reached = 0;
        for broadcast in 0..self.broadcasts {
            let begun = Instant::now();
            let mark = Mark { publisher: 0, number: broadcast, sent: 0 };
            open[0].1.text(&post(&room, &mark.text(number, 120))).await?;
            reached += hear(&mut open, number, mark).await;
            times.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
        let deliveries = (self.connections * self.broadcasts as usize) as f64;
        let broadcast_us = (host.cpu_us() - cpu) / deliveries;
        times.sort_by(f64::total_cmp);

        let mut back = None;
        if self.restart {
            drop(open);
            host.restart().await?;
            let begun = Instant::now();
            open = self.open(&room).await?;
            back = Some(rounded(begun.elapsed().as_secs_f64()));
        }
        drop(open);
        let lost = deliveries as usize - reached;
        result(
            &self.target,
            json!({
                "connections": self.connections, "lost": lost,
                "empty_mb": rounded(empty as f64 / 1024.0), "start_ms": rounded(host.started.as_secs_f64() * 1000.0),
                "join_s": rounded(joined.as_secs_f64()), "join_us": rounded(join_us),
                "kb_per_connection": rounded(held.saturating_sub(empty) as f64 / self.connections as f64),
                "us_per_delivery": rounded(broadcast_us),
                "broadcast_ms": rounded(times.get(times.len() / 2).copied().unwrap_or_default()),
                "back_s": back,
            }),
        )?;
        if lost > 0 {
            return Err(format!("{lost} lost").into());
        }
        Ok(())
    }

    async fn open(&self, room: &str) -> Result<Vec<(Reader, Writer)>, Box<dyn std::error::Error>> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut workers = JoinSet::new();
        for _ in 0..self.at_once {
            let (next, plan, path) = (next.clone(), self.clone(), format!("/ws/{room}/"));
            workers.spawn(async move {
                let mut open = Vec::new();
                loop {
                    let number = next.fetch_add(1, Relaxed);
                    if number >= plan.connections {
                        return std::io::Result::Ok(open);
                    }
                    let addr = plan.target.addr[number % plan.target.addr.len()];
                    let (mut reader, writer) = connect(addr, &path, number).await?;
                    // The first frame, the welcome, confirms that the client has joined.
                    reader.next().await?;
                    reader.rest();
                    open.push((reader, writer));
                }
            });
        }
        let mut open = Vec::new();
        while let Some(some) = workers.join_next().await {
            open.extend(some??);
        }
        Ok(open)
    }
}

/// Returns the number of clients that received the message.
async fn hear(open: &mut [(Reader, Writer)], run: u32, mark: Mark) -> usize {
    let mut heard = 0;
    for (reader, writer) in open {
        loop {
            match tokio::time::timeout(STALL, reader.next()).await {
                Ok(Ok(Frame::Text(text))) if Mark::find(text, run) == Some(mark) => {
                    heard += 1;
                    break;
                }
                Ok(Ok(Frame::Ping)) => drop(writer.pong().await),
                Ok(Ok(_)) => {}
                Ok(Err(_)) | Err(_) => break,
            }
        }
        reader.rest();
    }
    heard
}
