//! Several servers on one PostgreSQL share a room. Redis only notifies them, and may fail.

use crate::support::presence::told;
use crate::support::redis::Redis;
use crate::support::tcp_proxy::Cable;
use crate::support::{Client, Database, Door, Server, Site, database, eventually, http};
use serde_json::{Value, json};
use std::time::Duration;

/// Two servers, and a Redis between them.
pub async fn two_nodes() -> (Site, Redis, Server, Server) {
    let redis = tokio::task::spawn_blocking(Redis::start).await.expect("Redis");
    let site = Site::new(Database::Postgres).await.with_redis(redis.url());
    let (one, two) = (site.start(), site.start());
    relay_is(&one, "ok").await;
    relay_is(&two, "ok").await;
    (site, redis, one, two)
}

/// Waits until the server says so of its relay; whatever that is, it is ready to serve as long as its database is.
pub async fn relay_is(server: &Server, state: &str) {
    eventually(&format!("relay: {state}"), || async {
        let (status, readiness) = http::readiness(server).await;
        assert_eq!(status == 200, readiness["database"] == "ok", "{readiness}");
        assert_eq!(readiness["draining"], false, "{readiness}");
        (status == 200 && readiness["relay"] == state).then_some(())
    })
    .await;
}

/// Each of the two hears the other.
pub async fn they_hear_each_other(one: &mut Client, two: &mut Client, what: &str) {
    let from_one = one.say(&format!("{what}-1"), &format!("{what} from one")).await;
    assert_eq!(two.expect_message(&format!("{what} from one")).await, from_one);
    let from_two = two.say(&format!("{what}-2"), &format!("{what} from two")).await;
    assert_eq!(one.expect_message(&format!("{what} from two")).await, from_two);
}

#[tokio::test]
async fn servers_carry_each_others_messages() {
    let (_site, _redis, one, two) = two_nodes().await;
    let mut ann = Client::join(&one, "harbour").await;
    let mut bob = Client::join(&two, "harbour").await;
    assert_eq!(ann.welcome["epoch"], bob.welcome["epoch"]);
    for round in 0..10 {
        they_hear_each_other(&mut ann, &mut bob, &round.to_string()).await;
    }
}

#[tokio::test]
async fn a_node_that_redis_does_not_hear_any_more_is_heard_all_the_same() {
    let redis = tokio::task::spawn_blocking(Redis::start).await.expect("Redis");
    let (cable, url) = Cable::to(&redis.url()).await;
    let site = Site::new(Database::Postgres).await;
    let (one, two) = (site.with_flags(&["--redis-url", &url]).start(), site.with_redis(redis.url()).start());
    relay_is(&one, "ok").await;
    relay_is(&two, "ok").await;
    let mut ann = Client::join(&one, "harbour").await;
    let mut bob = Client::join(&two, "harbour").await;
    they_hear_each_other(&mut ann, &mut bob, "before").await;
    cable.cut();
    // It has fallen silent; then it counts as gone.
    relay_is(&two, "degraded").await;
    relay_is(&two, "ok").await;
    let heard = async {
        for round in 0..10 {
            let said = ann.say(&round.to_string(), &format!("round {round}")).await;
            assert_eq!(bob.expect_message(&format!("round {round}")).await, said);
        }
    };
    // The database is asked every second.
    tokio::time::timeout(Duration::from_secs(30), heard).await.expect("nobody waits for long");
}

#[tokio::test]
async fn the_doorbell_is_faster_than_asking_the_database() {
    let (_site, _redis, one, two) = two_nodes().await;
    let mut ann = Client::join(&one, "harbour").await;
    let mut bob = Client::join(&two, "harbour").await;
    // Without the doorbell, each of these would wait for a comparison, which there is every second.
    let rounds = async {
        for round in 0..100 {
            they_hear_each_other(&mut ann, &mut bob, &round.to_string()).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), rounds).await.expect("the doorbell rings");
}

#[tokio::test]
async fn a_silent_participant_is_found_by_tag_on_another_node() {
    let (_site, _redis, one, two) = two_nodes().await;
    let (owner, silent) = (http::identity(&one).await, http::identity(&two).await);
    let mut ann = Door::of("harbour").identity(&owner, &one).username("Ann").join(&one).await;
    ann.say("1", "mine").await;
    let mut carol = Door::of("harbour").identity(&silent, &two).username("Carol").join(&two).await;
    told(&mut ann, &["Ann", "Carol"]).await;
    let tag = carol.welcome["tag"].clone();
    ann.send(json!({"type": "moderate", "id": "2", "action": "ban", "tag": tag, "seconds": 600})).await;
    assert_eq!(ann.answer_to("2").await["subject"], json!({"username": "Carol", "tag": tag}));
    assert_eq!(carol.close_code().await, Some(4503));
}

