//! A real Redis of a test's own, to be killed, stopped in its tracks, and brought back.

use super::DEADLINE;
use super::process::{Process, free_port};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A Redis on a port of its own.
pub struct Redis {
    port: u16,
    process: Process,
}

impl Redis {
    /// Starts one that keeps nothing.
    pub fn start() -> Self {
        for _ in 0..5 {
            let port = free_port();
            if let Some(process) = start(port) {
                return Self { port, process };
            }
        }
        panic!("no Redis could be started");
    }

    /// Its address for `--redis-url`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Says something to it, word by word.
    pub async fn tell(&self, words: &[&str]) {
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(word);
        }
        command.exec_async(&mut self.connect().await).await.expect("Redis understands");
    }

    /// A connection to it.
    pub async fn connect(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.url()).expect("an address");
        let patience = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(Some(DEADLINE))
            .set_response_timeout(Some(DEADLINE));
        client.get_multiplexed_async_connection_with_config(&patience).await.expect("Redis answers")
    }

    /// `kill -9`: connections break.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Comes back at the same address, knowing nothing.
    pub fn restart(&mut self) {
        self.kill();
        self.process = start(self.port).expect("the port is still free");
    }

    /// Stops in its tracks: connections stay, nothing answers.
    pub fn freeze(&self) {
        self.process.signal("STOP");
    }

    /// Goes on.
    pub fn thaw(&self) {
        self.process.signal("CONT");
    }
}

/// Returns `None` if another process has taken the port.
fn start(port: u16) -> Option<Process> {
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut process = Process::start(&mut command, "KILL")
        .unwrap_or_else(|_| panic!("these tests need redis-server: install the Debian package redis-server"));
    let asked = Instant::now();
    while process.ended().is_none() {
        if answers(port) {
            return Some(process);
        }
        assert!(asked.elapsed() < DEADLINE, "Redis does not answer");
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

fn answers(port: u16) -> bool {
    let ping = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer)?;
        Ok(&answer == b"+PONG\r\n")
    };
    ping().unwrap_or(false)
}
