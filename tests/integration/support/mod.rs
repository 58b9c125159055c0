//! Test support: real servers, real databases, real clients. Nothing here depends on a particular test.

pub mod api;
pub mod caddy;
pub mod client;
pub mod database;
pub mod description;
pub mod earlier_node;
pub mod event_reader;
pub mod faults;
pub mod flood;
pub mod fuzz_corpus;
pub mod hooks;
pub mod host;
pub mod http;
pub mod nginx;
pub mod page;
pub mod peer_node;
pub mod postgres;
pub mod presence;
pub mod process;
pub mod raw;
pub mod receiver;
pub mod redis;
pub mod server;
pub mod site;
pub mod tcp_proxy;
pub mod tempdir;

pub use client::{Client, Door};
pub use host::Database;
pub use server::Server;
pub use site::Site;

use std::time::Duration;

/// How long anything may take that is expected to happen. It never decides a test but by being missed.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Asks `question` again and again until it is answered.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut question: impl FnMut() -> F) -> T {
    let asked = std::time::Instant::now();
    loop {
        if let Some(answer) = question().await {
            return answer;
        }
        assert!(asked.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
