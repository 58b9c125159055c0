//! Who is here and who is writing: hints, told to everybody in the room over all servers.

use crate::support::host::on_each_database;
use crate::support::presence::{shown_typing, told};
use crate::support::redis::Redis;
use crate::support::{Client, DEADLINE, Database, Door, Server, Site, database, http};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::timeout;

on_each_database!(
    everybody_in_a_room_is_counted_and_named,
    somebody_on_two_connections_is_one_participant,
    who_is_writing_is_shown_to_the_others_alone,
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
    // On a connection that he opens now, at once; on the one that he had, as soon as the node has looked up whom it is about.
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
