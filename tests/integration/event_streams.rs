//! Event streams over HTTP: the log from any number and then live, in three formats, with exact resume; and how they
//! end.

use crate::support::event_reader::{EventReader, Format, Item};
use crate::support::host::on_each_database;
use crate::support::{Client, Database, Door, Server, Site, eventually, http, raw};
use reqwest::StatusCode;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

on_each_database!(
    a_stream_has_the_log_and_then_what_is_new,
    a_stream_begins_at_any_number,
    a_stream_resumes_after_the_server_was_killed,
    a_banned_author_is_cut_off_and_kept_out,
    a_deleted_room_ends_its_streams,
    a_draining_server_says_so_and_ends,
    a_log_that_cannot_be_continued_begins_with_a_reset,
);

const EVENTS: &str = "/harbour/events";

async fn a_stream_has_the_log_and_then_what_is_new(site: Site) {
    let server = site.start();
    let mut ann = Client::with_messages(&server, 3).await;
    let mut events = EventReader::open(&server, "/harbour/events?after=1", Format::EventStream, &[]).await;
    let mut lines = EventReader::open(&server, "/harbour/events?after=0", Format::JsonLines, &[]).await;
    let mut text = EventReader::open(&server, EVENTS, Format::PlainText, &[]).await;
    assert_eq!(events.header("x-accel-buffering"), Some("no"));
    assert_eq!(events.header("content-encoding"), None);
    for n in 2..=3 {
        let Item { id, data, .. } = events.expect("message").await;
        assert_eq!((id, &data["seq"], &data["message"]), (Some(n), &json!(n), &json!(n.to_string())));
    }
    let said = ann.say("four", "one\ntwo").await;
    ann.send(json!({"type": "edit", "id": "five", "target": 4, "text": "three"})).await;
    ann.answer_to("five").await;
    let message = events.expect("message").await;
    assert_eq!((message.id, &message.data), (Some(4), &said));
    assert_eq!(events.expect("edited").await.data["text"], "three");
    for n in 1..=5 {
        assert_eq!(lines.next().await.expect("a line").data["seq"], n);
    }
    for line in ["Ann: one", "  two"] {
        assert_eq!(text.next().await.expect("a line").data, line);
    }
}

async fn a_stream_begins_at_any_number(site: Site) {
    let server = site.start();
    // More than a socket gets.
    let mut ann = Client::with_messages(&server, 1200).await;
    for (after, format) in [(0, Format::EventStream), (0, Format::JsonLines), (1199, Format::EventStream)] {
        let mut reader = EventReader::open(&server, &format!("{EVENTS}?wait=0&after={after}"), format, &[]).await;
        for n in after + 1..=1200 {
            assert_eq!(reader.expect("message").await.data["seq"], n);
        }
        if format == Format::EventStream {
            assert_eq!(reader.expect("end").await.data["code"], 1000);
        }
        assert_eq!(reader.next().await, None);
    }
    // Whoever has the head gets the end at once, and one who waits gets what comes.
    let mut at_head = EventReader::open(&server, &format!("{EVENTS}?wait=0&after=1200"), Format::JsonLines, &[]).await;
    assert_eq!(at_head.next().await, None);
    // The header of a browser that reconnects precedes the number in the address.
    let header = [("last-event-id", "1200")];
    let mut reader = EventReader::open(&server, &format!("{EVENTS}?after=0"), Format::EventStream, &header).await;
    ann.say("more", "more").await;
    assert_eq!(reader.expect("message").await.id, Some(1201));
}

#[tokio::test]
async fn a_reader_has_a_position_before_the_first_event() {
    let server = Site::new(Database::Sqlite).await.start();
    let mut ann = Client::with_messages(&server, 2).await;
    for (query, position) in [("", "2"), ("?after=1", "1"), ("?after=99", "2")] {
        let response = http::browser().get(server.url(&format!("{EVENTS}{query}"))).send().await;
        let mut response = response.expect("a stream");
        let mut text = String::new();
        while !text.contains(&format!("id: {position}\n\n")) {
            let chunk = response.chunk().await.expect("bytes").expect("more");
            text += str::from_utf8(&chunk).expect("UTF-8");
        }
        assert!(!text.contains("event: message\ndata") || position == "1", "{text}");
    }
    ann.say("3", "3").await;
}

