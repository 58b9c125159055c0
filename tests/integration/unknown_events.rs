//! A log with events of kinds that this version does not know, as nodes of a later one write them: their numbers are
//! taken, they show nothing, and they keep nothing else from being read, written or removed.

use crate::cluster::{relay_is, two_nodes};
use crate::exchange::Exchanger;
use crate::support::database::{UnknownEvent, append_unknown};
use crate::support::host::on_each_database;
use crate::support::page::Page;
use crate::support::peer_node::PeerNode;
use crate::support::redis::Redis;
use crate::support::{Client, DEADLINE, Database, Door, Server, Site, database, eventually, http, tempdir};
use serde_json::{Value, json};
use std::time::Instant;

on_each_database!(
    an_unknown_event_takes_its_number_and_shows_nothing,
    many_unknown_events_in_a_row_are_passed_over,
    an_unknown_event_is_no_target_and_its_id_is_taken,
    the_text_of_an_unknown_event_goes_with_its_message,
    the_text_of_an_unknown_event_goes_with_its_author,
    unknown_events_expire_and_end_with_their_room,
);

/// A text that no page, frame or export may show.
const SECRET: &str = "a secret of kind 99";

async fn append(site: &Site, id: &str, target: i64) -> i64 {
    append_unknown(&site.database_url, "harbour", UnknownEvent { id, target, text: SECRET }).await
}

async fn speaker(server: &Server, name: &str) -> (String, Client) {
    let cookie = http::identity(server).await;
    let mut client = Door::of("harbour").username(name).identity(&cookie, server).join(server).await;
    client.say(name, &format!("{name} was here")).await;
    (cookie, client)
}

/// Number and type of each frame.
fn kinds(frames: &[Value]) -> Vec<(i64, &str)> {
    let kind = |frame: &'_ Value| frame["seq"].as_i64().unwrap_or_default();
    frames.iter().map(|frame| (kind(frame), frame["type"].as_str().expect("a type"))).collect()
}

async fn texts(site: &Site) -> Vec<String> {
    let messages = database::messages(&site.database_url, "harbour").await;
    messages.iter().map(|message| message["message"].as_str().expect("a text").to_owned()).collect()
}

