//! Edits and deletions: only by the author, visible to every reader, and permanent.

use crate::support::host::on_each_database;
use crate::support::page::Page;
use crate::support::{Client, DEADLINE, Database, Door, Server, Site, database, eventually, http};
use serde_json::{Value, json};

on_each_database!(
    an_edit_reaches_every_reader,
    a_deletion_reaches_every_reader,
    only_the_author_changes_a_message,
    only_existing_messages_can_be_changed,
    a_repeated_change_is_made_once,
    a_resume_replays_changes,
    a_deleted_text_is_gone_for_those_who_come_later,
);

async fn author(server: &Server) -> (Client, String) {
    let cookie = http::identity(server).await;
    (Door::of("harbour").username("Ann").identity(&cookie, server).join(server).await, cookie)
}

async fn change(client: &mut Client, frame: Value) -> Value {
    let id = frame["id"].as_str().expect("an id").to_owned();
    client.send(frame).await;
    client.answer_to(&id).await
}

async fn an_edit_reaches_every_reader(site: Site) {
    let server = site.start();
    let (mut ann, _) = author(&server).await;
    let mut bob = Client::join(&server, "harbour").await;
    let said = ann.say("a", "helo").await;
    bob.expect_message("helo").await;
    let edited = change(&mut ann, json!({"type": "edit", "id": "b", "target": 1, "text": " hello "})).await;
    assert_eq!((&edited["type"], &edited["seq"]), (&json!("edited"), &json!(2)), "{edited}");
    assert_eq!((&edited["target"], &edited["text"]), (&json!(1), &json!("hello")), "{edited}");
    assert!(edited["at"].as_i64() >= said["sent_at"].as_i64());
    assert_eq!(edited.get("message"), None, "the original client would show it");
    assert_eq!(bob.expect("edited").await, edited);
    change(&mut ann, json!({"type": "edit", "id": "c", "target": 1, "text": "hello!"})).await;
    let page = Page::of(&server, "harbour").await;
    assert_eq!((page.numbers(), page.number("data-head")), (vec![1], 3));
    assert!(page.shows(1, "hello!") && !page.shows(1, "helo"), "{page:?}");
}

async fn a_deletion_reaches_every_reader(site: Site) {
    let server = site.start();
    let (mut ann, _) = author(&server).await;
    let mut bob = Client::join(&server, "harbour").await;
    ann.say("a", "forget-this").await;
    ann.say("b", "keep-this").await;
    change(&mut ann, json!({"type": "edit", "id": "c", "target": 1, "text": "forget-that"})).await;
    let deleted = change(&mut ann, json!({"type": "delete", "id": "d", "target": 1})).await;
    assert_eq!(deleted["type"], "deleted");
    assert_eq!((&deleted["seq"], &deleted["target"]), (&json!(4), &json!(1)));
    assert_eq!(bob.until(|frame| frame["type"] == "deleted").await.pop(), Some(deleted));
    let html = http::get(&server, "/harbour/").await.body;
    assert!(!html.contains("forget-th"), "{html}");
    assert!(Page::parse(&html).shows(2, "keep-this"), "{html}");
    let rows = database::messages(&site.database_url, "harbour").await;
    assert_eq!(rows.len(), 4, "the row stays, so that numbers have no gap");
    assert!(rows.iter().all(|row| !row["message"].as_str().expect("text").contains("forget")), "{rows:?}");
}

