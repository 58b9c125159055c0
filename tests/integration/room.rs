//! Delivery in a room: everybody in it receives each message, and clients of other rooms do not.

use crate::support::host::on_each_database;
use crate::support::page::Page;
use crate::support::{Client, Door, Site, database};
use serde_json::json;

on_each_database!(
    the_original_client_is_heard_by_everybody_in_its_room_and_by_nobody_else,
    a_message_is_trimmed_and_its_line_breaks_are_kept,
    a_visitor_without_a_name_is_anonymous,
    the_name_in_the_address_counts_until_a_post_brings_another,
    the_slash_is_optional,
    a_first_frame_may_come_before_the_welcome_is_read,
    every_room_has_its_own_numbers,
    times_never_go_backwards,
);

async fn the_original_client_is_heard_by_everybody_in_its_room_and_by_nobody_else(site: Site) {
    let server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    let mut bob = Client::join(&server, "harbour").await;
    let mut eve = Client::join(&server, "elsewhere").await;

    ann.send(json!({"username": "Ann", "room_name": "harbour", "message": "hello"})).await;
    let heard = ann.expect_message("hello").await;
    assert_eq!(heard["username"], "Ann");
    assert_eq!(heard["seq"], 1);
    assert!(heard["id"].as_str().is_some_and(|id| !id.is_empty()), "{heard}");
    assert!(heard["sent_at"].as_i64().is_some_and(|ms| ms > 1_700_000_000_000), "{heard}");
    assert_eq!(heard["tag"].as_str().map(str::len), Some(4), "{heard}");
    assert_eq!(bob.expect_message("hello").await, heard);

    // Eve's own message is the first thing she hears.
    eve.send(json!({"username": "Eve", "room_name": "elsewhere", "message": "anybody?"})).await;
    eve.expect_message("anybody?").await;

    assert_eq!(database::messages(&site.database_url, "harbour").await.len(), 1);
    assert!(Page::of(&server, "harbour").await.shows(1, "hello"));
}

async fn a_message_is_trimmed_and_its_line_breaks_are_kept(site: Site) {
    let server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    ann.send(json!({"message": " \n one\r\n\r\ntwo <b>&amp;</b> 👩‍👩‍👧 \t\n"})).await;
    ann.expect_message("one\n\ntwo <b>&amp;</b> 👩‍👩‍👧").await;
    let longest = "é".repeat(4000);
    ann.send(json!({"message": format!("  {longest}  ")})).await;
    ann.expect_message(&longest).await;
    let stored = database::messages(&site.database_url, "harbour").await;
    assert_eq!(stored[0]["message"], "one\n\ntwo <b>&amp;</b> 👩‍👩‍👧");
    assert_eq!(stored[1]["message"], longest.as_str());
}

async fn a_visitor_without_a_name_is_anonymous(site: Site) {
    let server = site.start();
    let mut client = Client::join(&server, "harbour").await;
    assert_eq!(client.welcome["username"], "Anonymous");
    assert_eq!(client.say("a", "hello").await["username"], "Anonymous");
}

async fn the_name_in_the_address_counts_until_a_post_brings_another(site: Site) {
    let server = site.start();
    let mut client = Door::of("harbour").username("Ann%20Lee").join(&server).await;
    assert_eq!(client.welcome["username"], "Ann Lee");
    assert_eq!(client.say("a", "one").await["username"], "Ann Lee");
    client.send(json!({"type": "post", "id": "b", "message": "two", "username": "  Bo "})).await;
    assert_eq!(client.answer_to("b").await["username"], "Bo");
}

async fn the_slash_is_optional(site: Site) {
    let server = site.start();
    let mut with = Door::at("/ws/harbour/").join(&server).await;
    let mut without = Door::at("/ws/harbour").join(&server).await;
    without.say("a", "hello").await;
    with.expect_message("hello").await;
}

async fn a_first_frame_may_come_before_the_welcome_is_read(site: Site) {
    let server = site.start();
    let mut watcher = Client::join(&server, "harbour").await;
    assert_eq!(watcher.welcome["room_name"], "harbour");
    assert_eq!(watcher.welcome["head"], 0);
    let mut socket = Door::of("harbour").knock(server.addr).await.expect("open");
    futures_util::SinkExt::send(&mut socket, r#"{"message": "at once"}"#.into()).await.expect("sent");
    watcher.expect_message("at once").await;
    let first = futures_util::StreamExt::next(&mut socket).await.expect("a frame").expect("a frame");
    assert!(first.to_text().expect("text").contains(r#""type":"welcome""#), "{first}");
}

async fn every_room_has_its_own_numbers(site: Site) {
    let server = site.start();
    let mut harbour = Client::join(&server, "harbour").await;
    let mut tavern = Client::join(&server, "tavern").await;
    for n in 1..=3 {
        assert_eq!(harbour.say(&format!("h{n}"), "x").await["seq"], n);
        assert_eq!(tavern.say(&format!("t{n}"), "x").await["seq"], n);
    }
    assert_ne!(harbour.welcome["epoch"], tavern.welcome["epoch"]);
}

async fn times_never_go_backwards(site: Site) {
    let server = site.start();
    let mut client = Client::join(&server, "harbour").await;
    let mut before = 0;
    for n in 0..20 {
        let at = client.say(&n.to_string(), "x").await["sent_at"].as_i64().expect("a time");
        assert!(at >= before, "{at} after {before}");
        before = at;
    }
}
