//! Rooms with very many readers: events are gathered before they are written, nobody waits for their own, and typing
//! and presence thin out. Most readers are on another node, which only the relay knows.

use crate::cluster::relay_is;
use crate::support::flood::{frame, open, texts};
use crate::support::peer_node::PeerNode;
use crate::support::presence::shown_typing;
use crate::support::redis::Redis;
use crate::support::{Client, DEADLINE, Database, Door, Server, Site};
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The most readers that any rule distinguishes, and the time for which events are gathered for them.
const CROWD: usize = 100_000;
const GATHERING_TIME: Duration = Duration::from_secs(1);

/// A room whose readers are mostly elsewhere.
struct CrowdedRoom {
    site: Site,
    redis: Redis,
    server: Server,
    elsewhere: PeerNode,
}

impl CrowdedRoom {
    async fn open() -> Self {
        let redis = tokio::task::spawn_blocking(Redis::start).await.expect("Redis");
        let site = Site::new(Database::Postgres).await.with_redis(redis.url());
        let server = site.start();
        relay_is(&server, "ok").await;
        Client::join(&server, "harbour").await.say("first", "first").await;
        let elsewhere = PeerNode::join(&site, &redis, "harbour").await;
        Self { site, redis, server, elsewhere }
    }

    /// Lets so many readers enter elsewhere, and waits until `client` is told of them and of those `here`.
    async fn fill(&self, client: &mut Client, readers: usize, here: usize) {
        let told = async {
            loop {
                self.elsewhere.has_readers(readers);
                let presence = client.next_frame().await.expect("the connection stays");
                if presence["count"] == readers + here {
                    return;
                }
            }
        };
        tokio::time::timeout(DEADLINE, told).await.expect("the client is told of them");
    }

    async fn named(&self, name: &str) -> Client {
        Door::of("harbour").username(name).join(&self.server).await
    }
}

/// A reader in its own thread, which reads whatever has arrived as soon as it arrives.
struct Watcher {
    last: Arc<AtomicI64>,
    thread: JoinHandle<(usize, Vec<Value>)>,
}

impl Watcher {
    fn enter(server: &Server) -> Self {
        let last = Arc::new(AtomicI64::new(i64::MAX));
        let mut stream = open(server, "/ws/harbour/");
        stream.set_read_timeout(Some(Duration::from_millis(100))).expect("a socket");
        let end = last.clone();
        let thread = std::thread::spawn(move || {
            let (mut reads, mut bytes, mut buffer, since) = (0, Vec::new(), vec![0; 1 << 20], Instant::now());
            loop {
                match stream.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(read) => {
                        reads += usize::from(buffer[..read].windows(16).any(|part| part == b"\"type\":\"message\""));
                        bytes.extend_from_slice(&buffer[..read]);
                    }
                    Err(error) if error.kind() != ErrorKind::WouldBlock => break,
                    Err(_) if since.elapsed() > DEADLINE => break,
                    Err(_) => {}
                }
                let last = end.load(Ordering::SeqCst);
                if last < i64::MAX && numbers(&texts(&bytes)).last() >= Some(&last) {
                    break;
                }
                if bytes.ends_with(&[0x89, 0]) {
                    let _ = stream.write_all(&frame(0x8a, b""));
                }
            }
            (reads, texts(&bytes))
        });
        Self { last, thread }
    }

    /// Waits for the message `last`. Returns the number of reads that had messages, and all frames.
    fn leave_after(self, last: i64) -> (usize, Vec<Value>) {
        self.last.store(last, Ordering::SeqCst);
        self.thread.join().expect("a reader")
    }
}

fn numbers(frames: &[Value]) -> Vec<i64> {
    frames.iter().filter(|frame| frame["type"] == "message").filter_map(|frame| frame["seq"].as_i64()).collect()
}