async fn an_unknown_event_takes_its_number_and_shows_nothing(site: Site) {
    let server = site.start();
    let (_, mut ann) = speaker(&server, "Ann").await;
    let mut ben = Client::join(&server, "harbour").await;
    let mut carol = Exchanger::new(&server, "harbour").await;
    assert_eq!(append(&site, "dance-2", 1).await, 2);
    // Live, once the node has compared its room with the database.
    for client in [&mut ann, &mut ben] {
        let frame = client.next().await;
        assert_eq!(frame, json!({"type": "other", "seq": 2, "id": "dance-2", "target": 1, "at": frame["at"]}));
        assert!(frame["at"].as_i64() > Some(0));
    }
    assert_eq!(ann.say("3", "and on").await["seq"], 3);
    assert_eq!(ben.expect_message("and on").await["seq"], 3);
    assert_eq!(kinds(&carol.send(&[]).await), [(2, "other"), (3, "message")]);

    // Replayed: to those who resume, who ask again, and by HTTP.
    let mut dave = Door::of("harbour").after(0).join(&server).await;
    let replayed = [dave.next().await, dave.next().await, dave.next().await];
    assert_eq!(kinds(&replayed), [(1, "message"), (2, "other"), (3, "message")]);
    ben.send(json!({"type": "sync", "after": 1})).await;
    assert_eq!((ben.next().await["seq"].as_i64(), ben.next().await["seq"].as_i64()), (Some(2), Some(3)));
    carol.after = 0;
    assert_eq!(kinds(&carol.send(&[]).await), [(1, "message"), (2, "other"), (3, "message")]);
    let again = carol.frame(json!({"type": "sync", "after": 1})).await;
    assert_eq!(kinds(&again), [(2, "other"), (3, "message")]);

    // Streams have its number.
    let stream = async |accept: &str| {
        let request = http::browser().get(server.url("/harbour/events?after=0&wait=0")).header("accept", accept);
        http::send(request).await.body
    };
    let lines: Vec<Value> =
        stream("application/x-ndjson").await.lines().map(|it| serde_json::from_str(it).expect("JSON")).collect();
    assert_eq!(kinds(&lines), [(1, "message"), (2, "other"), (3, "message")]);
    assert!(stream("text/event-stream").await.contains("id: 2\nevent: other\ndata: {"));
    assert_eq!(stream("text/plain").await, "Ann: Ann was here\nAnn: and on\n");

    // Pages, counts and exports have messages only.
    let page = Page::of(&server, "harbour").await;
    assert_eq!((page.numbers(), page.number("data-head")), (vec![1, 3], 3));
    let around = http::get(&server, "/harbour/2").await;
    assert_eq!((around.status.as_u16(), Page::parse(&around.body).numbers()), (200, vec![1, 3]));
    let json = async |path: &str| {
        let answer = http::send(http::browser().get(server.url(path)).header("accept", "application/json")).await;
        (answer.status.as_u16(), serde_json::from_str::<Value>(&answer.body).expect("JSON"))
    };
    assert_eq!(json("/harbour/2").await.0, 404);
    let (_, whole) = json("/harbour/").await;
    let numbers: Vec<&Value> = whole["messages"].as_array().expect("messages").iter().map(|it| &it["seq"]).collect();
    assert_eq!((json!(numbers), &whole["head"]), (json!([1, 3]), &json!(3)));
    let unread = http::get(&server, "/api/count_unread?rooms[0][room]=harbour&rooms[0][read]=1").await;
    assert_eq!(unread.body, "[1]");
    for format in ["text", "html", "json"] {
        let (well, exported) = site.command(&["export", "harbour", "--format", format]);
        assert!(well && exported.contains("and on") && !exported.contains(SECRET), "{exported}");
    }
    let (well, said) = site.command(&["export", "--author-of", "harbour/1"]);
    assert!(well && said.contains("Ann was here") && !said.contains(SECRET), "{said}");
    let (well, said) = site.command(&["rooms"]);
    assert!(well && said.contains("harbour"), "{said}");
    assert!(!page.messages.iter().any(|(_, text)| text.contains("99")) && !server.log().contains("ERROR"));
}

async fn many_unknown_events_in_a_row_are_passed_over(site: Site) {
    let mut server = site.start();
    let (_, mut ann) = speaker(&server, "Ann").await;
    // More than are kept in memory, and more than a page has.
    let many = "INSERT INTO events SELECT r.id, n.seq, e.author, 'c' || n.seq, 99, e.at, 'Zoe', NULL, 'x', NULL, NULL
        FROM (WITH RECURSIVE n(seq) AS (SELECT 2 UNION ALL SELECT seq + 1 FROM n WHERE seq < 701) SELECT seq FROM n) n,
        events e, rooms r WHERE r.name = 'harbour'";
    let head = "UPDATE rooms SET head = 701 WHERE name = 'harbour'";
    server.stop();
    drop(ann.rest().await);
    database::execute(&site.database_url, &format!("{many}; {head}")).await;
    let server = site.start();
    let mut ben = Door::of("harbour").after(0).join(&server).await;
    ben.say("ben", "after all of them").await;
    let mut all = Door::of("harbour").after(0).join(&server).await;
    for seq in 1..=702 {
        assert_eq!(all.next().await["seq"], seq);
    }
    assert_eq!(Page::of(&server, "harbour").await.numbers(), [1, 702]);
    let mut carol = Exchanger::new(&server, "harbour").await;
    carol.after = 600;
    assert_eq!(carol.send(&[]).await.len(), 100);
    assert_eq!(kinds(&carol.send(&[]).await), [(701, "other"), (702, "message")]);
}

