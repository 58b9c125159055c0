//! Reactions of many connections, tabs and nodes at once: each counts exactly once.

use crate::reactions::{Talk, counts, person, react};
use crate::support::api::{request, send};
use crate::support::host::on_each_database;
use crate::support::{Door, Server, Site, database, eventually};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

on_each_database!(toggles_of_many_connections_add_up_as_in_the_log, one_id_from_several_tabs_and_nodes_is_one_reaction,);

async fn toggles_of_many_connections_add_up_as_in_the_log(site: Site) {
    let mut talk = Talk::begun(&site).await;
    let mut tasks = tokio::task::JoinSet::new();
    let server = std::sync::Arc::new(talk.server);
    for n in 0..200 {
        let server = server.clone();
        tasks.spawn(async move {
            let (_, mut client) = person(&server, &format!("P{n}")).await;
            let mut last = Value::Null;
            for round in 0..=n % 4 {
                client.send(json!({"type": "react", "id": format!("p{n}t{round}"), "target": 1, "emoji": "👍", "on": round % 2 == 0})).await;
                last = client.answer_to(&format!("p{n}t{round}")).await;
                assert_eq!(last["type"], "reacted", "{last}");
            }
            // Sent again, it is the same event.
            client.send(json!({"type": "react", "id": format!("p{n}t{}", n % 4), "target": 1, "emoji": "👍", "on": n % 2 == 0})).await;
            let again = client.until(|frame| frame["repeated"] == true).await.pop().expect("a frame");
            assert_eq!(again["seq"], last["seq"]);
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a client");
    }
    let stream = request(&server, "GET", "/harbour/events?after=0&wait=0").header("accept", "application/x-ndjson");
    let log: Vec<Value> =
        send(stream).await.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let numbers: Vec<i64> = log.iter().map(|event| event["seq"].as_i64().expect("a number")).collect();
    assert_eq!(numbers, (1..=numbers.len() as i64).collect::<Vec<_>>(), "without gaps");
    // Tags may coincide; names here do not.
    let mut replayed: BTreeSet<(&str, &str)> = BTreeSet::new();
    for event in log.iter().filter(|event| event["type"] == "reacted") {
        let who = (event["username"].as_str().expect("a name"), event["tag"].as_str().expect("a tag"));
        let is_new = if event["on"] == true { replayed.insert(who) } else { replayed.remove(&who) };
        assert!(is_new || who.0 == "Anonymous", "an event that changes nothing: {event}");
    }
    let on = log.iter().filter(|event| event["on"] == true).count();
    let off = log.iter().filter(|event| event["on"] == false).count();
    assert_eq!(counts(&server, 1).await, [("👍".to_owned(), (on - off) as u64)]);
    assert_eq!(on - off, 100);
    let rows = database::rows(&site.database_url, "SELECT COUNT(*) FROM reactions").await;
    assert_eq!(rows[0].try_get_by_index::<i64>(0).expect("a count"), 100);
    talk.ann.1.until(|frame| frame["seq"] == *numbers.last().expect("events")).await;
}

async fn one_id_from_several_tabs_and_nodes_is_one_reaction(site: Site) {
    let mut talk = Talk::begun(&site).await;
    // SQLite has one node.
    let other = if site.database_url.starts_with("sqlite") { None } else { Some(site.start()) };
    let door = |server: &Server| Door::of("harbour").username("Ben").identity(&talk.ben.0, server);
    let mut tabs = vec![door(&talk.server).join(&talk.server).await];
    if let Some(other) = &other {
        tabs.push(door(other).join(other).await);
    }
    tabs.push(door(&talk.server).join(&talk.server).await);
    for tab in &mut tabs {
        tab.send(json!({"type": "react", "id": "once", "target": 1, "emoji": "😂", "on": true})).await;
    }
    for tab in &mut tabs {
        assert_eq!(tab.answer_to("once").await["seq"], 2);
    }
    // Another tab's state is answered, too, once that tab's event is here.
    for (n, tab) in tabs.iter_mut().enumerate() {
        let answer = react(tab, &format!("tab{n}"), 1, "😂", true).await;
        assert_eq!((&answer["seq"], &answer["repeated"]), (&json!(2), &json!(true)), "{answer}");
    }
    assert_eq!(talk.ann.1.say("a2", "once").await["seq"], 3);
    let seen: BTreeMap<String, u64> = counts(&talk.server, 1).await.into_iter().collect();
    assert_eq!(seen, [("😂".to_owned(), 1)].into());
    if let Some(other) = &other {
        let there = || async { (counts(other, 1).await == [("😂".to_owned(), 1)]).then_some(()) };
        eventually("the other node counts alike", there).await;
    }
}
