//! Titles and topics of rooms: set by the owner, shown to everybody, and gone once they are replaced or erased.

use crate::room_settings::Room;
use crate::support::host::on_each_database;
use crate::support::server::Server;
use crate::support::{Door, Site, database, http};
use serde_json::{Value, json};

on_each_database!(
    the_owner_sets_title_and_topic,
    a_bad_title_or_topic_is_refused,
    a_title_that_was_replaced_is_nowhere_any_more,
    an_erased_owner_leaves_no_title,
);

async fn api_page(server: &Server, cookie: &str, room: &str) -> Value {
    let answer = http::get_as(server, &format!("/api/open_room?room_name={room}"), cookie).await;
    serde_json::from_str(&answer.body).expect("a page")
}

async fn texts(site: &Site) -> String {
    let rows = database::rows(&site.database_url, "SELECT text FROM events ORDER BY seq").await;
    rows.iter().map(|row| row.try_get_by_index::<String>(0).expect("a text") + "\n").collect()
}

async fn the_owner_sets_title_and_topic(site: Site) {
    let mut room = Room::of(site.start()).await;
    assert_eq!((&room.client.welcome["title"], &room.client.welcome["topic"]), (&json!("harbour"), &json!("")));
    let title = room.moderate("t1", json!({"action": "title", "text": "  Summer   trip "})).await;
    assert_eq!(
        (&title["type"], &title["action"], &title["text"], &title["seq"]),
        (&json!("moderated"), &json!("title"), &json!("Summer trip"), &json!(3))
    );
    let topic = room.moderate("t2", json!({"action": "topic", "text": "<Tides> & \"cake\""})).await;
    assert_eq!(topic["text"], "<Tides> & \"cake\"");
    let again = room.moderate("t2", json!({"action": "topic", "text": "<Tides> & \"cake\""})).await;
    assert_eq!(again["seq"], topic["seq"], "sent twice, done once");
    let other = room.moderate("t2", json!({"action": "topic", "text": "another"})).await;
    assert_eq!(other["code"], "id_conflict");
    let page = http::get(&room.server, "/harbour/").await.body;
    assert!(page.contains("<title>Summer trip · Parlour</title>"), "{page}");
    assert!(page.contains("&lt;Tides&gt; &amp; \"cake\"") || page.contains("&lt;Tides> &amp; \"cake\""), "{page}");
    assert!(page.contains("name=\"description\" content=\"&lt;Tides"), "{page}");
    room.moderate("t5", json!({"action": "title", "text": "</title><meta http-equiv=refresh content=\"0;url=//x\">"}))
        .await;
    for path in ["/harbour/", "/harbour/1", "/harbour/settings"] {
        let page = http::get_as(&room.server, path, &room.ann).await.body;
        assert!(
            page.contains("&lt;/title>&lt;meta http-equiv=refresh") && !page.contains("<meta http-equiv"),
            "{path}"
        );
    }
    room.moderate("t6", json!({"action": "title", "text": "Summer trip"})).await;
    let late = Door::of("harbour").identity(&room.bob, &room.server).join(&room.server).await;
    assert_eq!((&late.welcome["title"], &late.welcome["topic"]), (&json!("Summer trip"), &json!("<Tides> & \"cake\"")));
    let api = api_page(&room.server, &room.bob, "harbour").await;
    assert_eq!((&api["title"], &api["topic"]), (&json!("Summer trip"), &json!("<Tides> & \"cake\"")));
    room.moderate("t3", json!({"action": "title", "text": ""})).await;
    room.moderate("t4", json!({"action": "topic", "text": "  "})).await;
    let last = Door::of("harbour").identity(&room.bob, &room.server).join(&room.server).await;
    assert_eq!((&last.welcome["title"], &last.welcome["topic"]), (&json!("harbour"), &json!("")));
    assert!(http::get(&room.server, "/harbour/").await.body.contains("<title>harbour · Parlour</title>"));
}