async fn only_the_author_changes_a_message(site: Site) {
    let server = site.start();
    let (mut ann, cookie) = author(&server).await;
    ann.say("a", "mine").await;
    let eve = http::identity(&server).await;
    let mut eve = Door::of("harbour").username("Ann").identity(&eve, &server).join(&server).await;
    let mut guest = Client::join(&server, "harbour").await;
    for client in [&mut eve, &mut guest] {
        for frame in [
            json!({"type": "edit", "id": "x", "target": 1, "text": "yours"}),
            json!({"type": "delete", "id": "y", "target": 1}),
        ] {
            let answer = change(client, frame).await;
            assert_eq!((&answer["type"], &answer["code"]), (&json!("rejected"), &json!("forbidden")), "{answer}");
        }
    }
    // The author on another connection is the author.
    let mut ann_again = Door::of("harbour").identity(&cookie, &server).join(&server).await;
    let edited = change(&mut ann_again, json!({"type": "edit", "id": "z", "target": 1, "text": "still mine"})).await;
    assert_eq!((&edited["type"], &edited["seq"]), (&json!("edited"), &json!(2)), "refusals take no number");
    // In another room, the number is another message's.
    let mut tavern = Door::of("tavern").identity(&cookie, &server).join(&server).await;
    let answer = change(&mut tavern, json!({"type": "delete", "id": "w", "target": 1})).await;
    assert_eq!(answer["code"], "not_found");
}

async fn only_existing_messages_can_be_changed(site: Site) {
    let server = site.start();
    let (mut ann, _) = author(&server).await;
    ann.say("a", "one").await;
    change(&mut ann, json!({"type": "edit", "id": "b", "target": 1, "text": "two"})).await;
    for (id, target) in [("c", 2), ("d", 3), ("e", 0)] {
        let answer = change(&mut ann, json!({"type": "delete", "id": id, "target": target})).await;
        assert_eq!(answer["code"], "not_found", "{target} is no message: {answer}");
    }
    change(&mut ann, json!({"type": "delete", "id": "f", "target": 1})).await;
    for frame in [
        json!({"type": "edit", "id": "g", "target": 1, "text": "back"}),
        json!({"type": "delete", "id": "h", "target": 1}),
    ] {
        assert_eq!(change(&mut ann, frame).await["code"], "not_found");
    }
    // Two at once: the first wins, and the second is told.
    ann.say("i", "three").await;
    ann.send(json!({"type": "delete", "id": "j", "target": 4})).await;
    ann.send(json!({"type": "edit", "id": "k", "target": 4, "text": "four"})).await;
    let mut answers = vec![ann.next().await, ann.next().await];
    answers.sort_by_key(|answer| answer["id"].to_string());
    assert_eq!((&answers[0]["type"], &answers[1]["code"]), (&json!("deleted"), &json!("not_found")), "{answers:?}");
    assert_eq!(database::messages(&site.database_url, "harbour").await[3]["message"], "");
}

async fn a_repeated_change_is_made_once(site: Site) {
    let server = site.start();
    let (mut ann, _) = author(&server).await;
    ann.say("a", "one").await;
    let edit = json!({"type": "edit", "id": "b", "target": 1, "text": "two"});
    let first = change(&mut ann, edit.clone()).await;
    assert_eq!(change(&mut ann, edit.clone()).await, first);
    let other = json!({"type": "edit", "id": "b", "target": 1, "text": "three"});
    assert_eq!(change(&mut ann, other).await["code"], "id_conflict");
    assert_eq!(change(&mut ann, json!({"type": "delete", "id": "a", "target": 1})).await["code"], "id_conflict");
    let delete = json!({"type": "delete", "id": "c", "target": 1});
    let deleted = change(&mut ann, delete.clone()).await;
    assert_eq!(deleted["type"], "deleted");
    assert_eq!(change(&mut ann, delete).await, deleted);
    // A post that was blanked since is still acknowledged when it is sent again.
    ann.send(json!({"type": "post", "id": "a", "message": "one"})).await;
    let again = ann.answer_to("a").await;
    assert_eq!((&again["seq"], &again["message"]), (&json!(1), &json!("")), "{again}");
    assert_eq!(ann.say("d", "next").await["seq"], 4);
}

