//! Reactions of many connections, tabs and nodes at once: each counts exactly once.

use crate::annotated_log::{assert_read_alike, log};
use crate::reactions::{Talk, counts, person, react};
use crate::support::host::on_each_database;
use crate::support::redis::Redis;
use crate::support::{Client, Door, Server, Site, eventually, http};
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};
use std::collections::BTreeMap;

on_each_database!(toggles_of_many_connections_add_up_as_in_the_log, one_id_from_several_tabs_and_nodes_is_one_reaction,);

/// Number of connections that toggle one emoji.
const CONNECTIONS: usize = 200;

async fn toggles_of_many_connections_add_up_as_in_the_log(site: Site) {
    // SQLite has one node.
    let is_alone = site.database_url.starts_with("sqlite");
    let redis = tokio::task::spawn_blocking(move || (!is_alone).then(Redis::start)).await.expect("Redis");
    let site = match &redis {
        Some(redis) => site.with_redis(redis.url()),
        None => site,
    };
    let mut talk = Talk::begun(&site).await;
    let other = redis.is_some().then(|| site.start());
    let servers: Vec<&Server> = [&talk.server].into_iter().chain(&other).collect();
    let servers = &servers[..];
    // They come a few at a time, and toggle at once.
    let coming =
        (0..CONNECTIONS).map(|n| async move { (n, person(servers[n % servers.len()], &format!("P{n}")).await.1) });
    let clients: Vec<(usize, Client)> = stream::iter(coming).buffer_unordered(10).collect().await;
    join_all(clients.into_iter().map(|(n, client)| toggle(n, client))).await;
    let state = assert_read_alike(&site, servers, "harbour").await;
    assert_eq!(state.messages[&1].reactions, [("👍".to_owned(), CONNECTIONS as i64 / 2)]);
    // A connection from before all of them has every event, too.
    let head = log(&talk.server, "harbour").await.len() as i64;
    let heard = talk.ann.1.until(|frame| frame["seq"] == head).await;
    let numbers: Vec<i64> = heard.iter().filter_map(|frame| frame["seq"].as_i64()).collect();
    assert_eq!(numbers, (2..=head).collect::<Vec<_>>());
    // Each visitor's own reaction is marked, whichever node answers.
    for server in servers {
        let path = "/api/load_reactions?room_name=harbour&first=1&last=1";
        let own: Value = serde_json::from_str(&http::get_as(server, path, &talk.ben.0).await.body).expect("JSON");
        let reactions = json!([{"emoji": "👍", "count": CONNECTIONS / 2}]);
        assert_eq!(own, json!({"head": head, "messages": [{"seq": 1, "reactions": reactions}]}));
    }
}

/// A visitor who toggles one to four times, and sends the last toggle again.
async fn toggle(n: usize, mut client: Client) {
    let frame = |round: usize| json!({"type": "react", "id": format!("p{n}t{round}"), "target": 1, "emoji": "👍", "on": round.is_multiple_of(2)});
    let mut last = Value::Null;
    for round in 0..=n / 2 % 4 {
        client.send(frame(round)).await;
        last = client.answer_to(&format!("p{n}t{round}")).await;
        assert_eq!(last["type"], "reacted", "{last}");
    }
    // Sent again, it is the same event.
    client.send(frame(n / 2 % 4)).await;
    let again = client.until(|frame| frame["repeated"] == true).await.pop().expect("a frame");
    assert_eq!(again["seq"], last["seq"]);
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