const MESSAGES: i64 = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_gets_events_together_and_the_sender_does_not_wait() {
    let room = CrowdedRoom::open().await;
    let mut ann = room.named("Ann").await;
    room.fill(&mut ann, CROWD, 1).await;
    let mut bob = room.named("Bob").await;
    let watcher = Watcher::enter(&room.server);
    let began = Instant::now();
    for n in 2..=MESSAGES {
        assert_eq!(ann.say(&format!("m{n}"), &format!("message {n}")).await["seq"], n);
    }
    let acknowledged = began.elapsed();
    // Had each acknowledgement waited, they would have taken a second each.
    assert!(acknowledged < GATHERING_TIME * (MESSAGES as u32) / 2, "{acknowledged:?}");
    // Answers do not wait either, and a writer gets the events before their own.
    bob.post("empty", "").await;
    let mut heard = bob.until(|frame| frame["id"] == "empty").await;
    bob.post("last", "last").await;
    heard.extend(bob.until(|frame| frame["id"] == "last").await);
    let all: Vec<i64> = (2..=MESSAGES + 1).collect();
    assert_eq!(numbers(&heard), all, "in order, none twice, none missing");
    // Neither does somebody who enters.
    let mut carol = Door::of("harbour").after(0).join(&room.server).await;
    for n in 1..=MESSAGES + 1 {
        assert_eq!(carol.expect("message").await["seq"], n);
    }
    // The last event is written when its time has come, although no other follows.
    let (reads, frames) = tokio::task::block_in_place(|| watcher.leave_after(MESSAGES + 1));
    let elapsed = began.elapsed();
    assert_eq!(numbers(&frames), all, "in order, none twice, none missing");
    // The first is immediate, and the second comes after a part of the time.
    let most = 3 + elapsed.div_duration_f64(GATHERING_TIME) as usize;
    assert!(reads <= most, "{reads} writes in {elapsed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_get_everything_before_a_server_stops_although_it_was_being_gathered() {
    let mut room = CrowdedRoom::open().await;
    let mut ann = room.named("Ann").await;
    room.fill(&mut ann, CROWD, 1).await;
    let mut readers = Vec::new();
    for _ in 0..20 {
        readers.push(Client::join(&room.server, "harbour").await);
    }
    for n in 2..=MESSAGES {
        ann.say(&format!("m{n}"), &format!("message {n}")).await;
    }
    room.server.terminate();
    for mut reader in readers {
        assert_eq!(numbers(&reader.rest().await), (2..=MESSAGES).collect::<Vec<_>>());
        assert_eq!(reader.closed, Some(1012));
    }
    assert!(tokio::task::block_in_place(|| room.server.wait(DEADLINE)).is_some_and(|ended| ended.success()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_does_not_wait_although_its_node_has_missed_events() {
    const ROUNDS: i64 = 20;
    let room = CrowdedRoom::open().await;
    let other = room.site.start();
    relay_is(&other, "ok").await;
    let mut ann = room.named("Ann").await;
    let mut bob = Door::of("harbour").username("Bob").join(&other).await;
    room.fill(&mut bob, CROWD, 2).await;
    let watcher = Watcher::enter(&other);
    // From here on, a node learns of the other's events when it finds a gap before its own.
    room.redis.freeze();
    for n in 1..=ROUNDS {
        ann.say(&format!("a{n}"), &format!("message {n}")).await;
        bob.say(&format!("b{n}"), &format!("answer {n}")).await;
    }
    room.redis.thaw();
    let (reads, frames) = tokio::task::block_in_place(|| watcher.leave_after(1 + 2 * ROUNDS));
    assert_eq!(numbers(&frames), (2..=1 + 2 * ROUNDS).collect::<Vec<_>>());
    // Had each answer waited for the events of the crowd, these would have come in as many writes.
    assert!(reads < ROUNDS as usize, "{reads} writes");
}

/// Whether `reader` is shown typing on either node, before `other` says something.
async fn typing_is_shown(room: &CrowdedRoom, reader: &mut Client, writer: &mut Client, id: &str) -> bool {
    writer.send(json!({"type": "typing"})).await;
    room.elsewhere.types();
    // A hint from the other node is on its way for some time.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    writer.say(id, id).await;
    let mut shown = false;
    loop {
        let frame = reader.next_frame().await.expect("the connection stays");
        shown |= frame["type"] == "typing";
        if frame["id"] == id {
            return shown;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_crowd_nobody_is_shown_who_is_typing() {
    let room = CrowdedRoom::open().await;
    let (mut ann, mut bob) = (room.named("Ann").await, room.named("Bob").await);
    room.fill(&mut ann, 998, 2).await;
    shown_typing(&mut ann, &mut bob).await;
    room.fill(&mut ann, 999, 2).await;
    assert!(!typing_is_shown(&room, &mut ann, &mut bob, "crowded").await);
    assert!(!typing_is_shown(&room, &mut ann, &mut bob, "still-crowded").await);
    room.fill(&mut ann, 10, 2).await;
    shown_typing(&mut ann, &mut bob).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_crowd_presence_comes_less_often() {
    let room = CrowdedRoom::open().await;
    let mut ann = room.named("Ann").await;
    room.fill(&mut ann, 4000, 1).await;
    let began = Instant::now();
    let mut counts = Vec::new();
    while began.elapsed() < Duration::from_secs(12) {
        // Something changes all the time.
        room.elsewhere.has_readers(4000 + counts.len() * 100 + began.elapsed().as_millis() as usize % 97);
        let next = tokio::time::timeout(Duration::from_millis(200), ann.next_frame()).await;
        let frame = next.ok().map(|frame| frame.expect("the connection stays"));
        counts.extend(frame.and_then(|frame| frame["count"].as_u64()));
    }
    let most = 1 + began.elapsed().as_secs() as usize / 4;
    assert!(!counts.is_empty() && counts.len() <= most, "{counts:?}");
}

/// Reads up to the first heartbeat, slowly until `hurries`.
async fn heartbeat_counts_events_before_it(reader: &mut Client, hurries: &AtomicBool) {
    let mut last = reader.welcome["head"].as_i64().expect("a number");
    loop {
        let frame = reader.next_frame().await.expect("the connection stays");
        match frame["type"].as_str() {
            Some("message") => last = frame["seq"].as_i64().expect("a number"),
            Some("heartbeat") => return assert!(frame["head"].as_i64() <= Some(last), "{frame} after {last}"),
            _ => {}
        }
        if !hurries.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heartbeat_comes_after_the_events_that_it_counts() {
    let room = CrowdedRoom::open().await;
    let mut ann = room.named("Ann").await;
    room.fill(&mut ann, CROWD, 1).await;
    let mut readers: Vec<Client> = Vec::new();
    for _ in 0..10 {
        readers.push(Client::join(&room.server, "harbour").await);
    }
    // One is always behind: the events fill its buffers.
    let mut slow = Door::of("harbour").receive_buffer(4096).join(&room.server).await;
    let over = Arc::new(AtomicBool::new(false));
    let talking = tokio::spawn({
        let over = over.clone();
        async move {
            for n in 2.. {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                ann.say(&format!("m{n}"), &format!("message {n} {}", "x".repeat(1900))).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    });
    let behind = tokio::spawn({
        let over = over.clone();
        async move { heartbeat_counts_events_before_it(&mut slow, &over).await }
    });
    for reader in &mut readers {
        heartbeat_counts_events_before_it(reader, &AtomicBool::new(true)).await;
    }
    over.store(true, Ordering::SeqCst);
    talking.await.expect("somebody talks");
    behind.await.expect("somebody is behind");
}
