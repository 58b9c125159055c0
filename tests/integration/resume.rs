//! Resuming: the client receives missed events in order, then new ones, or is told to reload the page.

use crate::support::host::on_each_database;
use crate::support::{Client, Door, Server, Site};
use serde_json::json;

on_each_database!(
    missed_events_come_in_order_before_new_ones,
    without_after_only_what_is_new_comes,
    another_epoch_is_answered_with_reset,
    a_number_beyond_the_head_is_answered_with_reset,
    a_client_that_lags_too_far_gets_a_reset,
    a_resume_works_after_a_restart,
    sync_sends_again_what_came_after,
    many_syncs_at_once_are_answered_together,
    sync_beyond_the_head_is_answered_with_reset,
    nonsense_in_the_address_counts_as_not_said,
);

/// Puts messages `1 ..= count` into the room.
async fn fill(server: &Server, count: i64) -> Client {
    let mut client = Client::join(server, "harbour").await;
    for n in 1..=count {
        client.post(&n.to_string(), &n.to_string()).await;
        if n % 200 == 0 {
            client.answer_to(&n.to_string()).await;
        }
    }
    if count % 200 != 0 {
        client.answer_to(&count.to_string()).await;
    }
    client
}

async fn expect_numbers(client: &mut Client, numbers: std::ops::RangeInclusive<i64>) {
    for n in numbers {
        assert_eq!(client.expect_message(&n.to_string()).await["seq"], n);
    }
}

async fn missed_events_come_in_order_before_new_ones(site: Site) {
    let server = site.start();
    let mut writer = fill(&server, 700).await;
    let epoch = writer.welcome["epoch"].as_str().expect("text").to_owned();
    // More than is kept in memory, and less.
    for after in [0, 100, 650, 699] {
        let mut reader = Door::of("harbour").after(after).epoch(&epoch).join(&server).await;
        assert_eq!(reader.welcome["head"], 700);
        expect_numbers(&mut reader, after + 1..=700).await;
        drop(reader);
    }
    let mut reader = Door::of("harbour").after(690).join(&server).await;
    writer.say("701", "701").await;
    expect_numbers(&mut reader, 691..=701).await;
}

async fn without_after_only_what_is_new_comes(site: Site) {
    let server = site.start();
    let mut writer = fill(&server, 5).await;
    let mut reader = Client::join(&server, "harbour").await;
    assert_eq!(reader.welcome["head"], 5);
    writer.say("6", "6").await;
    expect_numbers(&mut reader, 6..=6).await;
}

async fn is_reset(door: Door, server: &Server, writer: &mut Client) {
    let head = writer.welcome["head"].as_i64().expect("a number");
    let mut reader = door.join(server).await;
    let reset = reader.expect("reset").await;
    assert_eq!(reset["epoch"], writer.welcome["epoch"]);
    assert_eq!(reset["head"], reader.welcome["head"]);
    assert!(reset["head"].as_i64().expect("a number") >= head);
    // The connection stays open, and receives new events.
    writer.say("after-reset", "news").await;
    assert_eq!(reader.expect_message("news").await["seq"], json!(reset["head"].as_i64().expect("a number") + 1));
}

async fn another_epoch_is_answered_with_reset(site: Site) {
    let server = site.start();
    let mut writer = fill(&server, 3).await;
    is_reset(Door::of("harbour").after(1).epoch("anothr"), &server, &mut writer).await;
}

async fn a_number_beyond_the_head_is_answered_with_reset(site: Site) {
    let server = site.start();
    let mut writer = fill(&server, 3).await;
    is_reset(Door::of("harbour").after(4), &server, &mut writer).await;
}

async fn a_client_that_lags_too_far_gets_a_reset(site: Site) {
    let server = site.start();
    let mut writer = fill(&server, 1001).await;
    let mut reader = Door::of("harbour").after(1).join(&server).await;
    expect_numbers(&mut reader, 2..=1001).await;
    is_reset(Door::of("harbour").after(0), &server, &mut writer).await;
}

async fn a_resume_works_after_a_restart(site: Site) {
    let mut server = site.start();
    let epoch = fill(&server, 5).await.welcome["epoch"].as_str().expect("text").to_owned();
    server.kill();
    let server = site.start();
    let mut reader = Door::of("harbour").after(2).epoch(&epoch).join(&server).await;
    assert_eq!(reader.welcome["epoch"], epoch.as_str());
    expect_numbers(&mut reader, 3..=5).await;
}

async fn sync_sends_again_what_came_after(site: Site) {
    let server = site.start();
    let mut client = fill(&server, 20).await;
    client.send(json!({"type": "sync", "after": 15})).await;
    expect_numbers(&mut client, 16..=20).await;
    // Up to date: nothing but the next message comes.
    client.send(json!({"type": "sync", "after": 20})).await;
    client.post("21", "21").await;
    expect_numbers(&mut client, 21..=21).await;
}

async fn many_syncs_at_once_are_answered_together(site: Site) {
    let server = site.start();
    let mut client = fill(&server, 20).await;
    for _ in 0..50 {
        client.send(json!({"type": "sync", "after": 0})).await;
    }
    // The first is answered at once, the others a second later, together.
    expect_numbers(&mut client, 1..=20).await;
    expect_numbers(&mut client, 1..=20).await;
    // A slow machine may have read them within more than two seconds.
    client.post("21", "21").await;
    let again = client.until(|frame| frame["id"] == "21").await;
    assert!(again.len() < 200, "{} frames", again.len());
}

async fn sync_beyond_the_head_is_answered_with_reset(site: Site) {
    let server = site.start();
    let mut client = fill(&server, 2).await;
    client.send(json!({"type": "sync", "after": 3})).await;
    assert_eq!(client.expect("reset").await["head"], 2);
}

async fn nonsense_in_the_address_counts_as_not_said(site: Site) {
    let server = site.start();
    let mut writer = fill(&server, 2).await;
    let door = Door::of("harbour").asking("after", "-1").asking("username", "%E2%80%AE").asking("colour", "red");
    let mut reader = door.join(&server).await;
    assert_eq!(reader.welcome["username"], "Anonymous");
    writer.say("3", "3").await;
    expect_numbers(&mut reader, 3..=3).await;
}
