//! People who are mentioned: the completion of their names, their unread mentions, and their erasure.

use crate::mentions::{change, holder, join, json_of};
use crate::support::api::{post_json, request, send};
use crate::support::host::on_each_database;
use crate::support::{Door, Site, database, eventually, http};
use serde_json::{Value, json};

on_each_database!(
    names_are_completed_from_those_held,
    unread_mentions_count_as_the_messages_read_now,
    an_erased_author_is_mentioned_nowhere,
    an_erasure_ends_every_tag_of_before,
);

async fn names_are_completed_from_those_held(site: Site) {
    let server = site.start();
    let names = async |query: &str| {
        let answer = send(request(&server, "GET", &format!("/harbour/names{query}"))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["names"].clone()
    };
    assert_eq!(names("?prefix=a").await, json!([]));
    for name in ["Ann", "Anna Lee", "anton", "Bob", "Žofie", "さくら", "100% Bo_b"] {
        holder(&server, name).await;
    }
    post_json(&server, "/harbour/", &json!({"message": "hi", "username": "Andrea, a guest"})).await;
    database::execute(&site.database_url, "UPDATE names SET at = at + 5000 WHERE username = 'Anna Lee'").await;
    let found = names("?prefix=an").await;
    assert_eq!((found[0].clone(), found.as_array().expect("names").len()), (json!("Anna Lee"), 3), "{found}");
    for (query, found) in [
        ("?prefix=%C5%BD", json!(["Žofie"])),
        ("?prefix=anna+l", json!(["Anna Lee"])),
        ("?prefix=%E3%81%95", json!(["さくら"])),
        ("?prefix=100%25", json!(["100% Bo_b"])),
        ("?prefix=%25", json!([])),
        ("?prefix=_", json!([])),
        ("?prefix=zzz", json!([])),
        ("?prefix=%E2%80%AE", json!([])),
    ] {
        assert_eq!(names(query).await, found, "{query}");
    }
    assert_eq!(names("").await.as_array().expect("names").len(), 7);
    for name in ["Anonymous Fan", "ΟΔΟΣΑΣ"] {
        holder(&server, name).await;
    }
    assert_eq!(names("?prefix=Anonymous").await, json!(["Anonymous Fan"]));
    assert_eq!(names("?prefix=%CE%9F%CE%94%CE%9F%CE%A3").await, json!(["ΟΔΟΣΑΣ"]));
    // Of very many names, those used last.
    let many = "INSERT INTO names SELECT n.room_id, 'rnany' || m.n, n.author, n.at + 10000 + m.n, 'many' || m.n FROM names n, \
                (WITH RECURSIVE m(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM m WHERE n < 1500) SELECT n FROM m) m \
                WHERE n.username = 'Bob'";
    database::execute(&site.database_url, many).await;
    let newest: Vec<String> = (1491..=1500).rev().map(|number| format!("many{number}")).collect();
    for query in ["?prefix=many", "?prefix=MANY", "", "?prefix="] {
        assert_eq!(names(query).await, json!(newest), "{query}");
    }
    assert_eq!(names("?prefix=many7").await[0], "many799");
    let foreign = request(&server, "GET", "/harbour/names").header("origin", "https://elsewhere.example");
    assert_eq!(send(foreign).await.status, 403);
    let elsewhere = send(request(&server, "GET", "/tavern/names?prefix=a")).await;
    assert_eq!((elsewhere.status, elsewhere.json()), (200, json!({"names": []})));
}

async fn unread_mentions_count_as_the_messages_read_now(site: Site) {
    let server = site.start();
    let ann = holder(&server, "Ann").await;
    let (mut bob, _) = join(&server, "Bob").await;
    let counted = async |read: i64| {
        let request = http::browser().post(server.url("/api/preview_rooms")).header("cookie", &ann);
        let answer = http::send(request.form(&[("rooms", format!("harbour {read} "))])).await;
        let previews: Value = serde_json::from_str(&answer.body).expect("previews");
        let preview = &previews["changed"][0];
        (preview["mentions"].clone(), preview["unread"].clone())
    };
    assert_eq!(counted(0).await, (json!(0), json!(0)), "an own message, without a mention");
    for (id, text) in [("2", "hi all"), ("3", "@Ann"), ("4", "@Ann @ann"), ("5", "@Ann")] {
        bob.say(id, text).await;
    }
    assert_eq!(counted(1).await, (json!(3), json!(4)));
    assert_eq!(counted(4).await, (json!(1), json!(1)));
    change(&mut bob, json!({"type": "edit", "id": "6", "target": 3, "text": "nobody"})).await;
    change(&mut bob, json!({"type": "edit", "id": "7", "target": 2, "text": "@Ann, after all"})).await;
    change(&mut bob, json!({"type": "edit", "id": "8", "target": 4, "text": "@Ann still"})).await;
    change(&mut bob, json!({"type": "delete", "id": "9", "target": 5})).await;
    assert_eq!(counted(1).await, (json!(2), json!(3)));
    assert_eq!(counted(2).await, (json!(1), json!(2)), "the edit of a message that was read does not count");
    let mut ann_there = Door::of("harbour").identity(&ann, &server).username("Ann").join(&server).await;
    ann_there.say("own", "I am @Ann").await;
    assert_eq!(counted(1).await, (json!(2), json!(3)));
}

async fn an_erased_author_is_mentioned_nowhere(site: Site) {
    let mut server = site.start();
    let ann = holder(&server, "Annabelle").await;
    holder(&server, "Carl").await;
    let (mut bob, _) = join(&server, "Bob").await;
    let said = bob.say("1", "@Carl and @annabelle").await;
    assert_eq!(said["mentions"], json!(["Carl", "Annabelle"]));
    drop(ann);
    server.stop();
    let (well, told) = site.command(&["erase", "--author-of", "harbour/1", "--yes"]);
    assert!(well, "{told}");
    let server = site.start();
    let read = json_of(&server, &format!("/harbour/{}", said["seq"])).await;
    assert_eq!(read["mentions"], json!(["Carl"]), "{read}");
    for (table, column) in [("mentions", "username"), ("names", "username"), ("names", "skeleton")] {
        let left = format!("SELECT 1 FROM {table} WHERE lower({column}) LIKE 'annabe%'");
        assert!(database::rows(&site.database_url, &left).await.is_empty(), "{table}.{column}");
    }
    // What others have written stays theirs, and names nobody any more.
    assert_eq!(read["message"], "@Carl and @annabelle");
}

async fn an_erasure_ends_every_tag_of_before(site: Site) {
    let server = site.start();
    let ann = holder(&server, "Annabelle").await;
    let (mut bob, _) = join(&server, "Bob").await;
    bob.say("1", "@annabelle, are you there?").await;
    let mut ann_there = Door::of("harbour").identity(&ann, &server).join(&server).await;
    change(&mut ann_there, json!({"type": "delete", "id": "d", "target": 1})).await;
    drop(ann_there);
    let read = async |tag: &str| {
        let page = request(&server, "GET", "/harbour/").header("accept", "application/json");
        send(page.header("if-none-match", tag.to_owned())).await
    };
    let before = read("x").await;
    let tag = before.header("etag").to_owned();
    assert!(before.text.contains("Annabelle"), "{before:?}");
    assert_eq!(read(&tag).await.status, 304);
    for _ in 0..2 {
        assert!(http::get(&server, "/harbour/").await.body.contains("Annabelle"));
    }
    // She has no message left, so the erasure is no event of the room.
    let (well, told) = site.command(&["erase", "--author-of", "harbour/1", "--yes"]);
    assert!(well && told.contains(" 0 messages"), "{told}");
    let after = read(&tag).await;
    assert_eq!((after.status, after.json()["head"].clone()), (200, before.json()["head"].clone()));
    assert!(!after.text.contains("Annabelle"), "{after:?}");
    assert!(!http::get(&server, "/harbour/").await.body.contains("Annabelle"));
    eventually("the memory of the node forgets her", async || {
        let mut late = Door::of("harbour").after(1).join(&server).await;
        let said = late.until(|frame| frame["id"] == "1").await.pop().expect("a message");
        said.get("mentions").is_none().then_some(())
    })
    .await;
}
