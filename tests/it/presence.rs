//! Who is here and who is writing: hints, told to everybody in the room over all servers.

use crate::support::host::on_each_database;
use crate::support::presence::{shown_typing, told};
use crate::support::redis::Redis;
use crate::support::{Client, Database, Door, Server, Site, database, http};
use serde_json::{Value, json};

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
