//! Clients that send without end: pings, empty frames, fragments, single bytes. They share turns with other clients,
//! and are read no faster than necessary; the server can be stopped meanwhile.

use crate::support::flood::{Flood, frame, open};
use crate::support::{Client, DEADLINE, Database, Server, Site, eventually, http};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;

/// How long another client waits for an acknowledgement at most, on a machine that is busy with everything else.
const SOON: Duration = Duration::from_secs(8);

/// A server that is asked to stop has gone by then.
const GONE: Duration = Duration::from_secs(20);

/// Returns the floods over an open socket: name, first bytes, repeated bytes, and the number of bytes per write.
fn floods() -> Vec<(&'static str, Vec<u8>, Vec<u8>, usize)> {
    let text = |text: &str| frame(0x81, text.as_bytes());
    let long = [frame(0x01, b"x"), frame(0x00, &[b'x'; 16_000])].concat();
    vec![
        ("pings", vec![], frame(0x89, b""), 60_000),
        ("long pings", vec![], frame(0x89, &[7; 125]), 60_000),
        ("pongs", vec![], frame(0x8a, b""), 60_000),
        ("nothings", vec![], text("{}"), 60_000),
        ("heartbeats", vec![], text(r#"{"type":"heartbeat"}"#), 60_000),
        ("typing", vec![], text(r#"{"type":"typing"}"#), 60_000),
        ("syncs", vec![], text(r#"{"type":"sync","after":0}"#), 60_000),
        ("long nonsense", vec![], text(&"[".repeat(16_000)), 60_000),
        ("empty pieces", frame(0x01, b"x"), frame(0x00, b""), 60_000),
        ("pings in a message", long, frame(0x89, b""), 60_000),
        ("single bytes", vec![], frame(0x81, &[b'x'; 16_000]), 1),
        ("after the goodbye", frame(0x88, b""), frame(0x89, b""), 60_000),
        ("after a violation", vec![0xff; 8], text("{}"), 60_000),
    ]
}

async fn others_talk(ann: &mut Client, bob: &mut Client, round: &str) {
    for n in 0..5 {
        let (id, since) = (format!("{round}-{n}").replace(' ', "-"), Instant::now());
        ann.say(&id, "hello").await;
        bob.until(|frame| frame["id"] == *id).await;
        assert!(since.elapsed() < SOON, "{round}: {:?}", since.elapsed());
    }
}

async fn is_withstood(site: Site) {
    let mut server = site.start();
    let (mut ann, mut bob) = (Client::join(&server, "harbour").await, Client::join(&server, "harbour").await);
    let mut all = Vec::new();
    for (what, once, again, at_once) in floods() {
        let begin = || Flood::begin(open(&server, "/ws/harbour/"), &once, &again, at_once);
        let flood = [begin(), begin(), begin()];
        others_talk(&mut ann, &mut bob, what).await;
        assert_eq!(http::get(&server, "/healthz").await.status, 200, "{what}");
        Client::join(&server, "harbour").await;
        all.push(flood);
    }
    others_talk(&mut ann, &mut bob, "all of them").await;
    server.terminate();
    let status = server.wait(GONE).expect("a server that is asked to stop ends, whoever floods it");
    assert!(status.success(), "{status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_does_not_delay_other_authors() {
    is_withstood(Site::new(Database::Sqlite).await.limited(&["--message-burst", "1000"])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_without_limits_does_not_delay_other_authors() {
    is_withstood(Site::new(Database::Sqlite).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_without_end_keep_nobody_waiting() {
    let mut server = Site::new(Database::Sqlite).await.start();
    let (mut ann, mut bob) = (Client::join(&server, "harbour").await, Client::join(&server, "harbour").await);
    let begin = |path: &str| {
        let stream = std::net::TcpStream::connect(server.addr).expect("a connection");
        Flood::begin(stream, b"", format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes(), 60_000)
    };
    let _floods = ["/healthz", "/healthz", "/harbour/", "/", "/ws/harbour/", "/~~~/"].map(begin);
    others_talk(&mut ann, &mut bob, "requests").await;
    server.terminate();
    assert!(server.wait(GONE).expect("a server that is asked to stop ends").success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flooding_connection_is_read_at_a_limited_rate() {
    let server = Site::new(Database::Sqlite).await.limited(&[]).start();
    let flood = Flood::begin(open(&server, "/ws/harbour/"), b"", &frame(0x89, b""), 60_000);
    // The burst, and the kernel's buffers; then a few bytes per second, instead of millions.
    let before = eventually("the client is made to wait", || async {
        let before = flood.sent();
        tokio::time::sleep(Duration::from_secs(1)).await;
        (flood.sent() - before < 100_000).then_some(before)
    })
    .await;
    assert!(before < 16_000_000, "{before} bytes");
}

#[tokio::test]
async fn a_busy_connection_is_read_later_and_stays_open() {
    let server = Site::new(Database::Sqlite).await.limited(&[]).start();
    let mut client = Client::join(&server, "harbour").await;
    for _ in 0..2500 {
        let sent = client.send_message(Message::text(r#"{"type":"heartbeat"}"#)).await;
        sent.expect("the connection stays");
    }
    assert_eq!(client.say("1", "after all that").await["seq"], 1);
}

#[tokio::test]
async fn an_outbox_of_hundreds_is_sent_at_once() {
    let server = Site::new(Database::Sqlite)
        .await
        .limited(&["--message-burst", "600", "--message-burst-per-address", "600"])
        .start();
    let mut client = Client::join(&server, "harbour").await;
    let text = "x".repeat(500);
    let since = Instant::now();
    for n in 0..600 {
        client.post(&n.to_string(), &text).await;
    }
    let answered = client.until(|frame| frame["id"] == "599").await;
    assert!(answered.iter().all(|frame| frame["type"] == "message"));
    println!("{:?}", since.elapsed());
}

/// A replay of old messages counts against the limit of the client that requests it.
#[tokio::test]
async fn repeated_deliveries_use_the_budget_of_their_connection() {
    let server: Server = Site::new(Database::Sqlite).await.limited(&["--message-burst", "300"]).start();
    let mut client = Client::join(&server, "harbour").await;
    for n in 1..=200 {
        client.post(&n.to_string(), "x").await;
    }
    client.answer_to("200").await;
    // Repeatedly, each time after the previous replay has arrived.
    let since = Instant::now();
    for _ in 0..3 {
        client.send_text(r#"{"type":"sync","after":0}"#).await;
        client.until(|frame| frame["seq"] == 200).await;
    }
    assert!(since.elapsed() >= Duration::from_secs(2), "at most once a second");
    assert_eq!(client.say("201", "x").await["seq"], 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_messages_come_without_end_typing_and_presence_are_shown() {
    let server = Site::new(Database::Sqlite).await.start();
    let mut reader = Client::join(&server, "harbour").await;
    let post = frame(0x81, br#"{"message":"and on and on"}"#);
    let _talk = [(); 2].map(|()| Flood::begin(open(&server, "/ws/harbour/"), b"", &post, 60_000));
    reader.expect("message").await;
    let typing = frame(0x81, br#"{"type":"typing"}"#);
    let _typist = Flood::begin(open(&server, "/ws/harbour/?username=Ann"), b"", &typing, 60_000);
    let mut missing = vec!["typing", "presence"];
    let since = Instant::now();
    while !missing.is_empty() {
        let shown = reader.next_frame().await.expect("the connection stays");
        missing.retain(|kind| shown["type"] != *kind);
        assert!(since.elapsed() < DEADLINE, "{missing:?} not shown");
    }
}
