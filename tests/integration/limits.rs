//! Limits: a request above a limit is rejected with the reason, loses nothing, and does not affect other clients.

use crate::support::host::on_each_database;
use crate::support::server::Server;
use crate::support::{Client, DEADLINE, Database, Door, Site, database, eventually, http, raw};
use futures_util::future::join_all;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

on_each_database!(
    a_flood_of_messages_is_told_when_to_go_on,
    a_message_that_is_stored_is_answered_whatever_the_limit,
    connections_from_one_address_are_counted,
    new_rooms_of_one_address_are_counted,
    new_visitors_of_one_address_are_counted,
    only_a_trusted_proxy_says_who_connects,
    a_form_is_limited_like_a_frame,
);

#[tokio::test]
async fn connections_that_send_nothing_are_counted_too() {
    let server = server_of(&["--connections-per-address", "1"]).await;
    let mut ann = Client::join(&server, "harbour").await;
    let answered =
        || async { raw::request(&server, "GET", b"/healthz", "", "").await.is_some_and(|it| it.status == 200) };
    let idle = eventually("others of the same address are hung up on", || async {
        let mut idle = Vec::new();
        for _ in 0..64 {
            idle.push(raw::connect(&server).await);
        }
        (!answered().await).then_some(idle)
    })
    .await;
    // Clients in a room are not affected. When the idle connections are closed, new ones are accepted.
    ann.say("1", "meanwhile").await;
    drop(idle);
    eventually("there is room again", || async { answered().await.then_some(()) }).await;
}

/// Sends four posts at a time until one is rejected: how many were stored, and the rejection.
async fn flood(client: &mut Client) -> (usize, Value) {
    let asked = Instant::now();
    let mut stored = 0;
    for round in 0.. {
        let mut waiting: BTreeSet<String> = (0..4).map(|n| format!("flood-{round}-{n}")).collect();
        for id in &waiting {
            client.post(id, "flood").await;
        }
        // Rejections are sent before acknowledgements of posts that are being stored.
        let mut rejected = None;
        while !waiting.is_empty() {
            let answer = client.next().await;
            if waiting.remove(answer["id"].as_str().unwrap_or_default()) {
                match answer["type"].as_str() {
                    Some("message") => stored += 1,
                    _ => rejected = Some(answer),
                }
            }
        }
        if let Some(rejected) = rejected {
            return (stored, rejected);
        }
        assert!(asked.elapsed() < DEADLINE, "nothing is too much");
    }
    unreachable!("there is another round")
}

