//! The database goes back in time under a running server, as after a failover to a lagging replica, or a restore.
//! Readers are reset, every post is answered, and two histories are never merged.

use crate::cluster::{they_hear_each_other, two_nodes};
use crate::support::host::on_each_database;
use crate::support::{Client, Door, Site, database, eventually, http};
use serde_json::{Value, json};
use std::collections::BTreeMap;

on_each_database!(
    readers_are_told_when_the_log_goes_back,
    every_post_into_a_log_that_went_back_is_answered,
    a_log_that_went_back_while_nobody_was_there_is_noticed,
    a_room_whose_number_is_anothers_is_left_by_all,
    a_room_whose_row_is_lost_begins_again_in_another_history,
);

/// Takes the events after `head` out of a room's log, as if they had never been.
async fn go_back(site: &Site, room: &str, head: i64) {
    let of_room = format!("room_id = (SELECT id FROM rooms WHERE name = '{room}')");
    let held = database::hold_rooms(&site.database_url).await;
    held.commit(&format!(
        "DELETE FROM events WHERE {of_room} AND seq > {head}; UPDATE rooms SET head = {head} WHERE name = '{room}'"
    ))
    .await;
}

/// Posts messages, which all clients receive.
async fn talk(clients: &mut [Client], count: i64) {
    for n in 1..=count {
        assert_eq!(clients[0].say(&format!("before-{n}"), "before").await["seq"], n);
    }
    for client in &mut clients[1..] {
        client.until(|frame| frame["seq"] == count).await;
    }
}

/// The reset that the client is sent, and the epoch it names.
async fn reset(client: &mut Client) -> (Value, i64) {
    let frames = client.until(|frame| frame["type"] == "reset").await;
    let reset = frames.last().expect("one");
    (reset["epoch"].clone(), reset["head"].as_i64().expect("a number"))
}

async fn readers_are_told_when_the_log_goes_back(site: Site) {
    let server = site.start();
    let mut clients = [Client::join(&server, "harbour").await, Client::join(&server, "harbour").await];
    let old = clients[0].welcome["epoch"].clone();
    talk(&mut clients, 10).await;
    go_back(&site, "harbour", 4).await;
    let mut epochs = Vec::new();
    for client in &mut clients {
        let (epoch, head) = reset(client).await;
        assert_eq!(head, 4);
        epochs.push(epoch);
    }
    assert!(epochs[0] == epochs[1] && epochs[0] != old, "{old}: {epochs:?}");
    let [ann, bob] = &mut clients;
    for n in 5..=9 {
        assert_eq!(ann.say(&format!("after-{n}"), "after").await["seq"], n);
        assert_eq!(bob.expect_message("after").await["seq"], n);
    }
    // A client that was disconnected resumes from a position in the lost history.
    let old = old.as_str().expect("an epoch");
    let mut away = Door::of("harbour").after(6).epoch(old).join(&server).await;
    assert_eq!((&away.welcome["epoch"], &away.welcome["head"]), (&epochs[0], &json!(9)));
    assert_eq!(reset(&mut away).await, (epochs[0].clone(), 9));
    let page = crate::support::page::Page::of(&server, "harbour").await;
    assert_eq!(page.numbers(), (1..=9).collect::<Vec<i64>>());
    assert_eq!(server.log().matches("The database went back in time").count(), 1, "once");
}

async fn every_post_into_a_log_that_went_back_is_answered(site: Site) {
    const POSTS: i64 = 20;
    let server = site.start();
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(Client::join(&server, "harbour").await);
    }
    talk(&mut clients, 10).await;
    for round in 0..3 {
        let head = 4 - round;
        go_back(&site, "harbour", head).await;
        // More than it takes to be beyond where it was, from the first moment on.
        for n in 0..POSTS {
            for client in &mut clients[..2] {
                client.post(&format!("{round}-{n}"), "after").await;
            }
        }
        let mut logs = Vec::new();
        for client in &mut clients {
            let mut log: BTreeMap<i64, Value> = BTreeMap::new();
            let (mut next, mut answered) = (None, 0);
            while next.is_none() || answered < 2 * POSTS {
                let frame = client.next().await;
                if frame["type"] == "reset" {
                    let known = frame["head"].as_i64().expect("a number");
                    assert!(known <= head, "{frame}");
                    (next, answered) = (Some(known + 1), 0);
                    log.clear();
                } else if let Some(next) = &mut next {
                    assert_eq!(frame["seq"], *next, "no gap, and nothing of another history: {frame}");
                    log.insert(*next, frame["id"].clone());
                    *next += 1;
                    answered += i64::from(frame["id"].as_str().expect("an id").starts_with(&format!("{round}-")));
                }
            }
            assert_eq!(log.keys().last(), Some(&(head + 2 * POSTS)));
            log.retain(|seq, _| *seq > head);
            logs.push(log);
        }
        assert!(logs.iter().all(|log| *log == logs[0]), "all are sent one log");
    }
}

