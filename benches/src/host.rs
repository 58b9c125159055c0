//! The server under load: starts it, and measures its resource usage. Processes are read from /proc.

use clap::Args;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Unit of the kernel's CPU times, in microseconds (USER_HZ, which is 100 on every Linux).
const TICK_US: f64 = 10_000.0;

/// The server under load.
#[derive(Args, Clone)]
pub struct Target {
    /// Address of the server; several, comma-separated, are the nodes of one site
    #[arg(long, value_delimiter = ',', default_value = "127.0.0.1:3900")]
    pub addr: Vec<SocketAddr>,
    /// The executable to start for the run, with its own data directory and limits off. Without it, `--pid` names a
    /// running server
    #[arg(long)]
    pub server: Option<PathBuf>,
    /// Database that the nodes share
    #[arg(long)]
    pub database_url: Option<String>,
    #[arg(long)]
    pub redis_url: Option<String>,
    /// Processes of a running server
    #[arg(long, value_delimiter = ',')]
    pub pid: Vec<u32>,
    /// Append the result to this file
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Label of the result
    #[arg(long, default_value = "")]
    pub label: String,
}

/// Running servers.
pub struct Host {
    target: Target,
    /// Additional flags.
    flags: Vec<String>,
    children: Vec<Child>,
    directory: tempfile::TempDir,
    /// Time from the start to the first answer of the last server.
    pub started: Duration,
}

impl Host {
    /// Starts the servers, with limits off.
    pub async fn start(target: &Target) -> std::io::Result<Self> {
        Self::start_with(target, &["--limits", "off"]).await
    }

    /// Starts the servers with these flags.
    pub async fn start_with(target: &Target, flags: &[&str]) -> std::io::Result<Self> {
        let directory = tempfile::tempdir_in(std::env::var_os("BENCH_DATA").unwrap_or_else(|| ".".into()))?;
        let flags = flags.iter().map(ToString::to_string).collect();
        let children = Vec::new();
        let mut host = Self { target: target.clone(), flags, children, directory, started: Duration::ZERO };
        host.spawn().await?;
        Ok(host)
    }

    async fn spawn(&mut self) -> std::io::Result<()> {
        let begun = Instant::now();
        if let Some(server) = &self.target.server {
            for (node, addr) in self.target.addr.iter().enumerate() {
                let mut command = Command::new(server);
                command.arg("serve").args(&self.flags).args(["--addr", &addr.to_string(), "--data"]);
                command.arg(self.data(node));
                let shared = [("--database-url", &self.target.database_url), ("--redis-url", &self.target.redis_url)];
                for (flag, value) in shared.into_iter().filter_map(|(flag, value)| Some((flag, value.as_ref()?))) {
                    command.args([flag, value]);
                }
                let log = std::env::var_os("RUST_LOG").unwrap_or_else(|| "warn".into());
                command.env("RUST_LOG", log).stdout(Stdio::null());
                if let Some(file) = std::env::var_os("BENCH_LOG") {
                    command.stderr(fs::OpenOptions::new().create(true).append(true).open(file)?);
                }
                self.children.push(command.spawn()?);
            }
        }
        for addr in &self.target.addr {
            while answers(*addr).await.is_err() {
                if begun.elapsed() > Duration::from_secs(30) {
                    return Err(std::io::Error::other(format!("{addr}: nobody listens")));
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        self.started = begun.elapsed();
        Ok(())
    }

    /// Restarts the servers on the same data.
    pub async fn restart(&mut self) -> std::io::Result<()> {
        self.stop();
        self.spawn().await
    }

    /// Restarts the servers on the same data, with these flags.
    pub async fn restart_with(&mut self, flags: &[&str]) -> std::io::Result<()> {
        self.flags = flags.iter().map(ToString::to_string).collect();
        self.restart().await
    }

    /// Returns the data directory of a node.
    pub fn data(&self, node: usize) -> PathBuf {
        self.directory.path().join(node.to_string())
    }

    /// Sends SIGTERM to the servers, and returns the time until the last of them has ended. Kills them and returns
    /// `None` if this exceeds `limit`.
    pub async fn terminate(&mut self, limit: Duration) -> Option<Duration> {
        let begun = Instant::now();
        for child in &self.children {
            let _ = Command::new("kill").args(["-s", "TERM", &child.id().to_string()]).status();
        }
        while begun.elapsed() < limit {
            if self.children.iter_mut().all(|child| !matches!(child.try_wait(), Ok(None))) {
                self.children.clear();
                return Some(begun.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.stop();
        None
    }

    fn stop(&mut self) {
        for mut child in self.children.drain(..) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub fn pids(&self) -> Vec<u32> {
        self.children.iter().map(Child::id).chain(self.target.pid.iter().copied()).collect()
    }

    /// Returns the user and system time of the servers and their children, in microseconds.
    pub fn cpu_us(&self) -> f64 {
        tree(&self.pids()).iter().filter_map(|&pid| stat(pid)).map(|(_, ticks)| ticks as f64 * TICK_US).sum()
    }

    /// Returns the user and system time of each server, in microseconds.
    pub fn cpu_us_each(&self) -> Vec<f64> {
        self.pids().iter().map(|&pid| stat(pid).map_or(0.0, |(_, ticks)| ticks as f64 * TICK_US)).collect()
    }

    /// Returns the resident memory of the servers, in kB. Shared memory counts proportionally.
    pub fn memory_kb(&self) -> u64 {
        let pss = |pid: &u32| -> Option<u64> {
            let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
            text.lines().find_map(|line| line.strip_prefix("Pss:"))?.trim().trim_end_matches(" kB").parse().ok()
        };
        tree(&self.pids()).iter().filter_map(pss).sum()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Returns an error unless the server answers requests. The status does not matter.
async fn answers(addr: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.write_all(format!("GET /readyz HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    stream.read_u8().await.map(drop)
}

/// Returns a process's parent and the ticks it has used.
fn stat(pid: u32) -> Option<(u32, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text[text.rfind(')')? + 2..].split(' ').collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some((number(1)? as u32, number(11)? + number(12)?))
}

/// Returns these processes and their descendants.
fn tree(roots: &[u32]) -> Vec<u32> {
    let all: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            Some((pid, stat(pid)?.0))
        })
        .collect();
    let mut found = roots.to_vec();
    let mut at = 0;
    while at < found.len() {
        let parent = found[at];
        found.extend(all.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        at += 1;
    }
    found
}

/// Returns a description of this machine, so that results can be compared.
pub fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{}, {cores} cores, Linux {}", model.trim_start_matches([' ', '\t', ':']), kernel.trim())
}
