//! Rooms with subscribers, into which messages are posted: with a window of undelivered messages, or at a fixed rate.

use super::{post, run_number};
use crate::check::{Mark, Seen};
use crate::client::{Frame, Reader, Writer, connect, connect_stream};
use crate::host::{Host, Target};
use crate::report::{result, rounded};
use clap::Args;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinSet;

/// Time without any message after which a run ends.
const STALL: Duration = Duration::from_secs(10);

#[derive(Args, Clone)]
pub struct Fanout {
    #[command(flatten)]
    target: Target,
    #[arg(long, default_value_t = 1)]
    rooms: usize,
    /// Subscribers of each room
    #[arg(long, default_value_t = 1000)]
    subscribers: usize,
    /// Number of subscribers of each room that publish
    #[arg(long, default_value_t = 1)]
    publishers: usize,
    /// Messages into each room
    #[arg(long, default_value_t = 1000)]
    messages: u32,
    /// Maximum number of undelivered messages per room
    #[arg(long, default_value_t = 1)]
    window: u32,
    /// Messages per second in each room, regardless of deliveries
    #[arg(long)]
    rate: Option<f64>,
    /// Subscribers that do not publish read event streams over HTTP instead of sockets
    #[arg(long)]
    streams: bool,
    /// Bytes of a message
    #[arg(long, default_value_t = 120)]
    length: usize,
}

struct Room {
    name: String,
    delivered: AtomicU64,
    moved: Notify,
}

struct Run {
    number: u32,
    begun: Instant,
    last: AtomicU64,
    plan: Fanout,
}

impl Fanout {
    pub async fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        let host = Host::start(&self.target).await?;
        let run =
            Arc::new(Run { number: run_number(), begun: Instant::now(), last: AtomicU64::new(0), plan: self.clone() });
        let mut readers = JoinSet::new();
        let mut publishers = Vec::new();
        for number in 0..self.rooms {
            let name = format!("bench{}x{number}", run.number);
            let room = Arc::new(Room { name, delivered: AtomicU64::new(0), moved: Notify::new() });
            let mut writers = Vec::new();
            for subscriber in 0..self.subscribers {
                let all = number * self.subscribers + subscriber;
                let addr = self.target.addr[all % self.target.addr.len()];
                let (reader, writer) = if self.streams && subscriber >= self.publishers {
                    connect_stream(addr, &format!("/{}/events", room.name), all).await?
                } else {
                    connect(addr, &format!("/ws/{}/", room.name), all).await?
                };
                let writer = Arc::new(Mutex::new(writer));
                readers.spawn(read(run.clone(), room.clone(), reader, writer.clone(), subscriber, number));
                writers.extend((subscriber < self.publishers).then_some(writer));
            }
            publishers.push((room, writers));
        }
        tokio::time::sleep(Duration::from_millis(1500)).await;

