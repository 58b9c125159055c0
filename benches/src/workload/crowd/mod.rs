//! One room with more readers than one process can hold: several nodes, each with a generator of its own that reads, and
//! a few publishers that write at a fixed rate. Measures each node's CPU time, how long messages take, and how long a
//! publisher waits for its own; checks that every reader gets every message once and in the same order.

pub mod readers;

use super::{post, run_number};
use crate::check::{Mark, Seen};
use crate::client::{Frame, Reader, Writer, connect};
use crate::host::{Host, Target};
use crate::report::{result, rounded};
use clap::Args;
use readers::{Heard, now_us};
use serde_json::json;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// Beginning of a rejection's frame.
const REJECTED: &[u8] = br#"{"type":"rejected""#;

/// Returns a percentile of sorted times in microseconds, in milliseconds.
fn percentile(sorted: &[u64], share: f64) -> f64 {
    sorted.get((sorted.len() as f64 * share) as usize).map_or(0.0, |&us| us as f64 / 1000.0)
}

#[derive(Args, Clone)]
pub struct Crowd {
    #[command(flatten)]
    target: Target,
    /// Readers, over all nodes
    #[arg(long, default_value_t = 50_000)]
    connections: usize,
    /// Messages per second
    #[arg(long, default_value_t = 20.0)]
    rate: f64,
    /// Time for which messages are posted, in seconds
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
    /// Further connections, which post in turn
    #[arg(long, default_value_t = 12)]
    publishers: usize,
    /// Time after the last reader has joined in which the nodes learn of each other's readers, in seconds
    #[arg(long, default_value_t = 25.0)]
    settle: f64,
    /// Bytes of a message
    #[arg(long, default_value_t = 120)]
    length: usize,
}

impl Crowd {
    pub async fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        let host = Host::start(&self.target).await?;
        let (run, empty) = (run_number(), host.memory_kb());
        let (room, messages) = (format!("bench{run}"), (self.rate * self.seconds).max(1.0) as u32);
        let generators = self.start_generators(&room, run, messages)?;
        let mut waiting = JoinSet::new();
        for generator in generators {
            waiting.spawn_blocking(move || generator.joined());
        }
        let generators: Vec<Generator> = waiting.join_all().await.into_iter().collect::<std::io::Result<_>>()?;
        let publishers = self.publishers(&room, run, messages).await?;
        tokio::time::sleep(Duration::from_secs_f64(self.settle)).await;
        let held = host.memory_kb();

        let (cpu, begun) = (host.cpu_us_each(), Instant::now());
        for number in 0..messages {
            let at = begun + Duration::from_secs_f64(f64::from(number) / self.rate);
            tokio::time::sleep_until(at.into()).await;
            let publisher = number as usize % self.publishers;
            let mark = Mark { publisher: publisher as u32, number: number / self.publishers as u32, sent: now_us() };
            let frame = post(&room, &mark.text(run, self.length));
            publishers.writers[publisher].lock().await.text(&frame).await?;
        }
        let mut ending = JoinSet::new();
        for generator in generators {
            ending.spawn_blocking(move || generator.heard());
        }
        let mut heard: Vec<Heard> = ending.join_all().await.into_iter().collect::<Result<_, String>>()?;
        let elapsed = begun.elapsed().as_secs_f64();
        let cpu: Vec<f64> = host.cpu_us_each().iter().zip(cpu).map(|(after, before)| after - before).collect();
        heard.push(publishers.heard().await?);

