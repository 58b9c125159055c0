//! Rooms that the database blocks: one whose row stays locked while many clients post into it, and one that is unlocked
//! at once, so that its batch exceeds the server's tail buffer.

use super::sql::Sql;
use super::{Field, HOST, Outcome};
use crate::client::{Frame, loopback, open};
use crate::http::Http;
use serde_json::Value;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Number of guests who post into the locked room, and of messages that each posts: the burst that limits allow.
const CROWD: usize = 660;
const EACH: usize = 10;

/// Number of clients in the room of the large batch.
const READERS: usize = 310;

/// Number of messages in the batch; they are of 16 kB, and the tail buffer of a room is 1 MiB.
const BATCH: usize = 80;

/// Time for the batch to queue up.
const GATHER: Duration = Duration::from_millis(400);

pub async fn prepare(field: &mut Field) -> Outcome {
    field.fill(&field.room("held"), 1, |_| "hello".to_owned()).await?;
    Ok(())
}

/// Locks the room until the attack ends.
pub fn lock_room(field: &mut Field) -> Outcome {
    let mut sql = Sql::open(field)?;
    sql.run("BEGIN")?;
    sql.run(&format!("SELECT id FROM rooms WHERE name = '{}' FOR UPDATE", field.room("held")))?;
    field.lock = Some(sql);
    Ok(())
}

/// Guests of 250 addresses who post into the locked room.
pub fn crowd(field: &mut Field) {
    for number in 0..CROWD {
        let (addr, counts, path) = (field.addr, field.counts.clone(), format!("/ws/{}/", field.room("held")));
        field.tasks.spawn(async move {
            let Ok((mut reader, mut writer)) = open(addr, &path, loopback(number), "").await else { return };
            counts.opened.fetch_add(1, Relaxed);
            for said in 0..EACH {
                let post = format!(r#"{{"type":"post","id":"c{number}-{said}","message":"into the locked room"}}"#);
                if writer.text(&post).await.is_err() {
                    return;
                }
            }
            loop {
                match reader.next().await {
                    Ok(Frame::Text(text)) if text.starts_with(br#"{"type":"rejected""#) => counts.count(true),
                    Ok(Frame::Ping) => drop(writer.pong().await),
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
        });
    }
}

/// Opens the sockets that read the batch.
pub async fn readers(field: &mut Field) -> Outcome {
    let path = format!("/ws/{}/", field.room("held"));
    for number in 0..READERS {
        let (mut reader, mut writer) = open(field.addr, &path, loopback(number), "").await?;
        let counts = field.counts.clone();
        counts.opened.fetch_add(1, Relaxed);
        field.tasks.spawn(async move {
            let mut seen = 0;
            loop {
                match reader.next().await {
                    Ok(Frame::Text(text)) if text.starts_with(br#"{"type":"message""#) => {
                        seen += 1;
                        if seen == BATCH {
                            counts.count(false);
                        }
                    }
                    Ok(Frame::Ping) => drop(writer.pong().await),
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
        });
    }
    Ok(())
}

/// Queues the messages behind a lock, then releases it.
pub async fn burst(field: &mut Field) -> Outcome {
    let before = events_read(field).await.unwrap_or_default();
    field.note("reads", before);
    let (room, text) = (field.room("held"), "😀".repeat(4_000));
    let mut posters = Vec::new();
    for number in 0..BATCH {
        posters.push(open(field.addr, &format!("/ws/{room}/"), loopback(number), "").await?);
    }
    let mut sql = Sql::open(field)?;
    if field.database_url.is_some() {
        sql.run("BEGIN")?;
        sql.run(&format!("SELECT id FROM rooms WHERE name = '{room}' FOR UPDATE"))?;
    } else {
        sql.run("BEGIN IMMEDIATE")?;
    }
    for (_, writer) in &mut posters {
        writer.text(&format!(r#"{{"type":"post","id":"burst","message":"{text}"}}"#)).await?;
    }
    tokio::time::sleep(GATHER).await;
    sql.run("COMMIT")?;
    field.tasks.spawn(async move {
        let readers = posters.into_iter().map(|(mut reader, writer)| async move {
            while reader.discard().await.is_ok() {}
            drop(writer);
        });
        let mut all = tokio::task::JoinSet::new();
        readers.for_each(|reader| drop(all.spawn(reader)));
        while all.join_next().await.is_some() {}
    });
    Ok(())
}

/// Records how often events were read from the database since the burst, and which readers did not get all of it.
pub async fn reads(field: &mut Field) {
    let before = field.extra.get("reads").and_then(Value::as_f64).unwrap_or_default();
    match events_read(field).await {
        Some(after) => field.note("reads", after - before),
        None => drop(field.extra.remove("reads")),
    }
    field.note("lost", READERS as f64 - field.counts.done.load(Relaxed) as f64);
}

/// Returns how often the server has read events from the database, according to its metrics.
async fn events_read(field: &Field) -> Option<f64> {
    let answer = Http::connect(field.addr, HOST).await.ok()?.page("/metrics", "").await.ok()?;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let series = r#"parlour_database_seconds_count{operation="events"} "#;
    let count = text.lines().find_map(|line| line.strip_prefix(series)).map_or(Ok(0.0), str::parse);
    count.ok()
}
