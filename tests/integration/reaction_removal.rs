//! Reactions and pins are gone with their message, their author or their room, from every place; backups and exports
//! have them until then.

use crate::reactions::{person, react, read};
use crate::support::database::{self, UnknownEvent};
use crate::support::host::on_each_database;
use crate::support::{Client, Database, Door, Server, Site, eventually, http, tempdir};
use serde_json::{Value, json};

on_each_database!(
    a_deleted_message_takes_its_reactions_and_its_pin_along,
    erasing_an_author_ends_their_reactions,
    reactions_expire_with_their_message,
    a_deleted_room_leaves_no_reaction,
    exports_have_reactions_and_pins,
    strays_of_a_node_of_the_release_before_are_removed,
);

/// An emoji that nothing else here contains.
const RARE: &str = "🦖";

/// Ann's room with her message 1, to which Ben has reacted by 2, and which is pinned by 3.
async fn reacted(site: &Site) -> (Server, (String, Client), (String, Client)) {
    let server = site.start();
    let (mut ann, mut ben) = (person(&server, "Ann").await, person(&server, "Ben").await);
    ann.1.say("a1", "dinosaurs!").await;
    ben.1.expect_message("dinosaurs!").await;
    assert_eq!(react(&mut ben.1, "r1", 1, RARE, true).await["seq"], 2);
    ann.1.send(json!({"type": "moderate", "id": "p1", "action": "pin", "target": 1})).await;
    assert_eq!(ann.1.answer_to("p1").await["seq"], 3);
    (server, ann, ben)
}

/// The number of rows about reactions and pins, and of events that contain the rare emoji.
async fn traces(site: &Site) -> Vec<i64> {
    let mut counts = Vec::new();
    for from in [
        "reactions",
        "reaction_counts",
        "pins",
        "events WHERE text LIKE '%🦖%'",
        "events WHERE kind = 4 AND username <> ''",
    ] {
        let rows = database::rows(&site.database_url, &format!("SELECT COUNT(*) FROM {from}")).await;
        counts.push(rows[0].try_get_by_index(0).expect("a count"));
    }
    counts
}

/// The files of an embedded database do not contain the emoji.
async fn is_off_the_disk(site: &Site) {
    if !site.database_url.starts_with("sqlite") {
        return;
    }
    let gone = || async {
        let files = std::fs::read_dir(&site.data).expect("a directory").map(|it| it.expect("a file").path());
        let contains = |path: &std::path::PathBuf| {
            std::fs::read(path).is_ok_and(|bytes| bytes.windows(RARE.len()).any(|window| window == RARE.as_bytes()))
        };
        (!files.filter(|path| path.is_file()).any(|path| contains(&path))).then_some(())
    };
    eventually("the files have no trace", gone).await;
}

async fn a_deleted_message_takes_its_reactions_and_its_pin_along(site: Site) {
    let (server, mut ann, mut ben) = reacted(&site).await;
    assert_eq!(traces(&site).await, [1, 1, 1, 1, 1]);
    ann.1.send(json!({"type": "delete", "id": "d1", "target": 1})).await;
    ann.1.answer_to("d1").await;
    assert_eq!(traces(&site).await, [0, 0, 0, 0, 0]);
    is_off_the_disk(&site).await;
    let message = read(&server, "/harbour/1", "").await.json();
    assert_eq!(
        (&message["deleted"], &message["reactions"], &message["pinned"]),
        (&json!(true), &Value::Null, &Value::Null)
    );
    assert_eq!(read(&server, "/harbour/1/reactions", "").await.status, 404);
    assert_eq!(read(&server, "/harbour/pins", "").await.json()["messages"], json!([]));
    // The log keeps its numbers, in memory and in the database.
    ben.1.until(|frame| frame["seq"] == 4).await;
    for _ in 0..2 {
        let mut late = Door::of("harbour").after(1).join(&server).await;
        let frame = late.expect("other").await;
        assert_eq!(frame, json!({"type": "other", "seq": 2, "id": "r1", "target": 1, "at": frame["at"]}));
        assert_eq!(late.expect("moderated").await["target"], 1);
        assert_eq!(late.expect("deleted").await["seq"], 4);
        database::execute(&site.database_url, "UPDATE rooms SET locked = false").await;
    }
    // The id of the reaction is answered, without content.
    ben.1.send(json!({"type": "react", "id": "r1", "target": 1, "emoji": RARE, "on": true})).await;
    let again = ben.1.until(|frame| frame["id"] == "r1").await.pop().expect("a frame");
    assert_eq!((&again["type"], &again["seq"]), (&json!("other"), &json!(2)), "{again}");
}

async fn erasing_an_author_ends_their_reactions(site: Site) {
    let (server, mut ann, mut ben) = reacted(&site).await;
    react(&mut ann.1, "r2", 1, "🎉", true).await;
    ben.1.say("b1", "mine").await;
    ann.1.until(|frame| frame["message"] == "mine").await;
    let (well, said) = site.command(&["erase", "--author-of", "harbour/5", "--yes"]);
    assert!(well, "{said}");
    assert_eq!(traces(&site).await, [1, 1, 1, 0, 1], "Ann's stays");
    is_off_the_disk(&site).await;
    let message = read(&server, "/harbour/1", "").await.json();
    assert_eq!(message["reactions"], json!([{"emoji": "🎉", "count": 1}]));
    let who = read(&server, "/harbour/1/reactions", "").await.text;
    assert!(!who.contains("Ben") && !who.contains(RARE), "{who}");
    // The others hear that something about the message has changed.
    let heard = ann.1.until(|frame| frame["type"] == "other").await.pop().expect("a frame");
    assert_eq!(heard["target"], 1);
    // So does memory, within a second.
    let forgotten = || async {
        let mut late = Door::of("harbour").after(0).join(&server).await;
        let frames = json!(late.until(|frame| frame["seq"] == heard["seq"]).await).to_string();
        (!frames.contains(RARE) && !frames.contains("Ben")).then_some(())
    };
    eventually("the node forgets the reaction", forgotten).await;
}

