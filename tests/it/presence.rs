//! Who is here and who is writing: hints, told to everybody in the room over all servers.

use crate::nodes::{relay_is, they_hear_each_other, two_nodes};
use crate::support::host::on_each_database;
use crate::support::presence::{shown_typing, told};
use crate::support::redis::Redis;
use crate::support::{Client, DEADLINE, Database, Door, Server, Site, database, http};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

on_each_database!(
    everybody_in_a_room_is_counted_and_named,
    somebody_on_two_connections_is_one_participant,
    who_is_writing_is_shown_to_the_others_alone,
);

async fn named(server: &Server, name: &str) -> Client {
    Door::of("harbour").username(name).join(server).await
}

async fn everybody_in_a_room_is_counted_and_named(site: Site) {
    let server = site.start();
    let mut ann = named(&server, "Ann").await;
    told(&mut ann, &["Ann"]).await;
    let mut bob = named(&server, "Bob").await;
    let _elsewhere = Door::of("tavern").username("Eve").join(&server).await;
    told(&mut ann, &["Ann", "Bob"]).await;
    told(&mut bob, &["Ann", "Bob"]).await;
    // A post may bring another name.
    bob.send(json!({"message": "hello", "username": "Bert"})).await;
    told(&mut ann, &["Ann", "Bert"]).await;
    drop(bob);
    told(&mut ann, &["Ann"]).await;
}

async fn somebody_on_two_connections_is_one_participant(site: Site) {
    let server = site.start();
    let cookie = http::identity(&server).await;
    let mut watcher = named(&server, "Bob").await;
    let door = Door::of("harbour").username("Ann").identity(&cookie, &server);
    let first = door.join(&server).await;
    told(&mut watcher, &["Ann", "Bob"]).await;
    let second = door.join(&server).await;
    let _other = named(&server, "Ann").await;
    told(&mut watcher, &["Ann", "Ann", "Bob"]).await;
    drop(first);
    let _carl = named(&server, "Carl").await;
    told(&mut watcher, &["Ann", "Ann", "Bob", "Carl"]).await;
    drop(second);
    told(&mut watcher, &["Ann", "Bob", "Carl"]).await;
}

/// Every frame up to the message of this text.
async fn heard_until(client: &mut Client, text: &str) -> Vec<Value> {
    let mut frames = Vec::new();
    loop {
        let frame = client.next_frame().await.expect("the connection stays");
        if frame["message"] == text {
            return frames;
        }
        frames.push(frame);
    }
}

async fn who_is_writing_is_shown_to_the_others_alone(site: Site) {
    let server = site.start();
    let mut ann = named(&server, "Ann").await;
    let mut bob = named(&server, "Bob").await;
    let shown = shown_typing(&mut bob, &mut ann).await;
    assert_eq!((&shown["username"], &shown["tag"]), (&json!("Ann"), &ann.welcome["tag"]));
    assert_eq!(shown.get("message"), None);
    bob.say("a", "done").await;
    let heard = heard_until(&mut ann, "done").await;
    assert!(heard.iter().all(|frame| frame["type"] != "typing"), "nobody is told of herself: {heard:?}");
    assert_eq!(database::messages(&site.database_url, "harbour").await.len(), 1, "a hint is not stored");
}

#[tokio::test]
async fn everybody_is_counted_over_all_servers() {
    let redis = tokio::task::spawn_blocking(Redis::start).await.expect("Redis");
    let site = Site::new(Database::Postgres).await.with_redis(redis.url());
    let (one, mut two) = (site.start(), site.start());
    let mut ann = named(&one, "Ann").await;
    let mut bob = named(&two, "Bob").await;
    told(&mut ann, &["Ann", "Bob"]).await;
    told(&mut bob, &["Ann", "Bob"]).await;
    shown_typing(&mut ann, &mut bob).await;
    two.kill();
    told(&mut ann, &["Ann"]).await;
}

/// Enough rooms that they do not fit into any queue at once.
const ROOMS: usize = 1500;

// Clients and servers are of one process and user: so many files have to be allowed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_counted_in_thousands_of_rooms_and_messages_do_not_wait() {
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let rooms = std::env::var("PRESENCE_ROOMS").ok().and_then(|rooms| rooms.parse().ok()).unwrap_or(ROOMS);
    let (_site, redis, one, two) = two_nodes().await;
    let (mut ann, mut bob) = (Client::join(&one, "harbour").await, Client::join(&two, "harbour").await);
    let mut clients = Vec::new();
    let began = Instant::now();
    for n in 0..rooms {
        for (server, name) in [(&one, "Cleo"), (&two, "Dan")] {
            clients.push(Door::of(&format!("room-{n}")).username(name).join(server).await);
        }
        if n % 100 == 0 {
            they_hear_each_other(&mut ann, &mut bob, &format!("opening-{n}")).await;
        }
    }
    println!("{rooms} rooms on each node after {:?}", began.elapsed());
    let seen = async {
        for client in &mut clients {
            while client.next_frame().await.expect("the connection stays")["count"] != 2 {}
        }
    };
    tokio::time::timeout(2 * DEADLINE, seen).await.expect("everybody is counted");
    println!("everybody was counted after {:?}", began.elapsed());
    relay_is(&one, "ok").await;
    // Nothing is said again that is known, and nobody is forgotten: half of them go, the others stay.
    for n in (0..clients.len()).rev().step_by(2) {
        drop(clients.swap_remove(n));
    }
    redis.tell(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
    let mut longest = Duration::ZERO;
    for n in 0..50 {
        let asked = Instant::now();
        they_hear_each_other(&mut ann, &mut bob, &format!("leaving-{n}")).await;
        longest = longest.max(asked.elapsed());
    }
    println!("the slowest message took {longest:?}");
    let left = async {
        for client in &mut clients {
            while client.next_frame().await.expect("the connection stays")["count"] != 1 {}
        }
    };
    tokio::time::timeout(2 * DEADLINE, left).await.expect("nobody is counted who has gone");
}