async fn a_log_that_went_back_while_nobody_was_there_is_noticed(site: Site) {
    let server = site.start();
    let mut clients = [Client::join(&server, "harbour").await];
    let old = clients[0].welcome["epoch"].as_str().expect("an epoch").to_owned();
    talk(&mut clients, 6).await;
    drop(clients);
    eventually("the room is left", || async {
        let metrics = http::get(&server, "/metrics").await.body;
        metrics.contains("parlour_rooms_active 0").then_some(())
    })
    .await;
    go_back(&site, "harbour", 2).await;
    // The log grows beyond its previous head before any client reconnects.
    for n in 0..6 {
        let form = [("message", format!("form {n}")), ("username", "Bob".to_owned())];
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert!(http::post_form(&server, "/harbour/", &form).await.status.as_u16() < 400);
    }
    let mut away = Door::of("harbour").after(6).epoch(&old).join(&server).await;
    assert_ne!(away.welcome["epoch"], old.as_str());
    assert_eq!(reset(&mut away).await, (away.welcome["epoch"].clone(), 8));
}

async fn a_room_whose_number_is_anothers_is_left_by_all(site: Site) {
    let server = site.start();
    // Rooms of earlier releases have numbers of a sequence, which such a database gives again.
    database::store_room(&site.database_url, "harbour").await;
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("1", "hello").await;
    database::execute(&site.database_url, "UPDATE rooms SET name = 'tavern', epoch = 'another' WHERE name = 'harbour'")
        .await;
    assert_eq!(ann.close_code().await, Some(4505));
    let mut bob = Client::join(&server, "tavern").await;
    assert_eq!(bob.welcome["epoch"], "another");
    assert_eq!(bob.say("2", "hello").await["seq"], 2);
    assert_eq!(Client::join(&server, "harbour").await.welcome["head"], 0);
}

async fn a_room_whose_row_is_lost_begins_again_in_another_history(site: Site) {
    let server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    let lost = ann.welcome["epoch"].clone();
    ann.say("1", "hello").await;
    for table in ["events", "names", "rooms"] {
        database::execute(&site.database_url, &format!("DELETE FROM {table}")).await;
    }
    assert_eq!(ann.close_code().await, Some(4505));
    let mut bob = Client::join(&server, "harbour").await;
    assert_eq!(bob.welcome["head"], 0);
    assert_ne!(bob.welcome["epoch"], lost, "two histories are never taken for one");
    assert_eq!(bob.say("1", "again").await["seq"], 1);
}

#[tokio::test]
async fn of_two_nodes_both_notice_and_go_on_in_one_history() {
    let (site, _redis, one, two) = two_nodes().await;
    for round in 0..3 {
        let room = format!("harbour-{round}");
        let (mut ann, mut bob) = (Client::join(&one, &room).await, Client::join(&two, &room).await);
        let old = ann.welcome["epoch"].clone();
        for n in 0..4 {
            they_hear_each_other(&mut ann, &mut bob, &format!("before-{n}")).await;
        }
        go_back(&site, &room, 3).await;
        if round > 0 {
            // One of them writes before either has looked.
            ann.post("early", "early").await;
        }
        let ((first, _), (second, known)) = (reset(&mut ann).await, reset(&mut bob).await);
        assert!(first == second && first != old, "{old}, {first}, {second}");
        if round > 0 {
            // The sender gets the acknowledgement; others get the message, or are told to reload a page that contains
            // it.
            ann.until(|frame| frame["id"] == "early" && frame["seq"] == 4).await;
            if known < 4 {
                bob.until(|frame| frame["id"] == "early" && frame["seq"] == 4).await;
            }
        }
        they_hear_each_other(&mut ann, &mut bob, "after").await;
        let away = Door::of(&room).after(7).epoch(old.as_str().expect("an epoch"));
        for server in [&one, &two] {
            let mut away = away.join(server).await;
            assert_eq!(reset(&mut away).await.0, first);
        }
        assert_eq!(ann.say("last", "last").await["type"], "message", "nobody is sent away");
    }
}