async fn reactions_expire_with_their_message(site: Site) {
    let (mut server, mut ann, mut ben) = reacted(&site).await;
    ann.1.say("a2", "young").await;
    ben.1.until(|frame| frame["message"] == "young").await;
    // A late reaction to the old message, which stays in the log for longer.
    assert_eq!(react(&mut ann.1, "r2", 1, RARE, true).await["seq"], 5);
    react(&mut ben.1, "r3", 4, "🎉", true).await;
    server.stop();
    database::execute(&site.database_url, "UPDATE events SET at = at - 700000000 WHERE seq <= 3").await;
    let server = site.with_flags(&["--retention-days", "7"]).start();
    let gone = || async { (traces(&site).await == [1, 1, 0, 0, 1]).then_some(()) };
    eventually("the old reactions are gone", gone).await;
    is_off_the_disk(&site).await;
    let page = read(&server, "/harbour/", "").await.json();
    assert_eq!(page["messages"][0]["reactions"], json!([{"emoji": "🎉", "count": 1}]));
    let mut late = Door::of("harbour").after(3).join(&server).await;
    assert_eq!(late.next().await["type"], "message");
    assert_eq!(late.expect("other").await["target"], 1);
    assert_eq!(late.expect("reacted").await["emoji"], "🎉");
}

async fn a_deleted_room_leaves_no_reaction(site: Site) {
    let (server, ..) = reacted(&site).await;
    let (well, said) = site.command(&["delete", "harbour", "--yes"]);
    assert!(well, "{said}");
    assert_eq!(traces(&site).await, [0, 0, 0, 0, 0]);
    is_off_the_disk(&site).await;
    let mut again = person(&server, "Ann").await;
    again.1.say("a1", "a new room").await;
    assert_eq!(read(&server, "/harbour/1", "").await.json()["reactions"], Value::Null);
}

async fn exports_have_reactions_and_pins(site: Site) {
    let (mut server, ..) = reacted(&site).await;
    let (well, said) = site.command(&["export", "harbour", "--format", "json"]);
    assert!(well, "{said}");
    let exported: Value = serde_json::from_str(&said).expect("JSON");
    let message = &exported["rooms"][0]["messages"][0];
    assert_eq!((&message["reactions"], &message["pinned"]), (&json!([{"emoji": RARE, "count": 1}]), &json!(true)));
    for format in ["text", "html"] {
        let (well, said) = site.command(&["export", "harbour", "--format", format]);
        assert!(well && said.contains("🦖 1") && said.contains("pinned"), "{said}");
    }
    if site.database_url.starts_with("sqlite") {
        let file = tempdir::directory("backups").join("reactions.backup");
        let (well, said) = site.command(&["backup", file.to_str().expect("a path")]);
        assert!(well, "{said}");
        server.stop();
        let elsewhere = Site::new(Database::Sqlite).await;
        let (well, said) = elsewhere.command(&["restore", file.to_str().expect("a path")]);
        assert!(well, "{said}");
        let restored = elsewhere.start();
        let message = read(&restored, "/harbour/1", "").await.json();
        assert_eq!(message["reactions"], json!([{"emoji": RARE, "count": 1}]));
        assert_eq!(message["pinned"], true);
        // The restored state goes on: whoever reacted may take it back.
        let mut cara = person(&restored, "Cara").await;
        assert_eq!(react(&mut cara.1, "c1", 1, RARE, true).await["seq"], 4);
        assert_eq!(read(&restored, "/harbour/1", "").await.json()["reactions"][0]["count"], 2);
    }
}

async fn strays_of_a_node_of_the_release_before_are_removed(site: Site) {
    let (mut server, mut ann, _) = reacted(&site).await;
    ann.1.say("a2", "stays").await;
    server.stop();
    // As such a node deletes a message: it blanks the texts of events that it does not know.
    database::execute(
        &site.database_url,
        "UPDATE events SET text = '', deleted_by = 5 WHERE seq = 1; UPDATE events SET text = '' WHERE seq = 2",
    )
    .await;
    let unknown = UnknownEvent { id: "later", target: 4, text: "" };
    database::append_unknown(&site.database_url, "harbour", unknown).await;
    let server = site.start();
    let page = read(&server, "/harbour/", "").await.json();
    assert_eq!((&page["messages"][0]["deleted"], &page["messages"][0]["reactions"]), (&json!(true), &Value::Null));
    assert_eq!(read(&server, "/harbour/pins", "").await.json()["messages"], json!([]));
    let gone = || async { (traces(&site).await[..4] == [0, 0, 0, 0]).then_some(()) };
    eventually("the strays are gone", gone).await;
    let answer = http::get(&server, "/harbour/").await;
    assert!(answer.status == 200 && !answer.body.contains(RARE));
}