async fn a_bad_title_or_topic_is_refused(site: Site) {
    let mut room = Room::of(site.start()).await;
    for (number, (act, code)) in [
        (json!({"action": "title", "text": "é".repeat(81)}), "too_long"),
        (json!({"action": "topic", "text": "é".repeat(201)}), "too_long"),
        (json!({"action": "title", "text": "a\nb"}), "invalid"),
        (json!({"action": "title", "text": "a\u{202e}b"}), "invalid"),
        (json!({"action": "topic", "text": "a\u{2066}b"}), "invalid"),
        (json!({"action": "title", "text": "a\u{0}b"}), "invalid"),
        (json!({"action": "title"}), "invalid"),
        (json!({"action": "topic", "text": 5}), "invalid"),
        (json!({"action": "retention", "seconds": 5}), "invalid"),
        (json!({"action": "retention"}), "invalid"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(room.moderate(&format!("bad{number}"), act.clone()).await["code"], code, "{act}");
    }
    for (id, text) in [("l1", "é".repeat(80)), ("l2", "👩\u{200d}🚀 غرفة".to_owned())] {
        assert_eq!(room.moderate(id, json!({"action": "title", "text": text})).await["text"], text.as_str());
    }
    let mut bob = Door::of("harbour").identity(&room.bob, &room.server).join(&room.server).await;
    bob.send(json!({"type": "moderate", "id": "x", "action": "title", "text": "Bob’s"})).await;
    assert_eq!(bob.answer_to("x").await["code"], "forbidden");
}

async fn a_title_that_was_replaced_is_nowhere_any_more(site: Site) {
    let mut room = Room::of(site.start()).await;
    let before = room.client.welcome["head"].clone();
    assert_eq!(before, 0);
    room.moderate("t1", json!({"action": "title", "text": "A first riddle"})).await;
    room.moderate("t2", json!({"action": "topic", "text": "A second riddle"})).await;
    assert!(texts(&site).await.contains("A first riddle"));
    room.moderate("t3", json!({"action": "title", "text": "Summer trip"})).await;
    room.moderate("t4", json!({"action": "topic", "text": ""})).await;
    let log = texts(&site).await;
    assert!(!log.contains("riddle") && log.contains("Summer trip"), "{log}");
    // What is in memory, and what is read from the log.
    for _ in 0..2 {
        let mut late = Door::of("harbour").after(2).identity(&room.bob, &room.server).join(&room.server).await;
        let events = late.until(|frame| frame["seq"] == 6).await;
        let told = serde_json::to_string(&events).expect("frames");
        assert!(!told.contains("riddle") && told.contains("Summer trip"), "{told}");
        let first = events.iter().find(|event| event["seq"] == 3).expect("the first title");
        assert_eq!((&first["action"], first.get("text")), (&json!("title"), None));
        room.server.stop();
        room.server = site.start();
    }
    let repeated = Door::of("harbour").identity(&room.ann, &room.server);
    let mut ann = repeated.join(&room.server).await;
    ann.send(json!({"type": "moderate", "id": "t1", "action": "title", "text": "A first riddle"})).await;
    assert_eq!(ann.answer_to("t1").await["seq"], 3, "a repeated id is answered although its text is gone");
    if site.database_url.starts_with("sqlite") {
        room.server.stop();
        let file = std::fs::read(site.data.join("parlour.db")).expect("the database");
        let is_there = |text: &str| file.windows(text.len()).any(|bytes| bytes == text.as_bytes());
        assert!(is_there("Summer trip") && !is_there("riddle"), "the file holds no old text");
    }
}

async fn an_erased_owner_leaves_no_title(site: Site) {
    let mut room = Room::of(site.start()).await;
    room.moderate("t1", json!({"action": "title", "text": "A first riddle"})).await;
    room.moderate("t2", json!({"action": "topic", "text": "A second riddle"})).await;
    let (well, export) = site.command(&["export", "--author-of", "harbour/1", "--format", "json"]);
    let export: Value = serde_json::from_str(&export).expect("JSON");
    assert!(well && export["rooms"][0]["title"] == "A first riddle", "{export}");
    let (_, other) = site.command(&["export", "--author-of", "harbour/2", "--format", "json"]);
    assert!(!other.contains("riddle"), "{other}");
    let (_, all) = site.command(&["export", "harbour"]);
    assert!(all.contains("Title: A first riddle") && all.contains("Topic: A second riddle"), "{all}");
    let (well, said) = site.command(&["erase", "--author-of", "harbour/1", "--yes"]);
    assert!(well, "{said}");
    assert!(!texts(&site).await.contains("riddle"));
    room.client.until(|frame| frame["action"] == "topic" && frame["text"] == "").await;
    let late = Door::of("harbour").identity(&room.bob, &room.server).join(&room.server).await;
    assert_eq!((&late.welcome["title"], &late.welcome["topic"]), (&json!("harbour"), &json!("")));
    let (well, title) = site.command(&["title", "harbour", "By the host"]);
    assert!(well && title.contains("By the host"), "{title}");
    assert!(!site.command(&["topic", "harbour", "a\nb"]).0);
    assert!(http::get(&room.server, "/harbour/").await.body.contains("<title>By the host · Parlour</title>"));
}
