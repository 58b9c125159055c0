//! Redis only notifies. Flushed, cut off, overflowing or forged, it costs a few seconds at most, never a message.

use crate::cluster::{relay_is, they_hear_each_other, two_nodes};
use crate::support::presence::{shown_typing, told};
use crate::support::redis::Redis;
use crate::support::{Client, DEADLINE, Database, Door, Server, Site, eventually};
use futures_util::StreamExt;
use std::path::Path;
use std::time::Duration;

/// Both ways, often: it would take much longer if rooms were only compared with the database.
async fn it_is_instant(one: &Server, two: &Server, ann: &mut Client, bob: &mut Client, what: &str) {
    relay_is(one, "ok").await;
    relay_is(two, "ok").await;
    let rounds = async {
        for round in 0..100 {
            they_hear_each_other(ann, bob, &format!("{what}-{round}")).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), rounds).await.expect("the doorbell rings");
}

#[tokio::test]
async fn a_flushed_redis_is_missed_by_nobody() {
    let (_site, redis, one, two) = two_nodes().await;
    let mut ann = Client::join(&one, "harbour").await;
    let mut bob = Client::join(&two, "harbour").await;
    they_hear_each_other(&mut ann, &mut bob, "before").await;
    redis.tell(&["FLUSHALL"]).await;
    redis.tell(&["SCRIPT", "FLUSH"]).await;
    it_is_instant(&one, &two, &mut ann, &mut bob, "after").await;
}