#[tokio::test]
async fn a_poller_may_close_its_half_at_once() {
    let server = Site::new(Database::Sqlite).await.start();
    let _ann = Client::with_messages(&server, 300).await;
    for _ in 0..5 {
        let mut stream = raw::connect(&server).await;
        let request =
            format!("GET {EVENTS}?after=0&wait=0 HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        // The server has answered, so the request was read.
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).await.expect("an answer");
        stream.shutdown().await.expect("closed");
        stream.read_to_end(&mut answer).await.expect("the end");
        assert_eq!(
            answer.iter().filter(|byte| **byte == b'\n').count(),
            300 + String::from_utf8_lossy(&answer).matches("\r\n").count()
        );
    }
}

async fn a_stream_resumes_after_the_server_was_killed(site: Site) {
    let mut server = site.start();
    let ann = Client::with_messages(&server, 5).await;
    let mut reader = EventReader::open(&server, &format!("{EVENTS}?after=0"), Format::EventStream, &[]).await;
    let mut last = 0;
    for _ in 1..=3 {
        last = reader.expect("message").await.id.expect("a number");
    }
    server.kill();
    while let Some(item) = reader.next().await {
        last = item.id.unwrap_or(last);
    }
    drop(ann);
    let server = site.start();
    let mut ann = Door::of("harbour").username("Ann").join(&server).await;
    ann.say("six", "six").await;
    let header = [("last-event-id", &*last.to_string())];
    let mut reader = EventReader::open(&server, EVENTS, Format::EventStream, &header).await;
    for n in last + 1..=6 {
        assert_eq!(reader.expect("message").await.id, Some(n));
    }
}

/// The owner Ann, and Bob, who has posted message 2 and reads by both kinds of streams.
async fn with_bob(site: &Site) -> (Server, Client, String, [EventReader; 2]) {
    let server = site.start();
    let (ann, bob) = (http::identity(&server).await, http::identity(&server).await);
    let mut ann = Door::of("harbour").username("Ann").identity(&ann, &server).join(&server).await;
    ann.say("a", "mine").await;
    let mut client = Door::of("harbour").username("Bob").identity(&bob, &server).join(&server).await;
    client.say("b", "hello").await;
    let headers = [("cookie", &*bob)];
    let events = EventReader::open(&server, EVENTS, Format::EventStream, &headers).await;
    let lines = EventReader::open(&server, EVENTS, Format::JsonLines, &headers).await;
    (server, ann, bob, [events, lines])
}

/// Reads to the end. Returns the code that the last item gives.
async fn end_code(reader: &mut EventReader) -> Value {
    let mut last = Item::default();
    while let Some(item) = reader.next().await {
        last = item;
    }
    assert_eq!((&*last.event, last.id), ("end", None), "{last:?}");
    assert!(last.data["detail"].is_string());
    last.data["code"].clone()
}

async fn a_banned_author_is_cut_off_and_kept_out(site: Site) {
    let (server, mut ann, bob, readers) = with_bob(&site).await;
    ann.send(json!({"type": "moderate", "id": "ban", "action": "ban", "target": 2, "seconds": 600})).await;
    ann.answer_to("ban").await;
    for mut reader in readers {
        assert_eq!(end_code(&mut reader).await, 4503);
    }
    let answer = http::get_as(&server, EVENTS, &bob).await;
    assert_eq!(answer.status, 403);
    let problem: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!((&problem["code"], &problem["status"]), (&json!("forbidden"), &json!(403)));
}

async fn a_deleted_room_ends_its_streams(site: Site) {
    let (_server, _ann, _, readers) = with_bob(&site).await;
    let (done, said) = site.command(&["delete", "harbour", "--yes"]);
    assert!(done, "{said}");
    for mut reader in readers {
        assert_eq!(end_code(&mut reader).await, 4505);
    }
}

async fn a_draining_server_says_so_and_ends(site: Site) {
    let (server, _ann, _, [mut events, mut lines]) = with_bob(&site).await;
    server.terminate();
    let drain = events.expect("drain").await;
    assert!(drain.id.is_none() && drain.data["reconnect_in_ms"].is_u64());
    assert_eq!(end_code(&mut events).await, 1012);
    assert_eq!(end_code(&mut lines).await, 1012);
}

