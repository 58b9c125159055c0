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
    many_signs_cost_little,
);

pub async fn join(server: &Server, name: &str) -> (Client, String) {
    let cookie = http::identity(server).await;
    (Door::of("harbour").username(name).identity(&cookie, server).join(server).await, cookie)
}

/// A visitor who holds a name in the room, and has left.
pub async fn holder(server: &Server, name: &str) -> String {
    let cookie = http::identity(server).await;
    let mut client = Door::of("harbour").identity(&cookie, server).join(server).await;
    client.send(json!({"type": "post", "id": "hello", "message": "hello", "username": name})).await;
    assert_eq!(client.answer_to("hello").await["type"], "message", "{name}");
    cookie
}

pub async fn change(client: &mut Client, frame: Value) -> Value {
    let id = frame["id"].as_str().expect("an id").to_owned();
    client.send(frame).await;
    client.answer_to(&id).await
}

pub async fn json_of(server: &Server, path: &str) -> Value {
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
        ("ありがとう@Ann", json!(["Ann"])),
        ("(@Ann's)", json!(["Ann"])),
    ]
    .into_iter()
    .enumerate()
    {
        let said = change(&mut bob, json!({"type": "post", "id": number.to_string(), "message": text})).await;
        assert_eq!(said["mentions"], names, "{text}");
    }
    // A name that begins with the sign, and one who holds two names.
    let weird = holder(&server, "@weird").await;
    let said = change(&mut bob, json!({"type": "post", "id": "weird", "message": "@@weird and @@Ann"})).await;
    assert_eq!(said["mentions"], json!(["@weird", "Ann"]));
    let mut weird = Door::of("harbour").identity(&weird, &server).username("Wanda").join(&server).await;
    assert_eq!(weird.welcome["names"], json!(["@weird"]));
    weird.say("w", "hello").await;
    let again = Door::of("harbour").identity(&http::identity(&server).await, &server).join(&server).await;
    assert_eq!(again.welcome.get("names"), None);
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