#[tokio::test]
async fn subscribers_that_are_cut_off_miss_nothing() {
    let (_site, redis, one, two) = two_nodes().await;
    let mut ann = Client::join(&one, "harbour").await;
    let mut bob = Client::join(&two, "harbour").await;
    for cut in 0..3 {
        redis.tell(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        they_hear_each_other(&mut ann, &mut bob, &format!("cut-{cut}")).await;
    }
    redis.tell(&["CLIENT", "KILL", "TYPE", "normal"]).await;
    they_hear_each_other(&mut ann, &mut bob, "publishers").await;
    it_is_instant(&one, &two, &mut ann, &mut bob, "after").await;
}

#[tokio::test]
async fn subscribers_whose_buffers_overflow_miss_nothing() {
    const POSTS: usize = 8;
    let (_site, redis, one, two) = two_nodes().await;
    let mut ann = Client::join(&one, "harbour").await;
    let mut bob = Client::join(&two, "harbour").await;
    redis.tell(&["CONFIG", "SET", "client-output-buffer-limit", "pubsub 1024 1024 1"]).await;
    let text = "x".repeat(4000);
    // Whether a burst is sent at once, and is too large, depends on the scheduler.
    let mut burst = 0;
    while !one.log().contains("The relay subscription failed; reconnecting") {
        burst += 1;
        assert!(burst <= 40, "no buffer has overflown");
        for n in 0..POSTS {
            ann.post(&format!("{burst}-{n}"), &text).await;
        }
        for n in 0..POSTS {
            assert_eq!(bob.expect("message").await["id"], format!("{burst}-{n}"));
        }
    }
    redis.tell(&["CONFIG", "SET", "client-output-buffer-limit", "pubsub 32mb 8mb 60"]).await;
    ann.until(|frame| frame["id"] == format!("{burst}-{}", POSTS - 1)).await;
    it_is_instant(&one, &two, &mut ann, &mut bob, "after").await;
}

#[tokio::test]
async fn forged_doorbells_change_nothing() {
    let (_site, redis, one, two) = two_nodes().await;
    let mut ann = Client::join(&one, "harbour").await;
    let mut bob = Client::join(&two, "harbour").await;
    let client = redis::Client::open(redis.url()).expect("an address");
    let mut spy = client.get_async_pubsub().await.expect("Redis answers");
    spy.psubscribe("parlour:*").await.expect("Redis answers");
    they_hear_each_other(&mut ann, &mut bob, "before").await;
    let mut heard: Vec<(String, Vec<u8>)> = Vec::new();
    let mut bells = spy.into_on_message();
    let tells_of_a_message = |(_, bell): &(String, Vec<u8>)| bell.windows(7).any(|part| part == b"message");
    let spying = async {
        while heard.len() < 30 || !heard.iter().any(tells_of_a_message) {
            let bell = bells.next().await.expect("Redis goes on");
            heard.push((bell.get_channel_name().to_owned(), bell.get_payload_bytes().to_vec()));
        }
    };
    tokio::time::timeout(DEADLINE, spying).await.expect("bells are rung");
    they_hear_each_other(&mut ann, &mut bob, "between").await;

    let mut forged = redis::pipe();
    for (channel, bell) in heard.iter().rev().chain(&heard) {
        // Replayed; replayed elsewhere; altered; without its end; without its signature; anything.
        let mut altered = bell.clone();
        altered.iter_mut().rev().step_by(3).for_each(|byte| *byte ^= 1);
        forged.publish(channel, bell).publish(&heard[0].0, bell).publish(channel, altered);
        forged.publish(channel, &bell[..bell.len() - 1]).publish(channel, &bell[16..]).publish(channel, "");
        forged.publish(channel, r#"{"Room":{"room":1,"first":5,"last":5,"frames":["forged"]}}"#);
    }
    forged.exec_async(&mut redis.connect().await).await.expect("Redis publishes");

    // The next event is the next post, and clients that join later see the same.
    it_is_instant(&one, &two, &mut ann, &mut bob, "after").await;
    for server in [&one, &two] {
        let mut reader = Door::of("harbour").after(0).join(server).await;
        for seq in 1..=204 {
            let frame = reader.expect("message").await;
            assert_eq!(frame["seq"], seq);
            assert!(frame["message"].as_str().expect("text").contains(" from "), "{frame}");
        }
    }
}

#[tokio::test]
async fn a_redis_that_is_away_is_told_of_once() {
    let redis = tokio::task::spawn_blocking(Redis::start).await.expect("Redis");
    let (mut redis, site) = {
        let url = redis.url();
        (redis, Site::new(Database::Postgres).await.with_redis(url))
    };
    // At this level, each attempt is told of.
    let server = Server::start_with(&site.arguments(), &[("RUST_LOG", Path::new("parlour=debug"))]);
    relay_is(&server, "ok").await;
    redis.kill();
    let told = |level: &str, what: &str| {
        let log = server.log();
        log.lines().filter(|line| line.contains(level) && line.contains(what)).count()
    };
    for what in ["The relay subscription failed; reconnecting", "Publishing to Redis failed"] {
        eventually("it was tried again and again", || async { (told("DEBUG", what) > 5).then_some(()) }).await;
        assert_eq!(told("WARN", what), 1, "{what}");
    }
    redis.restart();
    relay_is(&server, "ok").await;
    for what in ["The relay subscription works again", "Publishing to Redis works again"] {
        eventually("its end is told of", || async { (told("INFO", what) == 1).then_some(()) }).await;
    }
}

#[tokio::test]
async fn a_node_that_stops_in_good_order_says_so() {
    let (_site, redis, one, mut two) = two_nodes().await;
    let client = redis::Client::open(redis.url()).expect("an address");
    let mut spy = client.get_async_pubsub().await.expect("Redis answers");
    spy.psubscribe("parlour:*").await.expect("Redis answers");
    let mut bells = spy.into_on_message();
    let mut ann = Door::of("harbour").username("Ann").join(&one).await;
    let bob = Door::of("harbour").username("Bob").join(&two).await;
    told(&mut ann, &["Ann", "Bob"]).await;
    two.terminate();
    let leaves = async {
        loop {
            let bell = bells.next().await.expect("Redis goes on");
            if String::from_utf8_lossy(bell.get_payload_bytes()).contains("Leave") {
                return;
            }
        }
    };
    tokio::time::timeout(DEADLINE, leaves).await.expect("it says that it leaves");
    assert!(two.wait(DEADLINE).expect("it ends").success());
    told(&mut ann, &["Ann"]).await;
    relay_is(&one, "ok").await;
    drop(bob);
}

#[tokio::test]
async fn a_doorbell_that_is_rung_again_shows_nobody() {
    let (_site, redis, one, two) = two_nodes().await;
    let client = redis::Client::open(redis.url()).expect("an address");
    let mut spy = client.get_async_pubsub().await.expect("Redis answers");
    spy.psubscribe("parlour:*").await.expect("Redis answers");
    let mut bells = spy.into_on_message();
    let mut ann = Door::of("harbour").username("Ann").join(&one).await;
    let mut bob = Door::of("harbour").username("Bob").join(&two).await;
    told(&mut ann, &["Ann", "Bob"]).await;
    shown_typing(&mut ann, &mut bob).await;
    drop(bob);
    told(&mut ann, &["Ann"]).await;

    let mut heard: Vec<(String, Vec<u8>)> = Vec::new();
    while let Ok(Some(bell)) = tokio::time::timeout(Duration::from_millis(50), bells.next()).await {
        heard.push((bell.get_channel_name().to_owned(), bell.get_payload_bytes().to_vec()));
    }
    let says = |bell: &[u8], what: &str| String::from_utf8_lossy(bell).contains(what);
    for what in ["Presence", "Typing", "Bob"] {
        assert!(heard.iter().any(|(_, bell)| says(bell, what)), "no bell says {what}");
    }
    let mut again = redis::pipe();
    for (channel, bell) in heard.iter().filter(|(_, bell)| says(bell, "Bob")).cycle().take(200) {
        again.publish(channel, bell);
    }
    again.exec_async(&mut redis.connect().await).await.expect("Redis publishes");
    // Earlier messages in Redis are received before this one.
    let (mut here, mut there) = (Client::join(&one, "tavern").await, Client::join(&two, "tavern").await);
    there.say("1", "after").await;
    here.expect_message("after").await;
    let _cleo = Door::of("harbour").username("Cleo").join(&one).await;
    let told_of_cleo = async {
        loop {
            let frame = ann.next_frame().await.expect("the connection stays").to_string();
            assert!(!frame.contains("Bob"), "{frame}");
            if frame.contains("Cleo") {
                return;
            }
        }
    };
    tokio::time::timeout(DEADLINE, told_of_cleo).await.expect("ann is told");
}