async fn a_flood_of_messages_is_told_when_to_go_on(site: Site) {
    let server = site.limited(&["--messages-per-second", "1", "--message-burst", "3"]).start();
    let mut ann = Client::join(&server, "harbour").await;
    let mut bob = Client::join(&server, "harbour").await;
    let (stored, rejected) = flood(&mut ann).await;
    assert!(stored >= 3, "{stored}");
    assert_eq!(rejected["code"], "rate_limited");
    let wait = rejected["retry_after_ms"].as_u64().expect("a time");
    assert!((1..=1000).contains(&wait), "{wait}");
    assert!(rejected["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    // Other clients can post.
    bob.post("calm", "calm").await;
    let heard = bob.until(|frame| frame["message"] == "calm").await;
    assert_eq!(heard.iter().filter(|frame| frame["type"] == "message").count(), stored + 1, "{heard:?}");
    tokio::time::sleep(Duration::from_millis(wait)).await;
    let again = ann.say(rejected["id"].as_str().expect("an id"), "flood").await;
    assert_eq!(again["type"], "message", "{again}");
}

async fn a_message_that_is_stored_is_answered_whatever_the_limit(site: Site) {
    let server = site.limited(&["--messages-per-second", "1", "--message-burst", "1"]).start();
    let mut ann = Client::join(&server, "harbour").await;
    let stored = ann.say("once", "hello").await;
    assert_eq!(stored["type"], "message", "{stored}");
    let (_, rejected) = flood(&mut ann).await;
    assert_eq!(rejected["code"], "rate_limited");
    for _ in 0..5 {
        assert_eq!(ann.say("once", "hello").await, stored);
    }
}

async fn connections_from_one_address_are_counted(site: Site) {
    let server = site.limited(&["--connections-per-address", "2", "--max-connections", "100"]).start();
    let one = Client::join(&server, "harbour").await;
    let _two = Client::join(&server, "harbour").await;
    assert_eq!(Door::of("harbour").refusal(&server).await, 429);
    drop(one);
    // The place is free as soon as the server has seen it go.
    while Door::of("harbour").try_join(server.addr).await.is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let server = server_of(&["--max-connections", "1"]).await;
    let _one = Client::join(&server, "harbour").await;
    assert_eq!(Door::of("harbour").refusal(&server).await, 503);
    let server = server_of(&["--joins-per-minute", "2"]).await;
    for expected in [101, 101, 429] {
        assert_eq!(Door::of("harbour").refusal(&server).await, expected);
    }
}

async fn server_of(settings: &[&str]) -> Server {
    Site::new(Database::Sqlite).await.limited(settings).start()
}

async fn new_rooms_of_one_address_are_counted(site: Site) {
    let site = site.limited(&["--rooms-per-hour", "2"]);
    let server = site.start();
    let mut one = Client::join(&server, "one").await;
    for n in 0..5 {
        one.post(&n.to_string(), "a room is counted once").await;
    }
    for n in 0..5 {
        assert_eq!(one.answer_to(&n.to_string()).await["type"], "message");
    }
    assert_eq!(http::post_form(&server, "/two/", &[("message", "hello")]).await.status, 303);
    let refused = http::post_form(&server, "/three/", &[("message", "hello")]).await;
    assert_eq!(refused.status, 429);
    assert!(refused.body.contains("Too many new rooms"), "{}", refused.body);
    let mut three = Client::join(&server, "three").await;
    let refused = three.say("1", "hello").await;
    assert_eq!((&refused["code"], refused["retry_after_ms"].is_u64()), (&"rate_limited".into(), true), "{refused}");
    assert_eq!(http::get(&server, "/three/").await.status, 200, "looking is free");
    assert_eq!(http::post_form(&server, "/one/", &[("message", "hello")]).await.status, 303, "it is there");
    assert_eq!(database::room_names(&site.database_url).await, ["one", "two"]);
}

async fn new_visitors_of_one_address_are_counted(site: Site) {
    let server = site.limited(&["--visitors-per-hour", "2"]).start();
    let known = http::identity(&server).await;
    assert_eq!(http::get(&server, "/harbour/").await.status, 200);
    assert_eq!(http::get(&server, "/harbour/").await.status, 429);
    assert_eq!(http::get_as(&server, "/harbour/", &known).await.status, 200);
}

async fn only_a_trusted_proxy_says_who_connects(site: Site) {
    let server = site.limited(&["--connections-per-address", "1", "--trusted-proxies", "127.0.0.1"]).start();
    let door = |client: &'static str| Door::of("harbour").header("x-forwarded-for", client);
    let _one = door("192.0.2.1").join(&server).await;
    assert_eq!(door("192.0.2.1").refusal(&server).await, 429);
    assert_eq!(door("198.51.100.7, 192.0.2.1").refusal(&server).await, 429, "what the client says of itself");
    let _two = door("192.0.2.2").join(&server).await;
    let _network = door("2001:db8::1").join(&server).await;
    assert_eq!(door("2001:db8::2").refusal(&server).await, 429, "one network of 64 bits");
    let server = server_of(&["--connections-per-address", "1"]).await;
    let _one = door("192.0.2.1").join(&server).await;
    assert_eq!(door("192.0.2.2").refusal(&server).await, 429, "nobody is trusted here");
}

async fn a_form_is_limited_like_a_frame(site: Site) {
    let site = site.limited(&["--messages-per-second", "1", "--message-burst", "1"]);
    let server = site.start();
    let cookie = http::identity(&server).await;
    let post = |message: &'static str| {
        let request = http::browser().post(server.url("/harbour/")).header("cookie", &cookie);
        http::send(request.form(&[("message", message)]))
    };
    let refused = eventually("there is too much", || async {
        let answers = join_all((0..4).map(|_| post("one & more"))).await;
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        assert!(statuses.iter().all(|status| [303, 429].contains(status)), "{statuses:?}");
        answers.into_iter().find(|answer| answer.status == 429)
    });
    let refused = refused.await;
    assert!(refused.body.contains("one &amp; more"), "the text comes back: {}", refused.body);
    assert!(!database::messages(&site.database_url, "harbour").await.is_empty(), "up to the limit they are stored");
}
