//! Mentions: the names held in a room that a text names after `@`, in every form in which the message is read.

use crate::support::api::{post_json, request, send};
use crate::support::host::on_each_database;
use crate::support::{Client, Database, Door, Server, Site, database, eventually, http};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

on_each_database!(
    a_held_name_is_mentioned_everywhere,
    look_alikes_and_longer_names_find_their_holder,
    an_edit_has_its_own_mentions,
    mentions_go_with_their_text,
    an_erased_author_is_mentioned_nowhere,
    names_are_completed_from_those_held,
    unread_mentions_count_as_the_messages_read_now,
    many_signs_cost_little,
);

async fn join(server: &Server, name: &str) -> (Client, String) {
    let cookie = http::identity(server).await;
    (Door::of("harbour").username(name).identity(&cookie, server).join(server).await, cookie)
}

/// A visitor who holds a name in the room, and has left.
async fn holder(server: &Server, name: &str) -> String {
    let cookie = http::identity(server).await;
    let mut client = Door::of("harbour").identity(&cookie, server).join(server).await;
    client.send(json!({"type": "post", "id": "hello", "message": "hello", "username": name})).await;
    assert_eq!(client.answer_to("hello").await["type"], "message", "{name}");
    cookie
}

async fn change(client: &mut Client, frame: Value) -> Value {
    let id = frame["id"].as_str().expect("an id").to_owned();
    client.send(frame).await;
    client.answer_to(&id).await
}

async fn json_of(server: &Server, path: &str) -> Value {
    send(request(server, "GET", path).header("accept", "application/json")).await.json()
}

