//! Guests of one address who post: faster than one person could, past slow mode, under names that are taken.

use super::{ATTACKER, Counts, Field, HOST, Outcome};
use crate::client::{Frame, Reader, Writer, open};
use crate::http::Http;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::Semaphore;

const GUESTS: usize = 200;

/// Number of rooms that they post into, so that each message is delivered to few of them.
const ROOMS: usize = 40;

/// Number of unacknowledged messages of a guest.
const WINDOW: usize = 8;

/// Number of guests in the room of slow mode, and how often each reconnects as another guest.
const EVADING: usize = 100;
const TIMES: usize = 4;

/// Number of guests under a name that is taken.
const NAMESAKES: usize = 300;

/// Delay before a connection that was refused or closed is opened again.
const AGAIN: Duration = Duration::from_millis(100);

/// Time after which stored messages are counted the first time.
const EARLY: Duration = Duration::from_secs(2);

pub fn guests(field: &mut Field) {
    let text = "😀".repeat(3_900);
    for number in 0..GUESTS {
        let room = field.room(&format!("guests{}x", number % ROOMS));
        let message = format!(r#""message":"{text}""#);
        flood(field, room, number, message);
    }
    let counts = field.counts.clone();
    field.tasks.spawn(async move {
        tokio::time::sleep(EARLY).await;
        counts.early.store(counts.done.load(Relaxed), Relaxed);
    });
}

pub fn taken_names(field: &mut Field) {
    for number in 0..NAMESAKES {
        let message = r#""username":"Holder","message":"hello""#.to_owned();
        flood(field, field.room("names"), number, message);
    }
}

/// Starts a guest who posts the same message repeatedly.
fn flood(field: &mut Field, room: String, number: usize, message: String) {
    let (addr, counts) = (field.addr, field.counts.clone());
    field.tasks.spawn(async move {
        loop {
            if let Ok((reader, writer)) = open(addr, &format!("/ws/{room}/"), ATTACKER, "").await {
                counts.opened.fetch_add(1, Relaxed);
                let window = Semaphore::new(WINDOW);
                tokio::select! {
                    () = answers(reader, number, &window, &counts) => {}
                    () = posts(writer, number, &window, &message) => {}
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    });
}

async fn posts(mut writer: Writer, number: usize, window: &Semaphore, message: &str) {
    for said in 0.. {
        match window.acquire().await {
            Ok(permit) => permit.forget(),
            Err(_) => return,
        }
        if writer.text(&format!(r#"{{"type":"post","id":"g{number}-{said}",{message}}}"#)).await.is_err() {
            return;
        }
    }
}

async fn answers(mut reader: Reader, number: usize, window: &Semaphore, counts: &Counts) {
    let own = format!(r#""id":"g{number}-"#);
    loop {
        match reader.next().await {
            Ok(Frame::Text(text)) => {
                let head = String::from_utf8_lossy(&text[..text.len().min(120)]);
                if head.contains(&own) {
                    counts.count(head.contains(r#""rejected""#));
                    window.add_permits(1);
                }
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

/// Makes a room whose owner has set slow mode to an hour.
pub async fn slow_room(field: &mut Field) -> Outcome {
    let (mut reader, mut writer) = visitor(field.addr, &field.room("slow")).await?;
    writer.text(r#"{"type":"post","id":"own","message":"mine"}"#).await?;
    until(&mut reader, "message").await?;
    writer.text(r#"{"type":"moderate","id":"slow","action":"slow_mode","seconds":3600}"#).await?;
    until(&mut reader, "moderated").await
}

/// Makes a room in which another visitor holds the name.
pub async fn name_holder(field: &mut Field) -> Outcome {
    let (mut reader, mut writer) = visitor(field.addr, &field.room("names")).await?;
    writer.text(r#"{"type":"post","id":"own","username":"Holder","message":"mine"}"#).await?;
    until(&mut reader, "message").await
}

/// Enters a room with an identity.
async fn visitor(addr: SocketAddr, room: &str) -> std::io::Result<(Reader, Writer)> {
    let cookie = Http::connect(addr, HOST).await?.page("/", "").await?.cookie_header();
    open(addr, &format!("/ws/{room}/"), HOST, &format!("{cookie}Origin: http://{addr}\r\n")).await
}

/// Reads until a frame of this type.
async fn until(reader: &mut Reader, kind: &str) -> Outcome {
    loop {
        let Frame::Text(text) = reader.next().await? else { continue };
        let frame: Value = serde_json::from_slice(text)?;
        match frame["type"].as_str() {
            Some("rejected") => return Err(frame.to_string().into()),
            Some(found) if found == kind => return Ok(()),
            _ => {}
        }
    }
}

/// Guests who post one message, leave, and reconnect as another guest.
pub fn evade_slow_mode(field: &mut Field) {
    for number in 0..EVADING {
        let (addr, counts, path) = (field.addr, field.counts.clone(), format!("/ws/{}/", field.room("slow")));
        field.tasks.spawn(async move {
            for time in 0..TIMES {
                let _ = say_once(addr, &path, &format!("{number}-{time}"), &counts).await;
            }
        });
    }
}

async fn say_once(addr: SocketAddr, path: &str, id: &str, counts: &Counts) -> std::io::Result<()> {
    let (mut reader, mut writer) = open(addr, path, ATTACKER, "").await?;
    counts.opened.fetch_add(1, Relaxed);
    writer.text(&format!(r#"{{"type":"post","id":"{id}","message":"again and again"}}"#)).await?;
    loop {
        let Frame::Text(text) = reader.next().await? else { continue };
        let frame: Value = serde_json::from_slice(text)?;
        if frame["id"] == id {
            counts.count(frame["type"] == "rejected");
            return Ok(());
        }
    }
}