async fn an_unknown_event_is_no_target_and_its_id_is_taken(site: Site) {
    let server = site.start();
    let (_, mut ann) = speaker(&server, "Ann").await;
    assert_eq!(append(&site, "dance", 1).await, 2);
    ann.until(|frame| frame["seq"] == 2).await;
    for (n, frame) in [
        json!({"type": "edit", "target": 2, "text": "mine"}),
        json!({"type": "delete", "target": 2}),
        json!({"type": "moderate", "target": 2, "action": "mute", "seconds": 60}),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("act-{n}");
        let mut frame = frame;
        frame["id"] = json!(id);
        ann.send(frame).await;
        let answer = ann.answer_to(&id).await;
        assert_eq!((&answer["type"], &answer["code"]), (&json!("rejected"), &json!("not_found")), "{answer}");
    }
    // The event is by Ann: the id stands for it.
    ann.post("dance", "another meaning").await;
    let answer = ann.until(|frame| frame["id"] == "dance" && frame["seq"].is_null()).await.pop().expect("a frame");
    assert_eq!(answer["code"], "id_conflict", "{answer}");
    for command in
        [["remove", "harbour/2"].as_slice(), &["ban", "harbour/2", "1h"], &["export", "--author-of", "harbour/2"]]
    {
        let (well, said) = site.command(command);
        assert!(!well && !said.contains("panicked"), "{said}");
    }
    assert_eq!(ann.say("on", "we go on").await["seq"], 3);
}

async fn the_text_of_an_unknown_event_goes_with_its_message(site: Site) {
    let server = site.start();
    let (_, mut ann) = speaker(&server, "Ann").await;
    append(&site, "dance", 1).await;
    ann.until(|frame| frame["seq"] == 2).await;
    ann.send(json!({"type": "delete", "id": "gone", "target": 1})).await;
    assert_eq!(ann.answer_to("gone").await["seq"], 3);
    assert_eq!(texts(&site).await, ["", "", ""]);
    let mut late = Door::of("harbour").after(0).join(&server).await;
    for seq in 1..=3 {
        assert_eq!(late.next().await["seq"], seq);
    }
}

async fn the_text_of_an_unknown_event_goes_with_its_author(site: Site) {
    let server = site.start();
    let (_, mut ann) = speaker(&server, "Ann").await;
    let (_, mut ben) = speaker(&server, "Ben").await;
    append(&site, "hers", 1).await;
    append(&site, "his", 2).await;
    let (well, said) = site.command(&["erase", "--author-of", "harbour/1", "--yes"]);
    assert!(well && said.contains("1 messages"), "{said}");
    assert_eq!(texts(&site).await, ["", "Ben was here", "", SECRET, ""]);
    let names = "SELECT username FROM events WHERE kind = 99 ORDER BY seq";
    let names = database::rows(&site.database_url, names).await;
    let names: Vec<String> = names.iter().map(|row| row.try_get_by_index(0).expect("a name")).collect();
    assert_eq!(names, ["Anonymous", "Zoe of 99"]);
    for client in [&mut ann, &mut ben] {
        client.until(|frame| frame["seq"] == 5).await;
    }
    assert_eq!(ben.say("on", "alone").await["seq"], 6);
}

