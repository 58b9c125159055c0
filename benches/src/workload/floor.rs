//! The cost of the writes alone: repeatedly writes a fixed number of bytes to each of many loopback sockets. This is
//! the lower limit of the cost of delivering a message that cannot be batched with others.

use crate::host::Target;
use crate::report::{result, rounded};
use clap::Args;
use serde_json::json;
use std::io::Write;
use std::net::TcpStream;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

#[derive(Args, Clone)]
pub struct Floor {
    #[command(flatten)]
    target: Target,
    #[arg(long, default_value_t = 1000)]
    sockets: usize,
    /// Bytes of a write
    #[arg(long, default_value_t = 300)]
    length: usize,
    /// How often each is written to
    #[arg(long, default_value_t = 200)]
    rounds: usize,
}

impl Floor {
    pub async fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut writers = Vec::new();
        for _ in 0..self.sockets {
            let (client, server) =
                tokio::join!(tokio::net::TcpStream::connect(listener.local_addr()?), listener.accept());
            let (mut reader, writer) = (client?, server?.0.into_std()?);
            writer.set_nodelay(true)?;
            writer.set_nonblocking(false)?;
            writers.push(writer);
            tokio::spawn(async move {
                let mut buffer = vec![0; 16 << 10];
                while reader.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
            });
        }
        let (length, rounds) = (self.length, self.rounds);
        let written = tokio::task::spawn_blocking(move || write(&mut writers, length, rounds)).await??;
        let writes = (self.sockets * self.rounds) as f64;
        result(&self.target, json!({"subscribers": self.sockets, "us_per_write": rounded(written / writes)}))
    }
}

/// Writes to each socket in turn, and returns the CPU time of this thread, in microseconds.
fn write(writers: &mut [TcpStream], length: usize, rounds: usize) -> std::io::Result<f64> {
    let bytes = vec![b'x'; length];
    let begun = on_cpu()?;
    for _ in 0..rounds {
        for writer in &mut *writers {
            writer.write_all(&bytes)?;
        }
    }
    Ok((on_cpu()? - begun) / 1000.0)
}

/// Returns the CPU time of this thread, in nanoseconds.
fn on_cpu() -> std::io::Result<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or_default())
}
