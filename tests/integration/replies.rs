//! Replies: stored once, resumed and streamed with the number of their message, which is quoted as it reads now.

use crate::support::api::{JsonBody, post_json, request, send};
use crate::support::event_reader::{EventReader, Format};
use crate::support::host::on_each_database;
use crate::support::{Client, Database, Door, Server, Site, database, http};
use serde_json::{Value, json};

on_each_database!(
    a_reply_carries_its_message_everywhere,
    a_reply_needs_a_message_that_is_there,
    an_id_stands_for_a_reply_to_one_message,
    a_quote_reads_as_its_message_reads_now,
    a_reply_is_no_change_of_its_message,
    a_form_replies_without_script,
);

async fn join(server: &Server, name: &str) -> (Client, String) {
    let cookie = http::identity(server).await;
    (Door::of("harbour").username(name).identity(&cookie, server).join(server).await, cookie)
}

async fn reply(client: &mut Client, id: &str, text: &str, reply_to: i64) -> Value {
    client.send(json!({"type": "post", "id": id, "message": text, "reply_to": reply_to})).await;
    client.answer_to(id).await
}

async fn change(client: &mut Client, frame: Value) -> Value {
    let id = frame["id"].as_str().expect("an id").to_owned();
    client.send(frame).await;
    client.answer_to(&id).await
}

async fn json_of(server: &Server, path: &str) -> Value {
    send(request(server, "GET", path).header("accept", "application/json")).await.json()
}

