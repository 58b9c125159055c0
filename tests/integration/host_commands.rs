//! Commands of the host while visitors are connected: listing rooms, deleting a message, banning, deleting a room.

use crate::cluster::two_nodes;
use crate::support::host::on_each_database;
use crate::support::page::Page;
use crate::support::{Client, Database, Door, Server, Site, database, eventually, http};
use serde_json::{Value, json};

on_each_database!(
    the_host_sees_every_room,
    the_host_removes_a_message,
    the_host_bans_and_pardons_even_an_owner,
    a_deleted_room_ends_for_those_in_it_and_begins_anew,
    a_missing_target_is_named,
    a_room_is_named_by_its_link,
);

fn done(site: &Site, command: &[&str]) -> String {
    let (well, said) = site.command(command);
    assert!(well, "{command:?}: {said}");
    said
}

/// Returns a visitor with a name, who has posted a message.
async fn speaker(server: &Server, name: &str) -> (String, Client) {
    let cookie = http::identity(server).await;
    let mut client = Door::of("harbour").username(name).identity(&cookie, server).join(server).await;
    client.say(name, &format!("{name} was here")).await;
    (cookie, client)
}

/// Returns the number of rows in each table that do not belong to the room `elsewhere`.
async fn rows_left(site: &Site) -> Vec<usize> {
    let mut left = Vec::new();
    for table in ["events", "names", "standings"] {
        let stray =
            format!("SELECT 1 FROM {table} WHERE room_id NOT IN (SELECT id FROM rooms WHERE name = 'elsewhere')");
        left.push(database::rows(&site.database_url, &stray).await.len());
    }
    left
}

async fn the_host_sees_every_room(site: Site) {
    let server = site.start();
    let (_, ann) = speaker(&server, "Ann").await;
    database::store_room(&site.database_url, "empty").await;
    done(&site, &["retention", "empty", "7"]);
    let text = done(&site, &["rooms"]);
    let line = |room: &str| text.lines().find(|line| line.contains(room)).expect("a line").to_owned();
    let tag = ann.welcome["tag"].as_str().expect("a tag");
    assert!(line("harbour").contains(tag) && line("harbour").contains(" UTC "), "{text}");
    assert!(line("empty").contains("(kept 7 days)"), "{text}");
    let said = done(&site, &["rooms", "--json"]);
    let rooms: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rooms.len(), 2, "{said}");
    let harbour = rooms.iter().find(|room| room["room_name"] == "harbour").expect("the room");
    assert_eq!((&harbour["head"], &harbour["events"], &harbour["owner"]), (&json!(1), &json!(1), &json!(tag)));
    assert!(harbour["last_at"].is_i64() && harbour["locked"] == false && harbour["private"] == false, "{harbour}");
    let empty = rooms.iter().find(|room| room["room_name"] == "empty").expect("the room");
    assert_eq!((&empty["last_at"], &empty["keep_days"], &empty["events"]), (&json!(null), &json!(7), &json!(0)));
}

async fn the_host_removes_a_message(site: Site) {
    let server = site.start();
    let (_, mut ann) = speaker(&server, "Ann").await;
    let (_, mut bob) = speaker(&server, "Bob").await;
    ann.until(|frame| frame["seq"] == 2).await;
    let said = done(&site, &["remove", &server.url("/harbour/2")]);
    assert!(said.contains("message 2"), "{said}");
    for client in [&mut ann, &mut bob] {
        let deleted = client.until(|frame| frame["type"] == "deleted").await.pop().expect("a frame");
        assert_eq!((&deleted["seq"], &deleted["target"]), (&json!(3), &json!(2)));
    }
    assert!(!Page::of(&server, "harbour").await.shows(2, "Bob was here"));
    assert_eq!(database::messages(&site.database_url, "harbour").await[1]["message"], "");
    let (well, said) = site.command(&["remove", "harbour/2"]);
    assert!(!well && said.contains("There is no such message"), "{said}");
    assert_eq!(bob.say("on", "we go on").await["seq"], 4);
}