        let mut all = Heard::default();
        heard.into_iter().for_each(|one| all.merge(one));
        let own = all.own_us.clone();
        let connections = self.connections + self.publishers;
        let deliveries = connections as u64 * u64::from(messages);
        let lost = deliveries.saturating_sub(all.got);
        let total: f64 = cpu.iter().sum();
        result(
            &self.target,
            json!({
                "connections": self.connections, "nodes": self.target.addr.len(), "messages": messages,
                "rate": self.rate, "rejected": all.rejected, "ended": all.ended, "lost": lost, "repeated": all.repeated, "reordered": all.reordered,
                "elapsed_s": rounded(elapsed), "cores": rounded(total / 1e6 / elapsed),
                "cores_by_node": cpu.iter().map(|one| rounded(one / 1e6 / elapsed)).collect::<Vec<_>>(),
                "cpu_ms_per_message": rounded(total / 1000.0 / f64::from(messages)),
                "us_per_delivery": rounded(total / deliveries as f64),
                "reads_per_s": rounded(all.reads as f64 / connections as f64 / elapsed),
                "p50_ms": rounded(percentile(&all.delay_us, 0.5)), "p99_ms": rounded(percentile(&all.delay_us, 0.99)),
                "own_p50_ms": rounded(percentile(&own, 0.5)), "own_p99_ms": rounded(percentile(&own, 0.99)),
                "kb_per_connection": rounded(held.saturating_sub(empty) as f64 / self.connections as f64),
            }),
        )?;
        if lost + all.repeated + all.reordered > 0 {
            let Heard { rejected, repeated, reordered, .. } = all;
            return Err(
                format!("{rejected} rejected, {lost} lost, {repeated} repeated, {reordered} out of order").into()
            );
        }
        Ok(())
    }

    /// Starts one generator for each node, with its part of the readers.
    fn start_generators(&self, room: &str, run: u32, messages: u32) -> std::io::Result<Vec<Generator>> {
        let nodes = self.target.addr.len();
        let start = |(node, addr)| {
            let part = self.connections / nodes + usize::from(node < self.connections % nodes);
            let mut command = Command::new(std::env::current_exe()?);
            command.arg("crowd-readers").arg("--room").arg(room);
            let numbers = [
                ("--run", run.to_string()),
                ("--addr", format!("{addr}")),
                ("--connections", part.to_string()),
                ("--messages", messages.to_string()),
                ("--publishers", self.publishers.to_string()),
            ];
            command.args(numbers.iter().flat_map(|(flag, value)| [*flag, value]));
            command.stdout(Stdio::piped()).spawn().map(Generator::new)
        };
        self.target.addr.iter().enumerate().map(start).collect()
    }

    async fn publishers(&self, room: &str, run: u32, messages: u32) -> std::io::Result<Publishers> {
        let (mut writers, mut readers) = (Vec::new(), JoinSet::new());
        for publisher in 0..self.publishers {
            let addr = self.target.addr[publisher % self.target.addr.len()];
            let (reader, writer) = connect(addr, &format!("/ws/{room}/"), publisher).await?;
            let writer = Arc::new(Mutex::new(writer));
            readers.spawn(follow(reader, writer.clone(), run, messages, self.publishers, publisher));
            writers.push(writer);
        }
        Ok(Publishers { writers, readers })
    }
}

/// A process that holds the readers of one node.
struct Generator {
    child: Child,
    answers: std::io::BufReader<std::process::ChildStdout>,
}

impl Generator {
    fn new(mut child: Child) -> Self {
        let stdout = child.stdout.take().expect("it is piped");
        Self { child, answers: std::io::BufReader::new(stdout) }
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut self.answers, &mut line)?;
        Ok(line)
    }

    /// Waits until all readers have joined.
    fn joined(mut self) -> std::io::Result<Self> {
        match self.line()?.trim() {
            "joined" => Ok(self),
            other => Err(std::io::Error::other(format!("the readers could not join: {other}"))),
        }
    }

    /// Waits until the readers have every message, or none arrives any more.
    fn heard(mut self) -> Result<Heard, String> {
        let line = self.line().map_err(|error| error.to_string())?;
        serde_json::from_str(&line).map_err(|error| format!("{error}: {line}"))
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The connections that post. They read, too.
struct Publishers {
    writers: Vec<Arc<Mutex<Writer>>>,
    readers: JoinSet<Heard>,
}

impl Publishers {
    async fn heard(mut self) -> Result<Heard, tokio::task::JoinError> {
        let mut all = Heard::default();
        while let Some(one) = self.readers.join_next().await {
            all.merge(one?);
        }
        Ok(all)
    }
}

/// Reads all messages of a run. Every message is checked, and the time of the publisher's own is recorded.
async fn follow(
    mut reader: Reader,
    writer: Arc<Mutex<Writer>>,
    run: u32,
    messages: u32,
    publishers: usize,
    publisher: usize,
) -> Heard {
    let (mut seen, mut own_us, mut rejected) = (Seen::of(publishers), Vec::new(), 0);
    while seen.got < u64::from(messages) {
        match tokio::time::timeout(readers::STALL, reader.next()).await {
            Ok(Ok(Frame::Text(text))) => {
                let Some(mark) = Mark::find(text, run) else {
                    rejected += u64::from(text.starts_with(REJECTED));
                    continue;
                };
                seen.see(mark);
                if mark.publisher as usize == publisher {
                    own_us.push(now_us().saturating_sub(mark.sent));
                }
            }
            Ok(Ok(Frame::Ping)) => drop(writer.lock().await.pong().await),
            Ok(Ok(Frame::Other)) => {}
            Ok(Err(_)) | Err(_) => break,
        }
    }
    let mut heard = Heard::of(&seen, reader.reads());
    (heard.own_us, heard.rejected) = (own_us, rejected);
    heard
}
