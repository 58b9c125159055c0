//! Rooms without messages: visiting stores nothing, and everything works. Also: the history that a returning client
//! refers to.

use crate::cluster::two_nodes;
use crate::support::host::on_each_database;
use crate::support::page::Page;
use crate::support::presence::{shown_typing, told};
use crate::support::{Client, Database, Door, Site, database, http, tempdir};
use serde_json::json;

on_each_database!(
    looking_stores_nothing,
    two_in_a_room_without_a_row_see_each_other_and_the_first_message,
    only_a_message_begins_a_room,
    many_first_messages_make_one_room,
    an_empty_room_is_the_same_after_a_restart,
    a_number_alone_does_not_continue_in_the_successor_of_a_deleted_room,
    a_row_that_an_earlier_release_stores_meanwhile_is_found,
    rooms_of_earlier_releases_go_on,
);

async fn rooms(site: &Site) -> Vec<String> {
    database::room_names(&site.database_url).await
}

async fn looking_stores_nothing(site: Site) {
    let server = site.start();
    let cookie = http::identity(&server).await;
    for path in [
        "/wp-login.php",
        "/harbour/",
        "/harbour/1",
        "/harbour/?username=Ann",
        "/api/open_room?room_name=harbour",
        "/api/load_history?room_name=harbour",
        "/api/count_unread?rooms[0][room]=harbour&rooms[0][read]=0",
    ] {
        let status = http::get_as(&server, path, &cookie).await.status;
        assert!(status == 200 || path == "/harbour/1", "{path}: {status}");
        let head = http::browser().head(server.url(path)).header("cookie", &cookie);
        http::send(head).await;
    }
    let name = [("room_name", "harbour"), ("username", "Ann")];
    let join = http::browser().post(server.url("/api/join_room")).header("cookie", &cookie).form(&name);
    assert_eq!(http::send(join).await.status, 200);
    let refused = http::post_form(&server, "/harbour/", &[("message", "   ")]).await;
    assert_eq!(refused.status, 422);
    let mut ann = Door::of("harbour").identity(&cookie, &server).username("Ann").join(&server).await;
    told(&mut ann, &["Ann"]).await;
    ann.send(json!({"type": "sync", "after": 0})).await;
    ann.send(json!({"message": ""})).await;
    ann.expect("rejected").await;
    assert_eq!(rooms(&site).await, Vec::<String>::new());
    ann.say("1", "hello").await;
    assert_eq!(rooms(&site).await, ["harbour"]);
    assert!(Page::of(&server, "harbour").await.shows(1, "hello"));
}

async fn two_in_a_room_without_a_row_see_each_other_and_the_first_message(site: Site) {
    let server = site.start();
    let page = Page::of(&server, "harbour").await;
    let epoch = page.list["data-epoch"].clone();
    let mut ann = Door::of("harbour").username("Ann").join(&server).await;
    let mut bob = Door::of("harbour").username("Bob").after(0).epoch(&epoch).join(&server).await;
    assert_eq!((&ann.welcome["epoch"], &bob.welcome["epoch"]), (&json!(epoch), &json!(epoch)));
    told(&mut ann, &["Ann", "Bob"]).await;
    assert_eq!(shown_typing(&mut bob, &mut ann).await["username"], "Ann");
    assert_eq!(rooms(&site).await, Vec::<String>::new());
    let first = ann.say("1", "hello").await;
    assert_eq!(first["seq"], 1);
    assert_eq!(bob.expect_message("hello").await, first);
    assert_eq!(bob.say("2", "and back").await["seq"], 2);
    let mut late = Door::of("harbour").after(0).epoch(&epoch).join(&server).await;
    late.expect_message("hello").await;
    late.expect_message("and back").await;
    assert_eq!(Page::of(&server, "harbour").await.list["data-epoch"], epoch);
}

async fn only_a_message_begins_a_room(site: Site) {
    let server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    for (frame, code) in [
        (json!({"type": "edit", "id": "a", "target": 1, "text": "x"}), "not_found"),
        (json!({"type": "delete", "id": "b", "target": 1}), "not_found"),
        (json!({"type": "moderate", "id": "c", "action": "lock"}), "forbidden"),
        (json!({"type": "moderate", "id": "d", "action": "ban", "target": 1, "seconds": 60}), "forbidden"),
        (json!({"type": "post", "id": "e", "message": "x", "username": "\u{301}"}), "username_invalid"),
    ] {
        ann.send(frame.clone()).await;
        assert_eq!(ann.expect("rejected").await["code"], code, "{frame}");
    }
    assert_eq!(rooms(&site).await, Vec::<String>::new());
}

async fn many_first_messages_make_one_room(site: Site) {
    let server = site.start();
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(Client::join(&server, "harbour").await);
    }
    for (n, client) in clients.iter_mut().enumerate() {
        client.post(&n.to_string(), "me first").await;
    }
    for client in &mut clients {
        for seq in 1..=20 {
            assert_eq!(client.expect_message("me first").await["seq"], seq);
        }
    }
    assert_eq!(rooms(&site).await, ["harbour"]);
}