async fn the_host_bans_and_pardons_even_an_owner(site: Site) {
    let server = site.start();
    let (cookie, mut ann) = speaker(&server, "Ann").await;
    let (_, mut bob) = speaker(&server, "Bob").await;
    let door = || Door::of("harbour").identity(&cookie, &server);
    let mut other_tab = door().join(&server).await;
    let said = done(&site, &["ban", "harbour/1", "12h"]);
    assert!(said.contains("Ann is banned") && said.contains("Until "), "{said}");
    assert_eq!((ann.close_code().await, other_tab.close_code().await), (Some(4503), Some(4503)));
    let told = bob.until(|frame| frame["type"] == "moderated").await.pop().expect("a frame");
    assert_eq!((&told["action"], &told["subject"]["username"]), (&json!("ban"), &json!("Ann")));
    assert!(told["until"].as_i64() > told["at"].as_i64(), "{told}");
    assert_eq!(door().turned_away(&server).await.0, 4503);
    assert_eq!(http::get_as(&server, "/harbour/", &cookie).await.status, 403);
    let form = http::browser().post(server.url("/harbour/")).header("cookie", &cookie);
    assert_eq!(http::send(form.form(&[("message", "by form")])).await.status, 403);
    assert_eq!(bob.say("on", "still here").await["seq"], 4);
    done(&site, &["pardon", "harbour/1"]);
    let mut ann = door().join(&server).await;
    ann.send(json!({"type": "moderate", "id": "mine", "action": "lock"})).await;
    assert_eq!(ann.answer_to("mine").await["type"], "moderated", "it is still her room");
}

async fn a_deleted_room_ends_for_those_in_it_and_begins_anew(site: Site) {
    let server = site.start();
    let mut elsewhere = Client::join(&server, "elsewhere").await;
    elsewhere.say("0", "another room").await;
    let (cookie, mut ann) = speaker(&server, "Ann").await;
    let (_, mut bob) = speaker(&server, "Bob").await;
    for n in 0..300 {
        ann.post(&format!("n{n}"), "one of many").await;
    }
    bob.until(|frame| frame["seq"] == 302).await;
    ann.send(json!({"type": "moderate", "id": "mute", "action": "mute", "target": 2, "seconds": 600})).await;
    bob.until(|frame| frame["type"] == "moderated").await;
    let said = done(&site, &["delete", "harbour"]);
    assert!(said.contains("--yes") && said.contains("303"), "{said}");
    ann.say("still", "nothing has happened").await;
    assert!(rows_left(&site).await.iter().all(|left| *left > 0));

    done(&site, &["delete", "harbour", "--yes"]);
    assert_eq!(rows_left(&site).await, [0, 0, 0]);
    assert!(!lies_on_disk(&site, "Ann was here") && !lies_on_disk(&site, "one of many"));
    assert_eq!((ann.close_code().await, bob.close_code().await), (Some(4505), Some(4505)));
    assert_eq!(database::room_names(&site.database_url).await, ["elsewhere"]);
    elsewhere.say("1", "not concerned").await;

    // A client that resumes from the deleted room is reset; a new visitor finds a room without owner.
    let epoch = ann.welcome["epoch"].as_str().expect("an epoch").to_owned();
    let mut bob = Door::of("harbour").username("Ann").after(302).epoch(&epoch).join(&server).await;
    assert_ne!(bob.welcome["epoch"], json!(epoch));
    assert_eq!(bob.expect("reset").await["head"], 0);
    assert_eq!(bob.say("Ann", "the first word").await["seq"], 1, "the name and the id are free");
    let mut ann = Door::of("harbour").identity(&cookie, &server).after(1).epoch(&epoch).join(&server).await;
    assert_eq!(ann.expect("reset").await["head"], 1);
    assert_eq!(Page::of(&server, "harbour").await.numbers(), [1]);
}