async fn unknown_events_expire_and_end_with_their_room(site: Site) {
    let mut server = site.start();
    let (_, mut ann) = speaker(&server, "Ann").await;
    append(&site, "old", 1).await;
    ann.say("young", "young").await;
    server.stop();
    database::execute(&site.database_url, "UPDATE events SET at = at - 700000000 WHERE seq <= 2").await;
    if site.database_url.starts_with("sqlite") {
        let file = tempdir::directory("backups").join("unknown.backup");
        let (well, said) = site.command(&["backup", file.to_str().expect("a path")]);
        assert!(well, "{said}");
        let elsewhere = Site::new(Database::Sqlite).await;
        let (well, said) = elsewhere.command(&["restore", file.to_str().expect("a path")]);
        assert!(well, "{said}");
        assert_eq!(texts(&elsewhere).await, texts(&site).await, "a backup keeps what it does not know");
        let restored = elsewhere.start();
        assert_eq!(Page::of(&restored, "harbour").await.numbers(), [1, 3]);
    }
    let server = site.with_flags(&["--retention-days", "7"]).start();
    eventually("the old ones are gone", || async { (texts(&site).await == ["young"]).then_some(()) }).await;
    let mut late = Door::of("harbour").after(2).join(&server).await;
    assert_eq!(late.expect_message("young").await["seq"], 3);
    let young = append(&site, "new", 3).await;
    assert_eq!((young, late.expect("other").await["seq"].as_i64()), (4, Some(4)));
    let (well, said) = site.command(&["delete", "harbour", "--yes"]);
    assert!(well, "{said}");
    assert_eq!(late.close_code().await, Some(4505));
    assert_eq!(database::rows(&site.database_url, "SELECT 1 FROM events").await.len(), 0);
}

/// Appends an event as a node of a later release does: to the database, and then over the relay, with all its fields.
async fn dance(site: &Site, peer: &PeerNode, id: &str) -> Value {
    let seq = append(site, id, 1).await;
    let event = json!({
        "type": "dance", "seq": seq, "id": id, "target": 1, "username": "Zoe", "steps": [0.5, {"to": ["left"]}], "at": 5
    });
    peer.appends(&event);
    event
}

/// Appends such events until both clients have received one as the other node sent it, before their node has found it
/// in the database, where it has no fields that the node knows.
async fn both_receive_a_dance(site: &Site, peer: &PeerNode, clients: &mut [&mut Client]) {
    let since = Instant::now();
    for round in 0.. {
        assert!(since.elapsed() < DEADLINE, "events of the relay are never sent on as they came");
        let id = format!("dance-{round}");
        let sent = dance(site, peer, &id).await;
        let mut received = Vec::new();
        for client in clients.iter_mut() {
            received.push(client.answer_to(&id).await);
        }
        for frame in &received {
            assert!(*frame == sent || frame["type"] == "other" && frame["seq"] == sent["seq"], "{frame}");
        }
        if received.iter().all(|frame| *frame == sent) {
            return;
        }
    }
}

#[tokio::test]
async fn an_unknown_event_of_another_node_is_sent_on_as_it_came() {
    let redis = tokio::task::spawn_blocking(Redis::start).await.expect("Redis");
    let site = Site::new(Database::Postgres).await.with_redis(redis.url());
    let server = site.start();
    relay_is(&server, "ok").await;
    let (_, mut ann) = speaker(&server, "Ann").await;
    let mut ben = Client::join(&server, "harbour").await;
    let peer = PeerNode::join(&site, &redis, "harbour").await;
    both_receive_a_dance(&site, &peer, &mut [&mut ann, &mut ben]).await;
    let said = ann.say("on", "we go on").await;
    assert_eq!(ben.expect_message("we go on").await, said);
    // The message that the events refer to is removed: memory holds nothing of them any more.
    ann.send(json!({"type": "delete", "id": "gone", "target": 1})).await;
    let removed = ann.answer_to("gone").await["seq"].as_i64().expect("a number");
    let mut late = Door::of("harbour").after(0).join(&server).await;
    for seq in 1..=removed {
        let frame = late.next().await;
        assert_eq!(frame["seq"], seq);
        assert_ne!(frame["type"], "dance", "{frame}");
    }
    assert!(!server.log().contains("went back in time"));
}

#[tokio::test]
async fn an_unknown_event_reaches_the_readers_of_every_node() {
    let (site, redis, one, two) = two_nodes().await;
    let (_, mut ann) = speaker(&one, "Ann").await;
    let mut ben = Client::join(&two, "harbour").await;
    let peer = PeerNode::join(&site, &redis, "harbour").await;
    both_receive_a_dance(&site, &peer, &mut [&mut ann, &mut ben]).await;
    let said = ann.say("on", "we go on").await;
    assert_eq!(ben.expect_message("we go on").await, said);
}