        let (cpu, begun) = (host.cpu_us(), Instant::now());
        run.last.store(run.begun.elapsed().as_micros() as u64, Relaxed);
        for (room, writers) in publishers {
            tokio::spawn(publish(run.clone(), room, writers));
        }
        let mut seen: Vec<(usize, Seen, Vec<u64>)> = Vec::new();
        while let Some(one) = readers.join_next().await {
            seen.push(one?);
        }
        let elapsed = Duration::from_micros(run.last.load(Relaxed)).saturating_sub(begun.duration_since(run.begun));
        let cpu = host.cpu_us() - cpu;
        self.report(&host, &seen, cpu, elapsed)
    }

    fn report(
        &self,
        host: &Host,
        seen: &[(usize, Seen, Vec<u64>)],
        cpu: f64,
        elapsed: Duration,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let expected = (self.rooms * self.subscribers) as u64 * u64::from(self.messages);
        let got: u64 = seen.iter().map(|(_, seen, _)| seen.got).sum();
        // All subscribers of a room have the same order.
        let mut order = vec![None; self.rooms];
        let others = seen.iter().filter(|(room, it, _)| *order[*room].get_or_insert(it.order) != it.order).count();
        let mut times: Vec<u64> = seen.iter().flat_map(|(_, _, times)| times.iter().copied()).collect();
        times.sort_unstable();
        let at = |share: f64| times.get((times.len() as f64 * share) as usize).map_or(0.0, |&us| us as f64 / 1000.0);
        let (lost, repeated) = (expected.saturating_sub(got), seen.iter().map(|(_, it, _)| it.repeated).sum::<u64>());
        let reordered = seen.iter().map(|(_, it, _)| it.reordered).sum::<u64>() + others as u64;
        let messages = (self.rooms as u64 * u64::from(self.messages)) as f64;
        result(
            &self.target,
            json!({
                "subscribers": self.subscribers, "rooms": self.rooms, "nodes": self.target.addr.len(),
                "lost": lost, "repeated": repeated, "reordered": reordered,
                "us_per_delivery": rounded(cpu / got.max(1) as f64),
                "us_per_message": rounded(cpu / messages),
                "deliveries_per_s": rounded(got as f64 / elapsed.as_secs_f64()),
                "messages_per_s": rounded(messages / elapsed.as_secs_f64()),
                "p50_ms": rounded(at(0.5)), "p99_ms": rounded(at(0.99)),
                "start_ms": rounded(host.started.as_secs_f64() * 1000.0),
            }),
        )?;
        if lost + repeated + reordered > 0 {
            return Err(format!("{lost} lost, {repeated} repeated, {reordered} out of order").into());
        }
        Ok(())
    }
}

/// Reads until all messages have arrived, or none has for [`STALL`].
async fn read(
    run: Arc<Run>,
    room: Arc<Room>,
    mut reader: Reader,
    writer: Arc<Mutex<Writer>>,
    subscriber: usize,
    number: usize,
) -> (usize, Seen, Vec<u64>) {
    let plan = &run.plan;
    let mut seen = Seen::of(plan.publishers);
    let mut times = Vec::new();
    while seen.got < u64::from(plan.messages) {
        let text = match tokio::time::timeout(STALL, reader.next()).await {
            Ok(Ok(Frame::Text(text))) => text,
            Ok(Ok(Frame::Ping)) => {
                let _ = writer.lock().await.pong().await;
                continue;
            }
            Ok(Ok(Frame::Other)) => continue,
            Ok(Err(_)) => break,
            Err(_) if run.begun.elapsed() > Duration::from_micros(run.last.load(Relaxed)) + STALL => break,
            Err(_) => continue,
        };
        let Some(mark) = Mark::find(text, run.number) else { continue };
        let now = run.begun.elapsed().as_micros() as u64;
        seen.see(mark);
        if subscriber.is_multiple_of(50) {
            times.push(now.saturating_sub(mark.sent));
        }
        let delivered = room.delivered.fetch_add(1, Relaxed) + 1;
        if delivered.is_multiple_of(plan.subscribers as u64) {
            run.last.fetch_max(now, Relaxed);
            room.moved.notify_one();
        }
    }
    (number, seen, times)
}

/// Posts a message from each publisher in turn.
async fn publish(run: Arc<Run>, room: Arc<Room>, writers: Vec<Arc<Mutex<Writer>>>) {
    let plan = &run.plan;
    let mut sent = vec![0; writers.len()];
    let begun = Instant::now();
    for number in 0..plan.messages {
        match plan.rate {
            Some(rate) => {
                tokio::time::sleep_until((begun + Duration::from_secs_f64(f64::from(number) / rate)).into()).await;
            }
            None => {
                let done = || room.delivered.load(Relaxed) / plan.subscribers as u64;
                while u64::from(number) >= done() + u64::from(plan.window) {
                    room.moved.notified().await;
                }
            }
        }
        let publisher = number as usize % writers.len();
        let sent_at = run.begun.elapsed().as_micros() as u64;
        let mark = Mark { publisher: publisher as u32, number: sent[publisher], sent: sent_at };
        sent[publisher] += 1;
        let frame = post(&room.name, &mark.text(run.number, plan.length));
        if writers[publisher].lock().await.text(&frame).await.is_err() {
            return;
        }
    }
}