async fn quotes(server: &Server, query: &str) -> Vec<Value> {
    let answer = http::get(server, &format!("/api/load_quotes?room_name=harbour{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).expect("quotes")
}

async fn a_reply_carries_its_message_everywhere(site: Site) {
    let mut server = site.start();
    let (mut ann, _) = join(&server, "Ann").await;
    let (mut bob, _) = join(&server, "Bob").await;
    ann.say("1", "Who brings the cake?").await;
    bob.expect("message").await;
    let said = reply(&mut bob, "2", "I do.", 1).await;
    assert_eq!((&said["type"], &said["seq"], &said["reply_to"]), (&json!("message"), &json!(2), &json!(1)), "{said}");
    assert_eq!(ann.expect_message("I do.").await, said);
    let posted = post_json(&server, "/harbour/", &json!({"message": "And I.", "reply_to": 2})).await;
    assert_eq!((posted.status, &posted.json()["reply_to"]), (201, &json!(2)));
    // A reply to the own message is one, and a null is none.
    assert_eq!(reply(&mut bob, "4", "Cheese.", 2).await["reply_to"], 2);
    let plain = post_json(&server, "/harbour/", &json!({"message": "plain", "reply_to": null})).await.json();
    assert_eq!(plain.get("reply_to"), None, "{plain}");

    let page = json_of(&server, "/harbour/").await;
    let of_page: Vec<&Value> =
        page["messages"].as_array().expect("messages").iter().map(|it| &it["reply_to"]).collect();
    assert_eq!(of_page, [&json!(null), &json!(1), &json!(2), &json!(2), &json!(null)]);
    assert_eq!(json_of(&server, "/harbour/2").await["reply_to"], 1);
    let mut late = Door::of("harbour").after(1).join(&server).await;
    assert_eq!(late.expect_message("I do.").await, said);
    let stream =
        send(request(&server, "GET", "/harbour/events?after=1&wait=0").header("accept", "application/x-ndjson"));
    let stream = stream.await.text;
    assert_eq!(serde_json::from_str::<Value>(stream.lines().next().expect("a line")).expect("JSON"), said);
    // Another node, or this one after a restart, reads it from the log.
    server.stop();
    let server = site.start();
    let mut late = Door::of("harbour").after(1).join(&server).await;
    assert_eq!(late.expect_message("I do.").await, said);
    let (well, exported) = site.command(&["export", "harbour", "--format", "json"]);
    let exported: Value = serde_json::from_str(&exported).unwrap_or_else(|_| panic!("{well} {exported}"));
    assert_eq!(exported["rooms"][0]["messages"][1]["reply_to"], 1);
    let (_, exported) = site.command(&["export", "harbour"]);
    assert!(exported.contains("#2 in reply to #1\n    I do."), "{exported}");
}

async fn a_reply_needs_a_message_that_is_there(site: Site) {
    let server = site.start();
    let (mut ann, _) = join(&server, "Ann").await;
    // A room does not begin with a reply.
    assert_eq!(reply(&mut ann, "a", "to nothing", 1).await["code"], "not_found");
    assert!(database::room_names(&site.database_url).await.is_empty());
    ann.say("1", "one").await;
    change(&mut ann, json!({"type": "edit", "id": "2", "target": 1, "text": "two"})).await;
    Client::join(&server, "tavern").await.say("1", "elsewhere").await;
    for (id, target) in [("c", 2), ("d", 3), ("e", 0), ("f", -1), ("g", i64::MAX)] {
        let refused = reply(&mut ann, id, "x", target).await;
        assert_eq!((&refused["type"], &refused["code"]), (&json!("rejected"), &json!("not_found")), "{target}");
        let refused = post_json(&server, "/harbour/", &json!({"message": "x", "reply_to": target})).await;
        assert_eq!((refused.status, refused.code()), (422, "not_found".into()), "{target}");
    }
    change(&mut ann, json!({"type": "delete", "id": "3", "target": 1})).await;
    assert_eq!(reply(&mut ann, "h", "too late", 1).await["code"], "not_found");
    for wrong in [json!("1"), json!(1.5), json!([1]), json!(true)] {
        let refused = post_json(&server, "/harbour/", &json!({"message": "x", "reply_to": wrong})).await;
        assert_eq!((refused.status, refused.code()), (422, "invalid".into()), "{wrong}");
    }
    let form = [("message", "x"), ("reply_to", "one")];
    let refused = send(request(&server, "POST", "/harbour/").header("accept", "application/json").form(&form)).await;
    assert_eq!((refused.status, refused.code()), (422, "invalid".into()));
    // One that deletes and one that replies at once: the first wins.
    let said = ann.say("i", "soon gone").await["seq"].clone();
    ann.send(json!({"type": "delete", "id": "j", "target": said})).await;
    ann.send(json!({"type": "post", "id": "k", "message": "x", "reply_to": said})).await;
    assert_eq!(ann.answer_to("j").await["type"], "deleted");
    assert_eq!(ann.answer_to("k").await["code"], "not_found");
}

async fn an_id_stands_for_a_reply_to_one_message(site: Site) {
    let mut server = site.start();
    let (mut ann, cookie) = join(&server, "Ann").await;
    ann.say("1", "one").await;
    ann.say("2", "two").await;
    let first = reply(&mut ann, "r", "yes", 1).await;
    assert_eq!(reply(&mut ann, "r", "yes", 1).await, first);
    for other in [json!({"reply_to": 2}), json!({})] {
        let mut frame = json!({"type": "post", "id": "r", "message": "yes"});
        frame.as_object_mut().expect("an object").extend(other.as_object().expect("an object").clone());
        assert_eq!(change(&mut ann, frame).await["code"], "id_conflict");
    }
    ann.say("p", "plain").await;
    assert_eq!(reply(&mut ann, "p", "plain", 1).await["code"], "id_conflict");
    // The answer is the same once the message that it replies to is gone, and after `kill -9`.
    change(&mut ann, json!({"type": "delete", "id": "d", "target": 1})).await;
    assert_eq!(reply(&mut ann, "r", "yes", 1).await, first);
    server.kill();
    let server = site.start();
    let mut ann = Door::of("harbour").username("Ann").identity(&cookie, &server).join(&server).await;
    assert_eq!(reply(&mut ann, "r", "yes", 1).await, first);
    let by_http = request(&server, "POST", "/harbour/").header("cookie", &cookie).header("origin", server.origin());
    let by_http = send(by_http.json(&json!({"message": "yes", "id": "r", "reply_to": 2, "username": "Ann"}))).await;
    assert_eq!((by_http.status, by_http.code()), (409, "id_conflict".into()));
}

async fn a_quote_reads_as_its_message_reads_now(site: Site) {
    let server = site.start();
    let (mut ann, _) = join(&server, "Ann").await;
    ann.say("1", &format!("first\n\n words {}", "é".repeat(200))).await;
    for n in 2..=60 {
        ann.say(&n.to_string(), "in between").await;
    }
    reply(&mut ann, "r", "an answer", 1).await;
    let quote = json!({"seq": 1, "username": "Ann", "tag": ann.welcome["tag"], "excerpt": "x"});
    let history = async || {
        let answer = http::get(&server, "/api/load_history?room_name=harbour").await;
        serde_json::from_str::<Value>(&answer.body).expect("a page")
    };
    let excerpt = |found: &Value| {
        let mut found = found.clone();
        let excerpt = found["excerpt"].take();
        found["excerpt"] = json!("x");
        assert_eq!(found, quote);
        excerpt.as_str().expect("a text").to_owned()
    };
    let found = history().await["quotes"].clone();
    assert_eq!(found.as_array().expect("quotes").len(), 1);
    let long = excerpt(&found[0]);
    assert!(long.starts_with("first words éé") && long.ends_with("é…") && long.chars().count() == 120, "{long}");
    change(&mut ann, json!({"type": "edit", "id": "e", "target": 1, "text": "other words"})).await;
    assert_eq!(excerpt(&history().await["quotes"][0]), "other words");
    let asked = quotes(&server, "&seqs[0]=1&seqs[1]=2&seqs[2]=9999&seqs[3]=-1").await;
    assert_eq!(
        (asked.len(), excerpt(&asked[0]), &asked[1]["excerpt"]),
        (2, "other words".into(), &json!("in between"))
    );
    let many: String = (0..200).map(|n| format!("&seqs[{n}]={n}")).collect();
    assert!(quotes(&server, &many).await.len() <= 50);
    change(&mut ann, json!({"type": "delete", "id": "d", "target": 1})).await;
    assert_eq!(excerpt(&history().await["quotes"][0]), "");
    assert_eq!(quotes(&server, "&seqs[0]=1").await[0]["excerpt"], "");
    let stored = database::rows(&site.database_url, "SELECT 1 FROM events WHERE text LIKE '%words%'").await;
    assert!(stored.is_empty(), "a quote is no copy");
    // A message that the room keeps no longer has no quote.
    database::execute(&site.database_url, "DELETE FROM events WHERE seq = 1").await;
    assert!(quotes(&server, "&seqs[0]=1").await.is_empty());
}

async fn a_reply_is_no_change_of_its_message(site: Site) {
    let server = site.start();
    let (mut ann, _) = join(&server, "Ann").await;
    let (mut bob, _) = join(&server, "Bob").await;
    ann.say("1", "forget-this").await;
    assert_eq!(reply(&mut bob, "2", "keep-this", 1).await["seq"], 2);
    change(&mut ann, json!({"type": "edit", "id": "3", "target": 1, "text": "forget-that"})).await;
    assert_eq!(json_of(&server, "/harbour/1").await["message"], "forget-that");
    change(&mut ann, json!({"type": "delete", "id": "4", "target": 1})).await;
    let page = json_of(&server, "/harbour/").await;
    assert_eq!((&page["messages"][0]["deleted"], &page["messages"][0]["message"]), (&json!(true), &json!("")));
    assert_eq!((&page["messages"][1]["message"], &page["messages"][1]["reply_to"]), (&json!("keep-this"), &json!(1)));
    let mut late = Door::of("harbour").after(0).join(&server).await;
    let frames = late.until(|frame| frame["type"] == "deleted").await;
    assert_eq!((&frames[0]["message"], &frames[2]["text"]), (&json!(""), &json!("")), "{frames:?}");
    assert_eq!(frames[1]["message"], "keep-this");
    // A deleted reply still says what it was about, without its text.
    change(&mut bob, json!({"type": "delete", "id": "5", "target": 2})).await;
    let gone = json_of(&server, "/harbour/2").await;
    assert_eq!((&gone["deleted"], &gone["message"], &gone["reply_to"]), (&json!(true), &json!(""), &json!(1)));
}

async fn a_form_replies_without_script(site: Site) {
    let server = site.start();
    let (mut ann, cookie) = join(&server, "Ann").await;
    ann.say("1", "Who <b>brings</b> the cake?").await;
    ann.say("2", "soon gone").await;
    change(&mut ann, json!({"type": "delete", "id": "d", "target": 2})).await;
    let page = http::get_as(&server, "/harbour/1?reply_to=1", &cookie).await.body;
    assert!(page.contains("name=\"reply_to\" value=\"1\"") && page.contains("Who &lt;b&gt;brings"), "{page}");
    for other in ["/harbour/1", "/harbour/", "/harbour/?reply_to=2", "/harbour/?reply_to=99", "/harbour/?reply_to=x"] {
        let page = http::get_as(&server, other, &cookie).await.body;
        assert!(
            !page.contains("name=\"reply_to\" value=\"") || page.contains("name=\"reply_to\" value=\"\""),
            "{other}"
        );
    }
    let form =
        http::browser().post(server.url("/harbour/")).header("cookie", &cookie).header("origin", server.origin());
    let form = form.form(&[("message", "I do."), ("username", "Ann"), ("id", "f1"), ("reply_to", "1")]);
    assert_eq!(http::send(form).await.status, 303);
    let said = ann.until(|frame| frame["id"] == "f1").await.pop().expect("the message");
    assert_eq!((&said["message"], &said["reply_to"]), (&json!("I do."), &json!(1)));
    // A form that was refused keeps it; one to a message that has gone says so, and has none.
    let refused = http::browser().post(server.url("/harbour/")).header("cookie", &cookie);
    let refused = http::send(refused.form(&[("message", " "), ("username", "Ann"), ("reply_to", "1")])).await;
    assert!(refused.status == 422 && refused.body.contains("name=\"reply_to\" value=\"1\""), "{}", refused.body);
    let refused = http::browser().post(server.url("/harbour/")).header("cookie", &cookie);
    let refused = http::send(refused.form(&[("message", "late"), ("username", "Ann"), ("reply_to", "2")])).await;
    assert!(refused.status == 422 && refused.body.contains("There is no such message."), "{}", refused.body);
    assert!(
        !refused.body.contains("name=\"reply_to\" value=\"2\"") && refused.body.contains("late"),
        "{}",
        refused.body
    );
    // An empty field is that of a form that replies to none.
    let form =
        http::browser().post(server.url("/harbour/")).header("cookie", &cookie).header("origin", server.origin());
    let form = form.form(&[("message", "plain"), ("username", "Ann"), ("id", "f2"), ("reply_to", "")]);
    assert_eq!(http::send(form).await.status, 303);
    let said = ann.until(|frame| frame["id"] == "f2").await.pop().expect("the message");
    assert_eq!(said.get("reply_to"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_with_very_many_replies_is_removed_without_reading_them() {
    let site = Site::new(Database::Postgres).await;
    let mut server = site.start();
    let (mut ann, cookie) = join(&server, "Ann").await;
    ann.say("1", "ask me anything").await;
    server.stop();
    let many = 50_000;
    let replies = format!(
        "INSERT INTO events SELECT room_id, n, author, 'r' || n, 0, at, 'Ann', 1, 'a reply', NULL, NULL \
         FROM events, generate_series(2, {many}) AS n WHERE seq = 1"
    );
    database::execute(&site.database_url, &replies).await;
    database::execute(&site.database_url, &format!("UPDATE rooms SET head = {many}")).await;
    database::execute(&site.database_url, "ANALYZE events").await;
    let server = site.start();
    let mut ann = Door::of("harbour").identity(&cookie, &server).join(&server).await;
    let deleted = change(&mut ann, json!({"type": "delete", "id": "d", "target": 1})).await;
    assert_eq!(deleted["seq"], many + 1);
    let plan = "EXPLAIN SELECT seq FROM events WHERE room_id = 1 AND target = 1 AND kind <> 0 AND text <> ''";
    let plan = database::rows(&site.database_url, plan).await;
    let plan: String = plan.iter().map(|row| row.try_get_by_index::<String>(0).expect("a line")).collect();
    assert!(plan.contains("events_edits"), "{plan}");
}

#[tokio::test]
async fn a_stream_names_the_message_of_a_reply() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let (mut ann, _) = join(&server, "Ann").await;
    ann.say("1", "one").await;
    let mut events = EventReader::open(&server, "/harbour/events", Format::EventStream, &[]).await;
    let said = reply(&mut ann, "2", "two", 1).await;
    let item = events.expect("message").await;
    assert_eq!((item.id, item.data), (Some(2), said));
}