async fn a_log_that_cannot_be_continued_begins_with_a_reset(site: Site) {
    let server = site.start();
    let mut ann = Client::with_messages(&server, 3).await;
    for query in ["after=99", "after=99999999999999999999", "after=1&epoch=other"] {
        let path = format!("{EVENTS}?{query}");
        let mut events = EventReader::open(&server, &path, Format::EventStream, &[]).await;
        let mut lines = EventReader::open(&server, &path, Format::JsonLines, &[]).await;
        let reset = events.expect("reset").await;
        assert_eq!((reset.id, &reset.data["epoch"]), (None, &ann.welcome["epoch"]), "{query}");
        assert_eq!(lines.expect("reset").await.data, reset.data);
        // The stream goes on from the new head.
        let said = ann.say(query.split('=').next_back().expect("a part"), "more").await;
        assert_eq!(events.expect("message").await.data, said);
        assert_eq!(lines.expect("message").await.data, said);
    }
}

#[tokio::test]
async fn a_bad_request_for_a_stream_gets_a_problem() {
    let server = Site::new(Database::Sqlite).await.start();
    let private = format!("/secret~{}/events", "a".repeat(26));
    for (path, headers, status, code) in [
        ("/harbour/events?after=x", &[][..], 400, "invalid"),
        ("/harbour/events?after=-1", &[], 400, "invalid"),
        ("/harbour/events?after=1&after=2", &[], 400, "invalid"),
        (EVENTS, &[("last-event-id", "x")], 400, "invalid"),
        ("/%20/events", &[], 404, "not_found"),
        (&*private, &[], 404, "not_found"),
        (EVENTS, &[("origin", "https://evil.example")], 403, "forbidden"),
        (EVENTS, &[("sec-fetch-site", "cross-site")], 403, "forbidden"),
    ] {
        let request = http::browser().get(server.url(path));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let problem: Value = serde_json::from_str(&response.text().await.expect("a body")).expect("JSON");
        assert_eq!((&problem["status"], &problem["code"]), (&json!(status), &json!(code)), "{path}");
    }
    let head = http::browser().head(server.url(EVENTS)).header(ACCEPT, "text/plain").send().await.expect("an answer");
    assert_eq!(
        (head.status(), &head.headers()["content-type"]),
        (StatusCode::OK, &"text/plain; charset=utf-8".parse().unwrap())
    );
    let elsewhere = http::get(&server, "/Harbour/events?after=3").await;
    assert_eq!(
        (elsewhere.status, elsewhere.location.as_deref()),
        (StatusCode::PERMANENT_REDIRECT, Some("/harbour/events?after=3"))
    );
}

#[tokio::test]
async fn readers_are_present_and_pollers_are_not() {
    let server = Site::new(Database::Sqlite).await.start();
    let mut ann = Client::with_messages(&server, 1).await;
    let reader = EventReader::open(&server, EVENTS, Format::EventStream, &[]).await;
    let mut counts = Vec::new();
    while counts.last() != Some(&json!(2)) {
        counts.extend(ann.next_frame().await.expect("a frame").get("count").cloned());
    }
    let mut poller = EventReader::open(&server, &format!("{EVENTS}?wait=0&after=0"), Format::EventStream, &[]).await;
    while poller.next().await.is_some() {}
    drop(reader);
    while counts.last() != Some(&json!(1)) {
        counts.extend(ann.next_frame().await.expect("a frame").get("count").cloned());
    }
    assert!(!counts.contains(&json!(3)), "the poller was never shown: {counts:?}");
}

#[tokio::test]
async fn streams_count_as_connections_of_their_network() {
    let site = Site::new(Database::Sqlite).await.limited(&["--connections-per-address", "2"]);
    let server = site.start();
    let url = server.url(EVENTS);
    let open = || EventReader::try_open(&url, Format::EventStream, &[]);
    let (first, _second) = (open().await.unwrap().expect("a stream"), open().await.unwrap().expect("a stream"));
    let refused = open().await.unwrap().expect_err("a refusal");
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    drop(first);
    eventually("a stream that ended makes room", || async { open().await.unwrap().ok() }).await;
}

#[tokio::test]
async fn a_stream_that_is_not_read_costs_the_others_nothing() {
    let server = Site::new(Database::Sqlite).await.start();
    let mut ann = Client::with_messages(&server, 1).await;
    let mut stalled = Vec::new();
    for _ in 0..20 {
        stalled.push(raw::connect(&server).await);
        let stream = stalled.last_mut().expect("one");
        let request = format!("GET {EVENTS}?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n");
        tokio::io::AsyncWriteExt::write_all(stream, request.as_bytes()).await.expect("sent");
    }
    let mut reader = EventReader::open(&server, EVENTS, Format::JsonLines, &[]).await;
    let text = "x".repeat(3900);
    for n in 0..300 {
        ann.say(&format!("long{n}"), &text).await;
        assert_eq!(reader.expect("message").await.data["seq"], n + 2);
    }
}
