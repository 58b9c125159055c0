//! Hostile and clumsy clients on one address, each kind beside active visitors on other addresses, with the default
//! limits. For each attack: the effect on visitors, and the server's memory, disk writes and CPU time; then SIGTERM
//! while the attack continues.

mod bystanders;
pub mod compare;
mod flood;
mod gauge;
mod kind;
mod lock;
mod pages;
mod scan;
mod sql;
mod talk;
mod unread;
mod verdict;

use crate::client::{Frame, open};
use crate::host::{Host, Target};
use crate::report::{result, rounded};
use bystanders::Bystanders;
use clap::Args;
use gauge::Gauge;
use kind::Kind;
use serde_json::{Map, Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use verdict::Verdicts;

/// The address that attacks.
const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// The address of a room's owner, and of a client that reads metrics.
const HOST: Ipv4Addr = Ipv4Addr::new(127, 0, 5, 1);

/// Maximum time from SIGTERM to the end of the process. A server that has not ended then is killed.
const STOP_LIMIT: Duration = Duration::from_secs(16);

/// Maximum time that an attack's preparation takes.
const PREPARE_LIMIT: Duration = Duration::from_secs(90);

/// Time between the visitors' first message and the attack.
const QUIET: Duration = Duration::from_millis(500);

#[derive(Args, Clone)]
pub struct Run {
    #[command(flatten)]
    target: Target,
    /// Only these attacks, comma-separated
    #[arg(long, value_delimiter = ',')]
    only: Vec<Kind>,
    /// A PostgreSQL for the attacks that need one; without it they are skipped
    #[arg(long)]
    postgres: Option<String>,
    /// Data directory of that PostgreSQL, to measure the disk writes of attacks
    #[arg(long)]
    postgres_data: Option<PathBuf>,
    /// Edits in the room of the attack `scan`
    #[arg(long, default_value_t = 1_000_000)]
    edits: u32,
}

/// The server under attack, and the attack.
struct Field {
    addr: SocketAddr,
    host: Host,
    database_url: Option<String>,
    /// Number of edits in a seeded room.
    edits: u32,
    /// Epoch and head of the room that was filled.
    epoch: String,
    head: i64,
    /// Suffix of this run's room names.
    run: u32,
    counts: Arc<Counts>,
    /// The attackers. Dropped, they stop.
    tasks: JoinSet<()>,
    /// Further figures.
    extra: Map<String, Value>,
    /// A lock on the database that is held during the attack.
    lock: Option<sql::Sql>,
}

/// Counters of the attackers.
#[derive(Default)]
struct Counts {
    /// Connections that were opened.
    opened: AtomicU64,
    /// Requests or messages that succeeded.
    done: AtomicU64,
    /// Requests or messages that were refused.
    refused: AtomicU64,
    /// `done` after two seconds.
    early: AtomicU64,
    /// Bytes written by floods.
    bytes: AtomicU64,
}

impl Field {
    /// A room of this run.
    fn room(&self, name: &str) -> String {
        format!("{name}{}", self.run)
    }

    fn note(&mut self, figure: &str, value: f64) {
        self.extra.insert(figure.to_owned(), json!(rounded(value)));
    }

    /// Posts messages, and returns the room's epoch and head. `text` makes a text from its number.
    async fn fill(&self, room: &str, messages: u32, text: impl Fn(u32) -> String) -> std::io::Result<(String, i64)> {
        let (mut reader, mut writer) = open(self.addr, &format!("/ws/{room}/"), HOST, "").await?;
        let (mut sent, mut seen, mut epoch, mut head) = (0, 0, String::new(), 0);
        while seen < messages {
            while sent < messages.min(seen + 32) {
                sent += 1;
                writer.text(&format!(r#"{{"type":"post","id":"f{sent}","message":"{}"}}"#, text(sent))).await?;
            }
            let Frame::Text(text) = reader.next().await? else { continue };
            let frame: Value = serde_json::from_slice(text)?;
            match frame["type"].as_str() {
                Some("welcome") => epoch = frame["epoch"].as_str().unwrap_or_default().to_owned(),
                Some("message") => (seen, head) = (seen + 1, frame["seq"].as_i64().unwrap_or_default()),
                Some("rejected") => return Err(std::io::Error::other(frame.to_string())),
                _ => {}
            }
        }
        Ok((epoch, head))
    }
}

impl Counts {
    /// Counts an answer.
    fn count(&self, refused: bool) {
        let counter = if refused { &self.refused } else { &self.done };
        counter.fetch_add(1, Relaxed);
    }
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

impl Run {
    pub async fn run(self) -> Outcome {
        let mut verdicts = Verdicts::default();
        let all = Kind::all();
        for &kind in all.iter().filter(|kind| self.only.is_empty() || self.only.contains(kind)) {
            if kind.needs_postgres() && self.postgres.is_none() {
                eprintln!("attack: {} is left out: it needs --postgres", kind.name());
                continue;
            }
            match self.attack(kind).await {
                Ok(figures) => {
                    let target = Target { label: format!("attack {}", kind.name()), ..self.target.clone() };
                    result(&target, Value::Object(figures.clone()))?;
                    verdicts.add(kind, figures);
                }
                Err(error) => {
                    eprintln!("attack: {}: {error}", kind.name());
                    verdicts.failed(kind, &error.to_string());
                }
            }
        }
        verdicts.print();
        Ok(())
    }

    async fn attack(&self, kind: Kind) -> Result<Map<String, Value>, Box<dyn std::error::Error>> {
        let mut target = self.target.clone();
        if kind.needs_postgres() {
            target.database_url = self.postgres.clone();
        }
        let mut field = Field {
            addr: target.addr[0],
            host: Host::start_with(&target, &["--limits", "off"]).await?,
            database_url: target.database_url,
            edits: self.edits,
            epoch: String::new(),
            head: 0,
            run: super::run_number(),
            counts: Arc::default(),
            tasks: JoinSet::new(),
            extra: Map::new(),
            lock: None,
        };
        tokio::time::timeout(PREPARE_LIMIT, kind.prepare(&mut field)).await??;
        field.host.restart_with(&[]).await?;
        kind.open(&mut field).await?;

        let bystanders = Bystanders::start(field.addr, field.room("bystanders")).await?;
        tokio::time::sleep(QUIET).await;
        let files = self.postgres_data.clone().filter(|_| field.database_url.is_some());
        let files = files.unwrap_or_else(|| field.host.data(0));
        let gauge = Gauge::start(field.host.pids(), field.addr.port(), files);
        let (cpu, begun) = (field.host.cpu_us(), Instant::now());
        kind.mount(&mut field).await?;
        tokio::time::sleep_until((begun + kind.window()).into()).await;
        let seconds = begun.elapsed().as_secs_f64();
        let cpu = (field.host.cpu_us() - cpu) / 1e6 / seconds;
        let held = gauge.finish();
        kind.finish(&mut field, seconds).await;
        let mut figures = bystanders.finish().await.figures();
        figures.extend(held.figures());
        figures.insert("cpu_cores".to_owned(), json!(rounded(cpu)));
        figures.insert("window_s".to_owned(), json!(rounded(seconds)));
        // The attack continues.
        let stopped = field.host.terminate(STOP_LIMIT).await.unwrap_or(STOP_LIMIT);
        figures.insert("stop_s".to_owned(), json!(rounded(stopped.as_secs_f64())));
        field.tasks.abort_all();
        figures.extend(field.extra);
        Ok(figures)
    }
}