#[tokio::test]
async fn without_redis_messages_still_arrive() {
    let (_site, mut redis, one, two) = two_nodes().await;
    let mut ann = Client::join(&one, "harbour").await;
    let mut bob = Client::join(&two, "harbour").await;
    they_hear_each_other(&mut ann, &mut bob, "before").await;
    for outage in 0..2 {
        redis.kill();
        they_hear_each_other(&mut ann, &mut bob, &format!("during-{outage}")).await;
        relay_is(&one, "degraded").await;
        relay_is(&two, "degraded").await;
        they_hear_each_other(&mut ann, &mut bob, &format!("degraded-{outage}")).await;
        redis.restart();
        relay_is(&one, "ok").await;
        relay_is(&two, "ok").await;
        for round in 0..5 {
            they_hear_each_other(&mut ann, &mut bob, &format!("after-{outage}-{round}")).await;
        }
    }
}

#[tokio::test]
async fn while_redis_hangs_messages_still_arrive() {
    let (_site, redis, one, two) = two_nodes().await;
    let mut ann = Client::join(&one, "harbour").await;
    let mut bob = Client::join(&two, "harbour").await;
    they_hear_each_other(&mut ann, &mut bob, "before").await;
    redis.freeze();
    they_hear_each_other(&mut ann, &mut bob, "during").await;
    relay_is(&one, "degraded").await;
    relay_is(&two, "degraded").await;
    they_hear_each_other(&mut ann, &mut bob, "degraded").await;
    // Neither posts nor joins wait for Redis.
    let mut carl = Door::of("harbour").after(0).join(&two).await;
    carl.until(|frame| frame["message"] == "degraded from two").await;
    redis.thaw();
    relay_is(&one, "ok").await;
    relay_is(&two, "ok").await;
    for round in 0..5 {
        they_hear_each_other(&mut ann, &mut bob, &format!("after-{round}")).await;
    }
}

#[tokio::test]
async fn a_server_starts_without_redis() {
    let mut redis = tokio::task::spawn_blocking(Redis::start).await.expect("Redis");
    redis.kill();
    let site = Site::new(Database::Postgres).await.with_redis(redis.url());
    let (one, two) = (site.start(), site.start());
    let mut ann = Client::join(&one, "harbour").await;
    let mut bob = Client::join(&two, "harbour").await;
    they_hear_each_other(&mut ann, &mut bob, "alone").await;
    redis.restart();
    relay_is(&one, "ok").await;
    relay_is(&two, "ok").await;
    they_hear_each_other(&mut ann, &mut bob, "together").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_writing_one_room_leave_no_gap() {
    const EACH: i64 = 150;
    let (site, _redis, one, two) = two_nodes().await;
    let mut readers = [Client::join(&one, "harbour").await, Client::join(&two, "harbour").await];
    let mut writers = Vec::new();
    for (n, server) in [&one, &two, &one, &two].into_iter().enumerate() {
        let mut client = Client::join(server, "harbour").await;
        writers.push(tokio::spawn(async move {
            let mut before = 0;
            for m in 0..EACH {
                let seq = client.say(&format!("{n}-{m}"), "x").await["seq"].as_i64().expect("a number");
                assert!(seq > before, "{seq} after {before}");
                before = seq;
            }
        }));
    }
    for writer in writers {
        writer.await.expect("every post is acknowledged");
    }
    let stored = database::messages(&site.database_url, "harbour").await;
    let numbers: Vec<i64> = stored.iter().map(|row| row["seq"].as_i64().expect("a number")).collect();
    assert_eq!(numbers, (1..=4 * EACH).collect::<Vec<_>>());
    for reader in &mut readers {
        for row in &stored {
            let heard = reader.expect("message").await;
            assert_eq!((&heard["seq"], &heard["id"]), (&row["seq"], &row["id"]), "both hear one log");
        }
    }
}

#[tokio::test]
async fn an_identity_and_a_page_are_the_same_on_every_server() {
    let (_site, _redis, one, two) = two_nodes().await;
    let cookie = http::identity(&one).await;
    let mut here = Door::of("harbour").identity(&cookie, &one).join(&one).await;
    let there = Door::of("harbour").identity(&cookie, &two).join(&two).await;
    assert_eq!(here.welcome["tag"], there.welcome["tag"]);
    assert_eq!(http::get_as(&two, "/harbour/", &cookie).await.cookies, Vec::<String>::new());
    here.say("a", "hello").await;
    assert_eq!(crate::support::page::Page::of(&two, "harbour").await.numbers(), [1]);
    let mut other = Door::of("harbour").identity(&cookie, &two).join(&two).await;
    other.send(json!({"type": "delete", "id": "b", "target": 1})).await;
    assert_eq!(other.answer_to("b").await["type"], "deleted", "the author may, from any server");
    let deleted: Vec<Value> = here.until(|frame| frame["type"] == "deleted").await;
    assert_eq!(deleted.last().expect("one")["target"], 1);
}

#[tokio::test]
async fn servers_that_start_at_once_migrate_once() {
    let site = Site::new(Database::Postgres).await;
    let starting: Vec<_> = (0..4)
        .map(|_| {
            let arguments = site.arguments();
            tokio::task::spawn_blocking(move || Server::start(&arguments))
        })
        .collect();
    let mut servers = Vec::new();
    for server in starting {
        servers.push(server.await.expect("it listens"));
    }
    let mut epochs = Vec::new();
    for server in &servers {
        epochs.push(Client::join(server, "harbour").await.welcome["epoch"].clone());
    }
    assert!(epochs.iter().all(|epoch| *epoch == epochs[0]), "{epochs:?}");
}