async fn log(server: &Server) -> Vec<Value> {
    let stream = request(server, "GET", "/harbour/events?after=0&wait=0").header("accept", "application/x-ndjson");
    send(stream).await.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

async fn stored(site: &Site) -> usize {
    database::rows(&site.database_url, "SELECT 1 FROM mentions").await.len()
}

async fn a_held_name_is_mentioned_everywhere(site: Site) {
    let mut server = site.start();
    let (mut bob, cookie) = join(&server, "Bob").await;
    holder(&server, "Ann").await;
    let said = change(&mut bob, json!({"type": "post", "id": "1", "message": "hi @ann and @Bob, not @nobody"})).await;
    assert_eq!(said["mentions"], json!(["Ann", "Bob"]), "{said}");
    let again = change(&mut bob, json!({"type": "post", "id": "1", "message": "hi @ann and @Bob, not @nobody"})).await;
    assert_eq!(again, said);
    let seq = said["seq"].as_i64().expect("a number");
    for text in ["nobody", "ann@bob.example", "@ Ann", "@nobody", "@Annabel"] {
        let plain = change(&mut bob, json!({"type": "post", "id": text.len().to_string(), "message": text})).await;
        assert_eq!(plain.get("mentions"), None, "{plain}");
    }
    // A guest may mention, too, and is mentioned by nobody.
    let posted = post_json(&server, "/harbour/", &json!({"message": "@Ann!", "username": "Guest"})).await.json();
    assert_eq!(posted["mentions"], json!(["Ann"]));
    let posted = post_json(&server, "/harbour/", &json!({"message": "@Guest"})).await.json();
    assert_eq!(posted.get("mentions"), None);
    assert_eq!(json_of(&server, &format!("/harbour/{seq}")).await["mentions"], json!(["Ann", "Bob"]));
    let page = json_of(&server, "/harbour/").await;
    let message = page["messages"].as_array().expect("messages").iter().find(|it| it["seq"] == seq).expect("it");
    assert_eq!(message["mentions"], json!(["Ann", "Bob"]));
    let history = http::get(&server, "/api/load_history?room_name=harbour").await.body;
    assert!(history.contains(r#""mentions":["Ann","Bob"]"#), "{history}");
    server.stop();
    // From the log, and to a sender who asks again, whoever holds the names by then.
    let server = site.start();
    database::execute(&site.database_url, "DELETE FROM names").await;
    assert!(log(&server).await.contains(&said), "{said}");
    let mut bob = Door::of("harbour").identity(&cookie, &server).after(0).join(&server).await;
    assert_eq!(bob.until(|frame| frame["seq"] == seq).await.pop(), Some(said.clone()));
    let again = change(&mut bob, json!({"type": "post", "id": "1", "message": "hi @ann and @Bob, not @nobody"})).await;
    assert_eq!(again, said);
    let (_, exported) = site.command(&["export", "harbour", "--format", "json"]);
    assert!(exported.contains(r#""mentions":["Ann","Bob"]"#), "{exported}");
}

async fn look_alikes_and_longer_names_find_their_holder(site: Site) {
    let server = site.start();
    for name in ["Ann", "Ann Smith", "Ivy", "さくら"] {
        holder(&server, name).await;
    }
    let (mut bob, _) = join(&server, "Bob").await;
    for (number, (text, names)) in [
        ("@\u{410}nn", json!(["Ann"])),
        ("@Ann Smith and @ANN", json!(["Ann Smith", "Ann"])),
        ("@ann smithers", json!(["Ann"])),
        ("@lvy", json!(["Ivy"])),
        ("@さくらさん", json!(["さくら"])),
        ("@Ann\nSmith", json!(["Ann"])),
        ("(@Ann's)", json!(["Ann"])),
    ]
    .into_iter()
    .enumerate()
    {
        let said = change(&mut bob, json!({"type": "post", "id": number.to_string(), "message": text})).await;
        assert_eq!(said["mentions"], names, "{text}");
    }
    // Somebody who speaks and is mentioned in the same moment.
    let (mut zoe, _) = join(&server, "Zoe").await;
    zoe.post("z", "I am @Zoe").await;
    assert_eq!(zoe.answer_to("z").await["mentions"], json!(["Zoe"]));
    // A claim that has expired is nobody's.
    database::execute(&site.database_url, "UPDATE names SET at = at - 2600000000").await;
    let said = change(&mut bob, json!({"type": "post", "id": "late", "message": "@Ann"})).await;
    assert_eq!(said.get("mentions"), None);
}

async fn an_edit_has_its_own_mentions(site: Site) {
    let server = site.start();
    let ann = holder(&server, "Ann").await;
    holder(&server, "Carl").await;
    let (mut bob, _) = join(&server, "Bob").await;
    let said = bob.say("1", "@Ann").await;
    let edited =
        change(&mut bob, json!({"type": "edit", "id": "2", "target": said["seq"], "text": "@Carl, rather"})).await;
    assert_eq!(edited["mentions"], json!(["Carl"]), "{edited}");
    let address = format!("/harbour/{}", said["seq"]);
    assert_eq!(json_of(&server, &address).await["mentions"], json!(["Carl"]));
    let events = log(&server).await;
    assert!(events.contains(&said) && events.contains(&edited), "{events:?}");
    let edited = change(&mut bob, json!({"type": "edit", "id": "3", "target": said["seq"], "text": "nobody"})).await;
    assert_eq!(edited.get("mentions"), None);
    assert_eq!(json_of(&server, &address).await.get("mentions"), None);
    let patch = request(&server, "PATCH", &address).header("cookie", &ann).body("@Ann");
    assert_eq!(send(patch.header("content-type", "text/plain")).await.status, 403);
}

async fn mentions_go_with_their_text(site: Site) {
    let mut server = site.start();
    holder(&server, "Ann").await;
    let (mut bob, _) = join(&server, "Bob").await;
    let said = bob.say("1", "@Ann, secret").await["seq"].clone();
    change(&mut bob, json!({"type": "edit", "id": "2", "target": said, "text": "@Ann, a secret"})).await;
    bob.say("3", "@Ann, stays").await;
    assert_eq!(stored(&site).await, 3);
    change(&mut bob, json!({"type": "delete", "id": "4", "target": said})).await;
    eventually("only the mention that stays is left", || async { (stored(&site).await == 1).then_some(()) }).await;
    let gone = json_of(&server, &format!("/harbour/{said}")).await;
    assert_eq!((&gone["deleted"], gone.get("mentions")), (&json!(true), None));
    for event in log(&server).await {
        assert!(event.get("mentions").is_none() || event["message"] == "@Ann, stays", "{event}");
    }
    // So does one that a node of the release before has left.
    database::execute(&site.database_url, "UPDATE events SET text = '' WHERE text = '@Ann, stays'").await;
    server.stop();
    let mut server = site.start();
    eventually("it is found when a node starts", || async { (stored(&site).await == 0).then_some(()) }).await;
    let (mut bob, _) = join(&server, "Bo").await;
    bob.say("5", "@Ann, for some days").await;
    assert_eq!(stored(&site).await, 1);
    database::execute(&site.database_url, "UPDATE events SET at = at - 2600000000").await;
    server.stop();
    let server = site.with_flags(&["--retention-days", "7"]).start();
    eventually("retention takes it along", || async { (stored(&site).await == 0).then_some(()) }).await;
    join(&server, "Ben").await.0.say("6", "@Ann, in a room that goes").await;
    assert_eq!(stored(&site).await, 1);
    let (well, said) = site.command(&["delete", "harbour", "--yes"]);
    assert!(well, "{said}");
    assert_eq!(stored(&site).await, 0);
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
    for number in 0..20 {
        holder(&server, &format!("many{number}")).await;
    }
    assert_eq!(names("?prefix=many").await.as_array().expect("names").len(), 10);
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
        (previews[0]["mentions"].clone(), previews[0]["unread"].clone())
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

async fn many_signs_cost_little(site: Site) {
    let server = site.start();
    holder(&server, "Ann").await;
    let (mut bob, _) = join(&server, "Bob").await;
    let different: String = (0..800).map(|number| format!("@{number} ")).collect();
    let started = Instant::now();
    for (number, text) in [
        "@".repeat(4000),
        "@a".repeat(2000),
        "@a ".repeat(1333),
        different,
        "@\u{301}".repeat(2000),
        format!("@{}", "a\u{301}".repeat(1999)),
        "@Ann ".repeat(800),
    ]
    .into_iter()
    .enumerate()
    {
        for round in 0..20 {
            let id = format!("{number}-{round}");
            let said = change(&mut bob, json!({"type": "post", "id": id, "message": text})).await;
            assert_eq!(said["type"], "message", "{said}");
            let names = said["mentions"].as_array().map_or(0, Vec::len);
            assert!(names <= 1, "{said}");
        }
    }
    assert!(started.elapsed() < Duration::from_secs(120), "{:?}", started.elapsed());
    assert_eq!(stored(&site).await, 20);
    let twelve: Vec<String> = (10..22).map(|number| format!("user{number}")).collect();
    for name in &twelve {
        holder(&server, name).await;
    }
    let text = twelve.iter().map(|name| format!("@{name}")).collect::<Vec<_>>().join(" ");
    assert_eq!(bob.say("all", &text).await["mentions"], json!(twelve[..10]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_agree_about_mentions_and_replies() {
    let site = Site::new(Database::Postgres).await;
    let (one, two) = (site.start(), site.start());
    holder(&one, "Ann").await;
    let (mut bob, _) = join(&one, "Bob").await;
    let mut eve = Client::join(&two, "harbour").await;
    bob.send(json!({"type": "post", "id": "1", "message": "@Ann!", "reply_to": 1})).await;
    let said = bob.answer_to("1").await;
    assert_eq!((&said["mentions"], &said["reply_to"]), (&json!(["Ann"]), &json!(1)));
    assert_eq!(eve.until(|frame| frame["id"] == "1").await.pop(), Some(said));
}
