//! A session holds a room's row in PostgreSQL: that room waits, other rooms continue, and nothing is stored twice. A
//! frozen node does not hold the row forever.

use crate::support::{Client, DEADLINE, Database, Door, Site, database, eventually, http};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// A room that does not wait is quicker than this. One that waits is refused, and later than this: a lock is waited for
/// four times, three seconds each.
const AT_ONCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_locked_room_waits_and_the_others_go_on() {
    let site = Site::new(Database::Postgres).await;
    let server = site.start();
    let mut ann = Client::join(&server, "cellar").await;
    let mut bob = Client::join(&server, "harbour").await;
    ann.say("1", "first").await;
    let held = database::hold_room(&site.database_url, "cellar").await;
    ann.post("2", "second").await;
    let others = async {
        for n in 0..20 {
            assert_eq!(bob.say(&n.to_string(), "x").await["type"], "message");
        }
    };
    timeout(AT_ONCE, others).await.expect("the others go on");
    held.release().await;
    assert_eq!(ann.answer_to("2").await["seq"], 2);
}

#[tokio::test]
async fn many_locked_rooms_wait_and_the_others_go_on() {
    let site = Site::new(Database::Postgres).await;
    let server = site.start();
    let mut bob = Client::join(&server, "harbour").await;
    // More than are written side by side, and more than there are connections to the database.
    let mut waiting = Vec::new();
    for n in 0..12 {
        let room = format!("attic-{n}");
        database::store_room(&site.database_url, &room).await;
        let mut client = Client::join(&server, &room).await;
        let held = database::hold_room(&site.database_url, &room).await;
        client.post("1", "x").await;
        // This is answered at once, so the server has read the frames before it.
        client.send_text("not a frame").await;
        client.expect("rejected").await;
        waiting.push((client, held));
    }
    let others = async {
        for n in 0..20 {
            assert_eq!(bob.say(&n.to_string(), "x").await["type"], "message");
        }
        assert_eq!(http::get(&server, "/harbour/").await.status, 200);
        assert_eq!(http::readiness(&server).await.0, 200);
    };
    timeout(AT_ONCE, others).await.expect("the others go on");
    let mut clients = Vec::new();
    for (client, held) in waiting {
        held.release().await;
        clients.push(client);
    }
    for client in &mut clients {
        let answer = client.answer_to("1").await;
        // Who has waited too long is told so, and tries again.
        if answer["type"] != "message" {
            assert_eq!(answer["code"], "unavailable");
            assert_eq!(client.say("1", "x").await["seq"], 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_who_wait_for_a_locked_room_hold_up_nobody_else() {
    const ROOMS: usize = 6;
    const WAITING: usize = 60;
    const EACH: usize = 125;
    let site = Site::new(Database::Postgres).await;
    let server = site.start();
    let mut bob = Client::join(&server, "harbour").await;
    for room in 0..ROOMS {
        database::store_room(&site.database_url, &format!("cellar-{room}")).await;
    }
    let mut waiting = Vec::new();
    for number in 0..WAITING {
        let client = Client::join(&server, &format!("cellar-{}", number % ROOMS)).await;
        waiting.push((number, client, BTreeSet::new()));
    }
    let mut held = Vec::new();
    for room in 0..ROOMS {
        held.push(database::hold_room(&site.database_url, &format!("cellar-{room}")).await);
    }
    let text = "x".repeat(4000);
    for (number, client, answers) in &mut waiting {
        for n in 0..EACH {
            client.post(&format!("{number}-{n}"), &text).await;
        }
        // Who waits is listened to all the same: this is answered at once.
        client.send_text("not a frame").await;
        let refused = client.until(|frame| frame["code"] == "invalid").await;
        answers.extend(refused.iter().filter_map(|frame| frame["id"].as_str().map(str::to_owned)));
    }
    assert!(waiting.iter().any(|(_, _, refused)| !refused.is_empty()), "there is a bound to what waits");
    let others = async {
        for n in 0..50 {
            assert_eq!(bob.say(&n.to_string(), "x").await["type"], "message");
        }
    };
    timeout(AT_ONCE, others).await.expect("the others go on");
    for held in held {
        held.release().await;
    }
    // Every post is answered: stored, refused as too many, or refused after a while.
    let mut reading = JoinSet::new();
    for (number, mut client, mut answers) in waiting {
        reading.spawn(async move {
            let mut stored = 0;
            while answers.len() < EACH {
                let frame = client.next().await;
                if let Some(id) = frame["id"].as_str().filter(|id| id.starts_with(&format!("{number}-"))) {
                    answers.insert(id.to_owned());
                    stored += usize::from(frame["type"] == "message");
                }
            }
            stored
        });
    }
    let stored: usize = reading.join_all().await.into_iter().sum();
    assert!(stored > 0 && stored < WAITING * EACH, "{stored}");
    let mut messages = 0;
    for room in 0..ROOMS {
        messages += database::messages(&site.database_url, &format!("cellar-{room}")).await.len();
    }
    assert_eq!(messages, stored);
}

#[tokio::test]
async fn a_retried_post_to_a_locked_room_is_stored_once() {
    let site = Site::new(Database::Postgres).await;
    let server = site.start();
    database::store_room(&site.database_url, "harbour").await;
    let cookie = http::identity(&server).await;
    let mut ann = Door::of("harbour").identity(&cookie, &server).join(&server).await;
    let mut bob = Client::join(&server, "harbour").await;
    let held = database::hold_room(&site.database_url, "harbour").await;
    let refused = ann.say("1", "hello").await;
    assert_eq!((refused["type"].as_str(), refused["code"].as_str()), (Some("rejected"), Some("unavailable")));
    ann.post("1", "hello").await;
    let mut again = Door::of("harbour").identity(&cookie, &server).join(&server).await;
    again.post("1", "hello").await;
    held.release().await;
    assert_eq!(ann.answer_to("1").await["seq"], 1);
    assert_eq!(again.answer_to("1").await["seq"], 1);
    assert_eq!(bob.expect_message("hello").await["seq"], 1);
    assert_eq!(ann.say("2", "more").await["seq"], 2);
    assert_eq!(database::messages(&site.database_url, "harbour").await.len(), 2);
}

#[tokio::test]
async fn a_batch_that_is_tried_again_shows_every_event_under_its_own_number() {
    let site = Site::new(Database::Postgres).await;
    // Each try is told of.
    let debug = [("RUST_LOG", std::path::Path::new("parlour=debug"))];
    let server = crate::support::Server::start_with(&site.arguments(), &debug);
    database::store_room(&site.database_url, "harbour").await;
    let mut reader = Client::join(&server, "harbour").await;
    let cookie = http::identity(&server).await;
    let mut ann = Door::of("harbour").identity(&cookie, &server).join(&server).await;
    let mut again = Door::of("harbour").identity(&cookie, &server).join(&server).await;
    let mut bob = Client::join(&server, "harbour").await;
    let held = database::hold_room(&site.database_url, "harbour").await;
    // Before this one is given up, the rest gathers, and is one batch then: with one message in it twice.
    bob.post("vain", "x").await;
    let tries = || server.log().matches("A batch could not be written; retrying").count();
    eventually("it is tried for the last time", || async { (tries() == 3).then_some(()) }).await;
    for (client, id) in [(&mut ann, "1"), (&mut again, "1"), (&mut bob, "2")] {
        client.post(id, id).await;
        // This is answered at once, so the server has read the frames before it.
        client.send_text("not a frame").await;
        client.expect("rejected").await;
    }
    assert_eq!(bob.answer_to("vain").await["code"], "unavailable");
    eventually("the next batch is tried again", || async { (tries() > 3).then_some(()) }).await;
    held.release().await;
    assert_eq!(bob.answer_to("2").await["seq"], 2);
    assert_eq!(bob.say("3", "3").await["seq"], 3);
    let mut late = Door::of("harbour").after(0).join(&server).await;
    for client in [&mut reader, &mut late] {
        for seq in 1..=3 {
            let frame = client.expect("message").await;
            assert_eq!((frame["seq"].as_i64(), frame["id"].as_str()), (Some(seq), Some(seq.to_string().as_str())));
        }
    }
    for client in [&mut ann, &mut again] {
        assert_eq!(client.answer_to("1").await["seq"], 1);
    }
}

/// A session that waits for the lock on names already holds the lock on the room.
const IN_THE_MIDDLE: &str = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() \
                             AND wait_event_type = 'Lock' AND query LIKE '%names%'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_frozen_in_a_transaction_keeps_nobody_from_writing() {
    let site = Site::new(Database::Postgres).await;
    let (one, two) = (site.start(), site.start());
    // Who has a name to look up.
    let mut ann = Door::of("harbour").username("Ann").join(&one).await;
    let mut bob = Client::join(&two, "harbour").await;
    let names = database::hold_names(&site.database_url).await;
    ann.post("a", "from one").await;
    eventually("a transaction is in its middle", || async {
        (!database::rows(&site.database_url, IN_THE_MIDDLE).await.is_empty()).then_some(())
    })
    .await;
    one.signal("STOP");
    names.release().await;
    let written = async {
        loop {
            let answer = bob.say("b", "from two").await;
            if answer["type"] == "message" {
                return answer;
            }
        }
    };
    let stored = timeout(DEADLINE, written).await.expect("the room is let go of");
    assert_eq!(stored["seq"], 1);
    one.signal("CONT");
    assert_eq!(ann.answer_to("a").await["seq"], 2);
    assert_eq!(database::messages(&site.database_url, "harbour").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_is_refused_if_the_names_stay_locked() {
    let site = Site::new(Database::Postgres).await;
    let server = site.start();
    let names = database::hold_names(&site.database_url).await;
    let (code, reason) = Door::of("harbour").username("Ann").turned_away(&server).await;
    assert_eq!((code, reason.as_str()), (1013, "the room cannot be read right now"));
    names.release().await;
    eventually("she comes in", || async { Door::of("harbour").username("Ann").try_join(server.addr).await }).await;
}
