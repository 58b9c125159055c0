//! Presence and typing: hints that all clients of a room get, on all servers.

use crate::cluster::{relay_is, they_hear_each_other, two_nodes};
use crate::support::host::on_each_database;
use crate::support::presence::{shown_typing, told};
use crate::support::redis::Redis;
use crate::support::{Client, DEADLINE, Database, Door, Server, Site, database, http};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

on_each_database!(
    everybody_in_a_room_is_counted_and_named,
    somebody_on_two_connections_is_one_participant,
    typing_hints_reach_only_the_others,
    nobody_is_shown_that_somebody_muted_is_writing,
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

/// Whether `reader` is shown that `writer` is writing, before `other` has said something.
async fn is_shown(reader: &mut Client, writer: &mut Client, other: &mut Client) -> bool {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    writer.send(json!({"type": "typing"})).await;
    // Answered after it was heard.
    writer.send(json!({"type": "post", "id": "empty", "message": ""})).await;
    writer.answer_to("empty").await;
    let text = format!("over {}", NEXT.fetch_add(1, Ordering::Relaxed));
    other.say(&text.replace(' ', "-"), &text).await;
    heard_until(reader, &text).await.iter().any(|frame| frame["type"] == "typing")
}

async fn nobody_is_shown_that_somebody_muted_is_writing(site: Site) {
    let server = site.start();
    let (owner, muted) = (http::identity(&server).await, http::identity(&server).await);
    let mut ann = Door::of("harbour").username("Ann").identity(&owner, &server).join(&server).await;
    ann.say("a1", "mine").await;
    let mut bob = Door::of("harbour").username("Bob").identity(&muted, &server).join(&server).await;
    bob.say("b1", "hello").await;
    assert_eq!(shown_typing(&mut ann, &mut bob).await["username"], "Bob");
    ann.send(json!({"type": "moderate", "id": "m", "action": "mute", "target": 2, "seconds": 600})).await;
    bob.answer_to("m").await;
    assert_eq!(bob.say("b2", "hear me").await["code"], "forbidden");
    let mut carol = named(&server, "Carol").await;
    // A new connection of his is affected at once; an existing one as soon as the node has looked up the subject.
    let mut again = Door::of("harbour").username("Bob").identity(&muted, &server).join(&server).await;
    assert!(!is_shown(&mut ann, &mut again, &mut carol).await);
    let looked_up = async {
        while is_shown(&mut ann, &mut bob, &mut carol).await {
            // More often than once a second is not passed on.
            tokio::time::sleep(Duration::from_millis(1100)).await;
        }
    };
    timeout(DEADLINE, looked_up).await.expect("nobody is shown it any more");
    ann.send(json!({"type": "moderate", "id": "p", "action": "pardon", "target": 2})).await;
    ann.answer_to("p").await;
    let mut bob = Door::of("harbour").username("Bob").identity(&muted, &server).join(&server).await;
    assert_eq!(shown_typing(&mut ann, &mut bob).await["username"], "Bob");
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

async fn typing_hints_reach_only_the_others(site: Site) {
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

// Clients and servers run as one user, so that the limit of open files must be high enough.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_counted_in_thousands_of_rooms_and_messages_do_not_wait() {
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let rooms = std::env::var("PRESENCE_ROOMS").ok().and_then(|rooms| rooms.parse().ok()).unwrap_or(ROOMS);
    let (_site, redis, one, two) = two_nodes().await;
    let (mut ann, mut bob) = (Client::join(&one, "harbour").await, Client::join(&two, "harbour").await);
    let mut guests = Vec::new();
    let began = Instant::now();
    for n in 0..rooms {
        for (server, name) in [(&one, "Cleo"), (&two, "Dan")] {
            guests.push(Guest::enter(server, &format!("room-{n}"), name).await);
        }
        if n % 100 == 0 {
            they_hear_each_other(&mut ann, &mut bob, &format!("opening-{n}")).await;
        }
    }
    println!("{rooms} rooms on each node after {:?}", began.elapsed());
    all_are_told(&guests, 2).await;
    println!("everybody was counted after {:?}", began.elapsed());
    relay_is(&one, "ok").await;
    let mut longest = Duration::ZERO;
    for n in 0..100 {
        let asked = Instant::now();
        they_hear_each_other(&mut ann, &mut bob, &format!("talking-{n}")).await;
        longest = longest.max(asked.elapsed());
    }
    println!("the slowest of 100 messages and answers took {longest:?}");
    // Half of them leave while the relay is down; the others are still informed, after a while.
    redis.tell(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
    let mut staying = Vec::new();
    for (index, guest) in guests.into_iter().enumerate() {
        if index % 2 == 0 {
            staying.push(guest);
        }
    }
    all_are_told(&staying, 1).await;
    println!("nobody was counted any more who had gone after {:?}", began.elapsed());
}

/// Waits until the last presence of each client has this count.
async fn all_are_told(guests: &[Guest], count: u64) {
    let told = async {
        for guest in guests {
            guest.told.clone().wait_for(|told| *told == count).await.expect("the connection stays");
        }
    };
    tokio::time::timeout(3 * DEADLINE, told).await.unwrap_or_else(|_| {
        let wrong = guests.iter().filter(|guest| *guest.told.borrow() != count).count();
        panic!("{wrong} of {} are not told of {count}", guests.len());
    });
}

/// A client that reads continuously, with the last presence count that it received.
struct Guest {
    told: watch::Receiver<u64>,
    _listening: JoinSet<()>,
}

impl Guest {
    async fn enter(server: &Server, room: &str, name: &str) -> Self {
        let mut client = Door::of(room).username(name).join(server).await;
        let (tell, told) = watch::channel(0);
        let mut listening = JoinSet::new();
        listening.spawn(async move {
            while let Some(frame) = client.next_frame().await {
                if let Some(count) = frame["count"].as_u64() {
                    tell.send_replace(count);
                }
            }
        });
        Self { told, _listening: listening }
    }
}
