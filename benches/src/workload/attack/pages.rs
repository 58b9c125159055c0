//! Clients of one address that load pages as fast as they are served.

use super::{ATTACKER, Counts, Field, Outcome};
use crate::http::Http;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

const CLIENTS: usize = 100;

/// Messages in the room: more than a page shows.
const HISTORY: u32 = 60;

/// Delay before a connection that was refused or closed is opened again.
const AGAIN: Duration = Duration::from_millis(100);

pub async fn prepare(field: &mut Field) -> Outcome {
    (field.epoch, field.head) = field.fill(&field.room("page"), HISTORY, words).await?;
    Ok(())
}

/// A long text that compresses like natural text.
fn words(seed: u32) -> String {
    const SYLLABLES: [&str; 16] =
        ["ka", "ro", "mi", "ten", "sol", "ver", "a", "ing", "pre", "lo", "st", "er", "un", "de", "qui", "ha"];
    let mut state = seed.wrapping_mul(0x9e37_79b9).wrapping_add(1);
    let mut text = String::new();
    while text.len() < 3_900 {
        // Numerical Recipes' generator: good enough for words.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text += SYLLABLES[(state >> 28) as usize];
        if (state >> 20) & 3 == 0 {
            text.push(' ');
        }
    }
    text
}

/// Clients that accept only this encoding.
pub fn compressed(field: &mut Field, encoding: &str) {
    let path = format!("/{}/", field.room("page"));
    clients(field, CLIENTS, &format!("Accept-Encoding: {encoding}\r\n"), move |_| path.clone());
}

/// Clients that request messages that do not exist yet, each number once.
pub fn permalinks(field: &mut Field) {
    let (room, head) = (field.room("page"), field.head);
    clients(field, CLIENTS, "Accept-Encoding: gzip\r\n", move |number| format!("/{room}/{}", head + 1 + number));
}

/// Starts clients that request one path after the other; `path` makes it from the number of the request.
pub fn clients(
    field: &mut Field,
    clients: usize,
    headers: &str,
    path: impl Fn(i64) -> String + Clone + Send + Sync + 'static,
) {
    let next = Arc::new(AtomicU64::new(0));
    for _ in 0..clients {
        let (addr, counts, path, next) = (field.addr, field.counts.clone(), path.clone(), next.clone());
        let headers = headers.to_owned();
        field.tasks.spawn(async move {
            let mut cookie = String::new();
            loop {
                let path = || path(next.fetch_add(1, Relaxed) as i64);
                let _ = requests(addr, &headers, &mut cookie, path, &counts).await;
                tokio::time::sleep(AGAIN).await;
            }
        });
    }
}

/// Sends requests on one connection until it ends.
async fn requests(
    addr: SocketAddr,
    headers: &str,
    cookie: &mut String,
    path: impl Fn() -> String,
    counts: &Counts,
) -> std::io::Result<()> {
    let mut client = Http::connect(addr, ATTACKER).await?;
    counts.opened.fetch_add(1, Relaxed);
    loop {
        let answer = client.get(&path(), &format!("{headers}{cookie}")).await?;
        counts.count(answer.status != 200);
        if cookie.is_empty() && answer.has_cookies() {
            *cookie = answer.cookie_header();
        }
    }
}
