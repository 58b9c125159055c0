//! Timestamps in the database from a clock that was ahead do no lasting harm once the clock is correct again.

use crate::support::host::on_each_database;
use crate::support::{Client, Door, Site, database, eventually, http};
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

on_each_database!(
    a_room_of_the_future_comes_back_to_the_present,
    slow_mode_does_not_wait_for_a_time_that_cannot_be,
    messages_of_the_future_are_not_kept_for_ever,
);

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis() as i64
}

async fn a_room_of_the_future_comes_back_to_the_present(site: Site) {
    let server = site.start();
    let mut client = Client::join(&server, "harbour").await;
    client.say("1", "x").await;
    for ahead in [2 * MINUTE, 600 * MINUTE, 4000 * DAY] {
        database::execute(&site.database_url, &format!("UPDATE rooms SET last_at = {}", now() + ahead)).await;
        for n in 0..2 {
            let before = now();
            let at = client.say(&format!("{ahead}-{n}"), "x").await["sent_at"].as_i64().expect("a time");
            assert!(at >= before - MINUTE && at <= now() + MINUTE / 2, "{at} for {before}, {ahead} ahead");
        }
    }
    // Clocks of nodes differ a little: order holds.
    let soon = now() + 5000;
    database::execute(&site.database_url, &format!("UPDATE rooms SET last_at = {soon}")).await;
    assert!(client.say("soon", "x").await["sent_at"].as_i64() >= Some(soon));
}

async fn slow_mode_does_not_wait_for_a_time_that_cannot_be(site: Site) {
    let server = site.start();
    let (ann, bob) = (http::identity(&server).await, http::identity(&server).await);
    let mut ann = Door::of("harbour").identity(&ann, &server).join(&server).await;
    let mut bob = Door::of("harbour").identity(&bob, &server).join(&server).await;
    ann.say("a", "mine").await;
    for (seconds, ahead) in [(1, 10 * MINUTE), (60, 10 * MINUTE), (3600, 400 * DAY)] {
        ann.send(json!({"type": "moderate", "id": format!("s{seconds}"), "action": "slow_mode", "seconds": seconds}))
            .await;
        ann.answer_to(&format!("s{seconds}")).await;
        // Whether he has spoken before or not, his stamp is of the future.
        bob.say(&format!("first{seconds}"), "x").await;
        let stamp = format!("UPDATE standings SET spoke_at = {}", now() + ahead);
        database::execute(&site.database_url, &stamp).await;
        assert_eq!(bob.say(&format!("b{seconds}"), "x").await["type"], "message", "{seconds}");
        if seconds > 1 {
            let slowed = bob.say(&format!("c{seconds}"), "x").await;
            let wait = slowed["retry_after_ms"].as_i64().expect("slow mode is in force");
            assert!(wait <= i64::from(seconds) * 1000, "{slowed}");
        }
        database::execute(&site.database_url, "UPDATE standings SET spoke_at = 0").await;
    }
}

async fn messages_of_the_future_are_not_kept_for_ever(site: Site) {
    let mut server = site.start();
    let mut client = Client::join(&server, "harbour").await;
    for n in 1..=6 {
        client.say(&n.to_string(), "x").await;
    }
    server.stop();
    // The first two were stamped by a clock that was ahead; then come three old ones, one of them by a clock that was
    // ahead as well, and one of today.
    let url = &site.database_url;
    database::execute(url, &format!("UPDATE events SET at = {} WHERE seq IN (1, 2, 4)", now() + 4000 * DAY)).await;
    database::execute(url, &format!("UPDATE events SET at = {} WHERE seq IN (3, 5)", now() - 30 * DAY)).await;
    let _server = site.with_flags(&["--retention-days", "7"]).start();
    eventually("the old ones are gone", || async {
        let kept = database::messages(url, "harbour").await;
        (kept.len() == 1 && kept[0]["seq"] == 6).then_some(())
    })
    .await;
}