async fn an_empty_room_is_the_same_after_a_restart(site: Site) {
    let mut server = site.start();
    let epoch = Client::join(&server, "harbour").await.welcome["epoch"].as_str().expect("text").to_owned();
    let elsewhere = Client::join(&server, "tavern").await.welcome["epoch"].clone();
    assert_ne!(elsewhere, json!(epoch));
    server.kill();
    let server = site.start();
    let mut ann = Door::of("harbour").after(0).epoch(&epoch).join(&server).await;
    assert_eq!(ann.welcome["epoch"], json!(epoch));
    assert_eq!(ann.say("1", "nothing to load anew").await["seq"], 1);
}

async fn a_number_alone_does_not_continue_in_the_successor_of_a_deleted_room(site: Site) {
    let server = site.start();
    let mut before = Client::join(&server, "harbour").await;
    for n in 1..=3 {
        before.say(&n.to_string(), "before").await;
    }
    // Here a number says enough: there has been no other history.
    let mut resumed = Door::of("harbour").after(2).join(&server).await;
    resumed.expect_message("before").await;
    let deleted = site.command(&["delete", "harbour", "--yes"]);
    assert!(deleted.0, "{}", deleted.1);
    assert_eq!(before.close_code().await, Some(4505));
    // Without a row, and with one.
    for head in [0, 2] {
        let mut back = Door::of("harbour").after(0).join(&server).await;
        assert_eq!(back.expect("reset").await["head"], head);
        if head == 0 {
            assert_ne!(back.welcome["epoch"], before.welcome["epoch"]);
            back.say("1", "after").await;
            back.say("2", "after").await;
        }
    }
    let mut back = Door::of("harbour").after(1).join(&server).await;
    assert_eq!(back.expect("reset").await["head"], 2);
    let epoch = back.welcome["epoch"].as_str().expect("text").to_owned();
    let mut known = Door::of("harbour").after(1).epoch(&epoch).join(&server).await;
    assert_eq!(known.expect_message("after").await["seq"], 2);
    // Once more: no room gets the epoch of one before it.
    assert!(site.command(&["delete", "harbour", "--yes"]).0);
    let again = Client::join(&server, "harbour").await.welcome["epoch"].clone();
    assert!(again != json!(epoch) && again != before.welcome["epoch"]);
}

async fn a_row_that_an_earlier_release_stores_meanwhile_is_found(site: Site) {
    let server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    // A node of an earlier release does so at the first visit, and gives the room an id of its own.
    database::store_room(&site.database_url, "harbour").await;
    assert_eq!(ann.close_code().await, Some(1012));
    let mut ann = Client::join(&server, "harbour").await;
    ann.say("1", "found").await;
    assert!(site.command(&["delete", "harbour", "--yes"]).0);
    assert_eq!(ann.close_code().await, Some(4505));
}

async fn rooms_of_earlier_releases_go_on(site: Site) {
    drop(site.start());
    database::store_room(&site.database_url, "harbour").await;
    let server = site.start();
    let mut ann = Client::join(&server, "harbour").await;
    assert_eq!(ann.welcome["epoch"], "earlier1");
    ann.say("1", "hello").await;
    Door::of("harbour").after(0).join(&server).await.expect_message("hello").await;
}

#[tokio::test]
async fn nodes_agree_on_a_room_that_has_no_row() {
    let (site, _redis, one, two) = two_nodes().await;
    let mut ann = Door::of("harbour").username("Ann").join(&one).await;
    let mut bob = Door::of("harbour").username("Bob").join(&two).await;
    assert_eq!(ann.welcome["epoch"], bob.welcome["epoch"]);
    told(&mut ann, &["Ann", "Bob"]).await;
    told(&mut bob, &["Ann", "Bob"]).await;
    assert_eq!(shown_typing(&mut bob, &mut ann).await["username"], "Ann");
    assert_eq!(rooms(&site).await, Vec::<String>::new());
    // Both at once: one row, one log.
    ann.post("a", "from one").await;
    bob.post("b", "from two").await;
    for client in [&mut ann, &mut bob] {
        let mut heard: Vec<i64> = Vec::new();
        while heard.len() < 2 {
            heard.push(client.expect("message").await["seq"].as_i64().expect("a number"));
        }
        assert_eq!(heard, [1, 2]);
    }
    assert_eq!(rooms(&site).await, ["harbour"]);
}

#[tokio::test]
async fn a_room_that_a_restore_has_lost_begins_another_history() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    Client::join(&server, "kept").await.say("1", "before").await;
    let file = tempdir::directory("backups").join("one");
    let (well, said) = site.command(&["backup", file.to_str().expect("a path")]);
    assert!(well, "{said}");
    let mut lost = Client::join(&server, "lost").await;
    let epoch = lost.welcome["epoch"].as_str().expect("text").to_owned();
    for n in 1..=3 {
        lost.say(&n.to_string(), "never restored").await;
    }
    let elsewhere = Site::new(Database::Sqlite).await;
    let (well, said) = elsewhere.command(&["restore", file.to_str().expect("a path")]);
    assert!(well, "{said}");
    let server = elsewhere.start();
    let mut anew = Client::join(&server, "lost").await;
    assert_ne!(anew.welcome["epoch"], json!(epoch));
    for n in 1..=3 {
        anew.say(&n.to_string(), "another history").await;
    }
    for (room, door) in [
        ("lost", Door::of("lost").after(2).epoch(&epoch)),
        ("lost", Door::of("lost").after(2)),
        ("kept", Door::of("kept").after(0)),
    ] {
        let mut back = door.join(&server).await;
        assert_eq!(back.expect("reset").await["head"], if room == "lost" { 3 } else { 1 }, "{room}");
    }
}
