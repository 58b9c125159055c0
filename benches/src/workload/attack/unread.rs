//! Clients that request much and read nothing, and clients that reconnect all at once and do read.

use super::{ATTACKER, Field, Outcome};
use crate::client::{Frame, dial, halves, loopback, open};
use crate::http::Http;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::Semaphore;

/// Messages in the room: more than a client may resume.
const HISTORY: u32 = 1_100;

/// Longest text that a message may have, in characters; of four bytes each.
const CHARACTERS: usize = 4_000;

/// Number of sockets of one address, within the default limit of connections.
const UNREAD: usize = 500;

/// Number of sockets that reconnect.
pub const RESUMING: usize = 5_000;

/// Number of messages that each of them missed.
const MISSED: i64 = 10;

/// Number of handshakes at a time.
const AT_ONCE: usize = 256;

pub async fn prepare(field: &mut Field) -> Outcome {
    let text = "😀".repeat(CHARACTERS);
    (field.epoch, field.head) = field.fill(&field.room("long"), HISTORY, |_| text.clone()).await?;
    Ok(())
}

fn path(field: &Field, missed: i64) -> String {
    format!("/ws/{}/?after={}&epoch={}", field.room("long"), field.head - missed, field.epoch)
}

/// Sockets that resume the maximum number of messages.
pub fn sockets(field: &mut Field) {
    for _ in 0..UNREAD {
        let (addr, path, counts) = (field.addr, path(field, 1_000), field.counts.clone());
        field.tasks.spawn(async move {
            let Ok(held) = open(addr, &path, ATTACKER, "").await else { return };
            counts.opened.fetch_add(1, Relaxed);
            std::future::pending::<()>().await;
            drop(held);
        });
    }
}

/// Sockets of many addresses that resume a little, and read it.
pub fn resume(field: &mut Field) {
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    let last = field.head;
    for number in 0..RESUMING {
        let (addr, path, counts) = (field.addr, path(field, MISSED), field.counts.clone());
        let at_once = at_once.clone();
        field.tasks.spawn(async move {
            let Ok(turn) = at_once.acquire_owned().await else { return };
            let Ok((mut reader, mut writer)) = open(addr, &path, loopback(number), "").await else { return };
            drop(turn);
            counts.opened.fetch_add(1, Relaxed);
            loop {
                match reader.next().await {
                    Ok(Frame::Text(text)) => {
                        let seq = serde_json::from_slice::<Value>(text).ok().and_then(|frame| frame["seq"].as_i64());
                        counts.done.fetch_add(u64::from(seq == Some(last)), Relaxed);
                    }
                    Ok(Frame::Ping) => drop(writer.pong().await),
                    Ok(Frame::Other) => {}
                    Err(_) => return,
                }
                reader.rest();
            }
        });
    }
}

/// Connections that each request the room's page this often, one request after the other.
pub fn pages(field: &mut Field, connections: usize, requests: usize) {
    let request = Http::request(field.addr, &format!("/{}/", field.room("long")), "").repeat(requests);
    for _ in 0..connections {
        let (addr, request, counts) = (field.addr, request.clone(), field.counts.clone());
        field.tasks.spawn(async move {
            let Ok(stream) = dial(addr, ATTACKER).await else { return };
            let (held, mut writer) = halves(stream);
            counts.opened.fetch_add(1, Relaxed);
            let _ = writer.raw(request.as_bytes()).await;
            std::future::pending::<()>().await;
            drop(held);
        });
    }
}