/// Whether the database file or its write-ahead log holds `text`.
fn lies_on_disk(site: &Site, text: &str) -> bool {
    let files = ["parlour.db", "parlour.db-wal"].map(|name| std::fs::read(site.data.join(name)).unwrap_or_default());
    files.iter().any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
}

async fn a_missing_target_is_named(site: Site) {
    let mut server = site.start();
    speaker(&server, "Ann").await;
    server.stop();
    for (command, named) in [
        (&["remove", "nowhere/1"][..], "nowhere"),
        (&["remove", "harbour"], "ROOM/NUMBER"),
        (&["ban", "harbour/9", "7d"], "There is no such message"),
        (&["ban", "harbour/1", "7"], "minutes, hours or days"),
        (&["ban", "harbour/1"], "TIME"),
        (&["pardon", "harbour/x"], "ROOM/NUMBER"),
        (&["delete", "nowhere", "--yes"], "nowhere"),
    ] {
        let (well, said) = site.command(command);
        assert!(!well && said.contains(named), "{command:?}: {said}");
    }
    // No server is needed.
    done(&site, &["remove", "harbour/1"]);
    assert_eq!(database::room_names(&site.database_url).await, ["harbour"]);
}

#[tokio::test]
async fn entries_in_flight_to_a_deleted_room_are_not_acknowledged() {
    let site = Site::new(Database::Postgres).await;
    let server = site.start();
    database::store_room(&site.database_url, "harbour").await;
    let mut ann = Client::join(&server, "harbour").await;
    let room = database::hold_room(&site.database_url, "harbour").await;
    ann.post("late", "too late").await;
    eventually("the message waits for the room", || async {
        let waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        (!database::rows(&site.database_url, waiting).await.is_empty()).then_some(())
    })
    .await;
    room.commit("DELETE FROM rooms WHERE name = 'harbour'").await;
    // Refused, or cut off, whichever comes first.
    let end = ann.rest().await;
    assert!(end.iter().all(|frame| frame["type"] != "message"), "{end:?}");
    assert_eq!(ann.closed, Some(4505));
}

#[tokio::test]
async fn every_node_does_what_the_host_says() {
    let (site, _redis, one, two) = two_nodes().await;
    let (_, mut ann) = speaker(&one, "Ann").await;
    let (_, mut bob) = speaker(&two, "Bob").await;
    done(&site, &["ban", "harbour/2", "1h"]);
    assert_eq!(bob.close_code().await, Some(4503));
    ann.until(|frame| frame["type"] == "moderated").await;
    let mut carol = Client::join(&two, "harbour").await;
    done(&site, &["delete", "harbour", "--yes"]);
    assert_eq!((ann.close_code().await, carol.close_code().await), (Some(4505), Some(4505)));
}

async fn a_room_is_named_by_its_link(site: Site) {
    let server = site.start();
    Client::join(&server, "%D1%83%D1%8E%D1%82").await.say("a", "hello").await;
    let links = [server.url("/%D1%83%D1%8E%D1%82/"), server.url("/%D1%83%D1%8E%D1%82/1?x=y"), "/уют/".to_owned()];
    for link in &links {
        assert!(done(&site, &["retention", link, "7"]).contains("уют keeps its messages"), "{link}");
        assert!(done(&site, &["retention", link]).contains("7 days"), "{link}");
        assert!(done(&site, &["export", link]).contains("hello"), "{link}");
        assert!(done(&site, &["delete", link]).contains("would delete уют "), "{link}");
    }
    assert_eq!(done(&site, &["rooms", "--json"]).lines().count(), 1);
    assert!(done(&site, &["delete", &links[0], "--yes"]).contains("уют"));
    assert_eq!(done(&site, &["rooms", "--json"]).lines().count(), 0);
}