async fn a_resume_replays_changes(site: Site) {
    let server = site.start();
    let (mut ann, _) = author(&server).await;
    for n in 1..=3 {
        ann.say(&n.to_string(), &format!("text {n}")).await;
    }
    change(&mut ann, json!({"type": "edit", "id": "e", "target": 2, "text": "text two"})).await;
    change(&mut ann, json!({"type": "delete", "id": "d", "target": 1})).await;
    let mut reader = Door::of("harbour").after(2).join(&server).await;
    let frames = reader.until(|frame| frame["seq"] == 5).await;
    let kinds: Vec<_> = frames.iter().map(|frame| frame["type"].as_str().expect("a type")).collect();
    assert_eq!(kinds, ["message", "edited", "deleted"]);
    assert_eq!((&frames[1]["target"], &frames[1]["text"]), (&json!(2), &json!("text two")));
    assert_eq!(frames[2]["target"], 1);
}

async fn a_deleted_text_is_gone_for_those_who_come_later(site: Site) {
    let mut server = site.start();
    let (mut ann, cookie) = author(&server).await;
    ann.say("a", "forget-this").await;
    change(&mut ann, json!({"type": "edit", "id": "b", "target": 1, "text": "forget-that"})).await;
    change(&mut ann, json!({"type": "delete", "id": "c", "target": 1})).await;
    for restarted in [false, true] {
        if restarted {
            server.stop();
            server = site.start();
        }
        let mut reader = Door::of("harbour").after(0).join(&server).await;
        let frames = reader.until(|frame| frame["type"] == "deleted").await;
        assert!(frames.iter().all(|frame| !frame.to_string().contains("forget")), "{frames:?}");
        let mut again = Door::of("harbour").after(3).identity(&cookie, &server).join(&server).await;
        again.send(json!({"type": "sync", "after": 0})).await;
        let frames = again.until(|frame| frame["type"] == "deleted").await;
        assert!(frames.iter().all(|frame| !frame.to_string().contains("forget")), "{frames:?}");
    }
    assert!(!lies_on_disk(&site, "forget-th"));
}

#[tokio::test]
async fn a_long_reader_of_the_database_does_not_delay_deletions() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let (mut ann, _) = author(&server).await;
    for n in 1..=6 {
        ann.say(&format!("said-{n}"), "forget-this").await;
    }
    let reading = database::hold_open(&site.database_url).await;
    let going_on = async {
        for n in 1..=6 {
            let answer = change(&mut ann, json!({"type": "delete", "id": format!("gone-{n}"), "target": n})).await;
            assert_eq!(answer["type"], "deleted");
        }
        for n in 1..=20 {
            assert_eq!(ann.say(&format!("later-{n}"), "keep-this").await["type"], "message");
        }
    };
    tokio::time::timeout(DEADLINE, going_on).await.expect("nobody waits for the reader");
    assert!(lies_on_disk(&site, "forget-this"), "it is still being read");
    reading.release().await;
    eventually("the text is gone", || async { (!lies_on_disk(&site, "forget-this")).then_some(()) }).await;
}

/// Whether the database file or its write-ahead log holds `text`.
fn lies_on_disk(site: &Site, text: &str) -> bool {
    let files = ["parlour.db", "parlour.db-wal"].map(|name| std::fs::read(site.data.join(name)).unwrap_or_default());
    files.iter().any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
}

#[tokio::test]
async fn a_deleted_text_leaves_the_disk_while_the_server_runs() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let (mut ann, _) = author(&server).await;
    // Enough around it that pages of the file are split and moved.
    for n in 0..60 {
        ann.say(&format!("before-{n}"), &"x".repeat(500)).await;
    }
    let target = ann.say("a", "forget-this").await["seq"].clone();
    for n in 0..60 {
        ann.say(&format!("after-{n}"), &"y".repeat(500)).await;
    }
    change(&mut ann, json!({"type": "edit", "id": "b", "target": target, "text": "forget-that"})).await;
    ann.say("c", "keep-this").await;
    assert!(lies_on_disk(&site, "forget-this") && lies_on_disk(&site, "forget-that"));
    change(&mut ann, json!({"type": "delete", "id": "d", "target": target})).await;
    eventually("the text is gone", || async { (!lies_on_disk(&site, "forget-th")).then_some(()) }).await;
    assert!(lies_on_disk(&site, "keep-this"));
}
