//! Incoming webhooks: other programs post into rooms.

use crate::support::host::on_each_database;
use crate::support::http::{self, browser};
use crate::support::page::Page;
use crate::support::{Client, Database, Door, Server, Site, database, eventually, tempdir};
use reqwest::StatusCode;
use serde_json::{Value, json};

on_each_database!(
    a_hook_posts_bodies_of_other_programs,
    a_name_that_somebody_holds_gets_a_suffix,
    whatever_is_wrong_with_an_address_is_answered_alike,
    a_hook_is_its_own_admission,
    a_hook_owns_no_room,
    a_hook_is_removed_with_its_room_or_its_author,
    a_message_that_is_sent_again_counts_once,
);

const JSON: &str = "application/json";

/// Creates an incoming hook; its id, and the path of its address.
fn create(site: &Site, room: &str, name: &str) -> (String, String) {
    let (well, said) = site.command(&["hook", "create", room, name]);
    assert!(well, "{said}");
    let id = said.split_whitespace().find(|word| word.starts_with("in_")).expect("an id").to_owned();
    let address = said.split_whitespace().find(|word| word.starts_with("http")).expect("an address");
    let path = address.splitn(4, '/').nth(3).expect("a path");
    assert_eq!(path.rsplit('/').next().map(str::len), Some(26), "{address}");
    (id, format!("/{path}"))
}

async fn post(server: &Server, path: &str, content_type: &str, body: &str) -> reqwest::Response {
    let request = browser().post(server.url(path)).header("content-type", content_type).body(body.to_owned());
    request.send().await.expect("an answer")
}

async fn posted(server: &Server, path: &str, content_type: &str, body: &str) {
    let answer = post(server, path, content_type, body).await;
    assert_eq!(answer.status(), StatusCode::OK, "{body}");
    assert!(answer.headers()["content-type"].to_str().expect("text").starts_with("text/plain"));
    assert!(answer.headers().get("set-cookie").is_none());
    assert_eq!(answer.text().await.expect("text"), "ok");
}

async fn problem(answer: reqwest::Response) -> (u16, Value) {
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
    assert_eq!(body["status"], status);
    (status, body["code"].clone())
}

/// A server with a room, in which somebody has posted.
async fn room(site: &Site, room: &str) -> (Server, Client) {
    let server = site.start();
    let cookie = http::identity(&server).await;
    let mut ann = Door::of(room).username("Ann").identity(&cookie, &server).join(&server).await;
    ann.say("first", "hello").await;
    (server, ann)
}

/// Opens a private room, and returns its name.
async fn open_private(server: &Server, cookie: &str) -> String {
    let open = browser().post(server.url("/")).header("cookie", cookie);
    let answer = http::send(open.form(&[("username", "Ann"), ("room_name", "Den")])).await;
    let location = answer.location.expect("the way into the room");
    location.trim_start_matches('/').split('/').next().expect("a name").to_owned()
}

async fn a_hook_posts_bodies_of_other_programs(site: Site) {
    let (server, mut ann) = room(&site, "harbour").await;
    let (id, path) = create(&site, "harbour", "CI");
    let alerts = include_str!("../fixtures/webhooks/alertmanager-v4.json");
    for (content_type, body, name, message) in [
        ("text/plain", "it works", "CI", "it works"),
        (
            JSON,
            r#"{"text":"<https://ci.example.com/7|build 7> &amp; :tada:"}"#,
            "CI",
            "build 7 (https://ci.example.com/7) & 🎉",
        ),
        (JSON, r#"{"content":"by Discord","username":"Spidey"}"#, "Spidey", "by Discord"),
        ("application/x-www-form-urlencoded", "payload=%7B%22text%22%3A%22a+form%22%7D", "CI", "a form"),
        (JSON, alerts, "CI", "[FIRING:1, RESOLVED:1] HighRequestLatency api"),
    ] {
        posted(&server, &path, content_type, body).await;
        let frame = ann.expect("message").await;
        assert_eq!(frame["username"], name);
        let shown = frame["message"].as_str().expect("text");
        assert!(shown == message || body == alerts && shown.starts_with(message), "{shown}");
    }
    posted(&server, &path, "text/plain", &"😀".repeat(20_000)).await;
    let cut = ann.expect("message").await;
    let cut = cut["message"].as_str().expect("text");
    assert!(cut.chars().count() == 4000 && cut.ends_with('…'));
    for (content_type, body, status, code) in [
        (JSON, "{", 400, "invalid"),
        (JSON, r#"{"text":7}"#, 422, "invalid"),
        (JSON, "{}", 422, "empty"),
        ("text/plain", " ", 422, "empty"),
        ("text/plain", "a\0b", 422, "invalid"),
        ("image/png", "x", 415, "invalid"),
        ("text/plain", &"x".repeat(300_000), 413, "too_long"),
    ] {
        let answer = post(&server, &path, content_type, body).await;
        assert_eq!(problem(answer).await, (status, json!(code)), "{content_type} {}", &body[..body.len().min(20)]);
    }
    let foreign = browser().post(server.url(&path)).header("origin", "https://evil.example").body("x");
    assert_eq!(problem(foreign.send().await.expect("an answer")).await, (403, json!("forbidden")));
    assert_eq!(ann.say("after", "nothing else was stored").await["seq"], 8);
    let (well, said) = site.command(&["hook", "list", "harbour"]);
    assert!(well && said.contains(&id) && said.contains("incoming, used "), "{said}");
    let hash = database::rows(&site.database_url, "SELECT key_hash FROM incoming_hooks").await;
    let hash: Vec<u8> = hash[0].try_get_by_index(0).expect("bytes");
    assert_eq!(hash.len(), 32);
}

async fn a_name_that_somebody_holds_gets_a_suffix(site: Site) {
    let (server, mut ann) = room(&site, "harbour").await;
    let (_, path) = create(&site, "harbour", "ann");
    let (_, other) = create(&site, "harbour", "Ann");
    for (path, body, name) in [
        (&path, r#"{"text":"x"}"#, "ann (hook)"),
        (&path, r#"{"text":"x","username":"Αnn"}"#, "Αnn (hook)"),
        (&path, r#"{"text":"x","username":"Grafana"}"#, "Grafana"),
        (&path, r#"{"text":"x","username":"Grafana"}"#, "Grafana"),
        (&other, r#"{"text":"x","username":"Grafana"}"#, "Grafana (hook)"),
        (&other, r#"{"text":"x"}"#, "Ann (hook 2)"),
    ] {
        posted(&server, path, JSON, body).await;
        assert_eq!(ann.expect("message").await["username"], name, "{body}");
    }
    let long = json!({"text": "x", "username": "y".repeat(5000)}).to_string();
    posted(&server, &path, JSON, &long).await;
    assert_eq!(ann.expect("message").await["username"], "y".repeat(32));
    posted(&server, &path, JSON, r#"{"text":"x","username":"\u202e"}"#).await;
    assert_eq!(ann.expect("message").await["username"], "ann (hook)");
}

async fn whatever_is_wrong_with_an_address_is_answered_alike(site: Site) {
    let (server, _ann) = room(&site, "harbour").await;
    let mut bob = Client::join(&server, "tavern").await;
    bob.say("0", "another room").await;
    let cookie = http::identity(&server).await;
    let den = open_private(&server, &cookie).await;
    let (_, path) = create(&site, "harbour", "CI");
    let (ended, ended_path) = create(&site, "harbour", "Old");
    assert!(site.command(&["hook", "revoke", &ended]).0);
    let key = path.rsplit('/').next().expect("a key");
    let addresses = [
        format!("/den~{}/hooks/{key}", "a".repeat(26)),
        format!("/den~{}/hooks/{}", "a".repeat(26), "b".repeat(26)),
        format!("/{den}/hooks/{key}"),
        format!("/tavern/hooks/{key}"),
        format!("/nowhere/hooks/{key}"),
        format!("/harbour/hooks/{}", "a".repeat(26)),
        "/harbour/hooks/short".to_owned(),
        "/%ff/hooks/x".to_owned(),
        ended_path,
    ];
    let mut answers = Vec::new();
    for address in &addresses {
        let answer = post(&server, address, JSON, "not even JSON").await;
        let mut headers = answer.headers().clone();
        ["date", "x-request-id"].iter().for_each(|name| drop(headers.remove(*name)));
        answers.push((answer.status(), headers, answer.bytes().await.expect("a body")));
    }
    assert_eq!(answers[0].0, StatusCode::NOT_FOUND);
    for (address, answer) in addresses.iter().zip(&answers) {
        assert_eq!(answer, &answers[0], "{address}");
    }
}

async fn a_hook_is_its_own_admission(site: Site) {
    let server = site.start();
    let cookie = http::identity(&server).await;
    let name = open_private(&server, &cookie).await;
    let (_, path) = create(&site, &name, "CI");
    posted(&server, &path, "text/plain", "in private").await;
    assert_eq!(database::messages(&site.database_url, &name).await[0]["message"], "in private");
    let mut owner = Door::of(&name).identity(&cookie, &server).join(&server).await;
    owner.send(json!({"type": "moderate", "id": "l", "action": "lock"})).await;
    owner.answer_to("l").await;
    posted(&server, &path, "text/plain", "in a locked room").await;
    owner.expect_message("in a locked room").await;
    owner.send(json!({"type": "moderate", "id": "m", "action": "mute", "target": 1, "seconds": 60})).await;
    owner.answer_to("m").await;
    let muted = post(&server, &path, "text/plain", "muted").await;
    assert_eq!(problem(muted).await, (403, json!("forbidden")));
}

async fn a_hook_owns_no_room(site: Site) {
    let server = site.start();
    database::store_room(&site.database_url, "empty").await;
    let (_, path) = create(&site, "empty", "CI");
    posted(&server, &path, "text/plain", "the first message").await;
    let cookie = http::identity(&server).await;
    let mut ann = Door::of("empty").identity(&cookie, &server).join(&server).await;
    ann.say("1", "the second").await;
    ann.send(json!({"type": "moderate", "id": "l", "action": "hand_over", "target": 1})).await;
    let answer = ann.answer_to("l").await;
    assert_eq!((&answer["type"], &answer["code"]), (&json!("rejected"), &json!("invalid")), "{answer}");
    ann.send(json!({"type": "moderate", "id": "s", "action": "slow_mode", "seconds": 0})).await;
    assert_eq!(ann.answer_to("s").await["type"], "moderated", "she is the owner");
    let (well, said) = site.command(&["hook", "create", "nowhere", "CI"]);
    assert!(!well && said.contains("there is no room nowhere"), "{said}");
}

async fn a_hook_is_removed_with_its_room_or_its_author(site: Site) {
    let (mut server, _ann) = room(&site, "harbour").await;
    let (_, path) = create(&site, "harbour", "Zyxwvut");
    posted(&server, &path, "text/plain", "by the hook").await;
    let (_, other) = create(&site, "harbour", "Qponmlk");
    let allowed = site.with_flags(&["--webhook-hosts", "127.0.0.1:9"]);
    assert!(allowed.command(&["hook", "create", "harbour", "Out", "--to", "http://127.0.0.1:9/zyxwvut"]).0);
    assert!(site.command(&["erase", "--author-of", "harbour/2", "--yes"]).0);
    assert_eq!(post(&server, &path, "text/plain", "x").await.status(), StatusCode::NOT_FOUND);
    posted(&server, &other, "text/plain", "the other hook stays").await;
    assert!(site.command(&["delete", "harbour", "--yes"]).0);
    assert_eq!(post(&server, &other, "text/plain", "x").await.status(), StatusCode::NOT_FOUND);
    for table in ["incoming_hooks", "outgoing_hooks"] {
        assert!(database::rows(&site.database_url, &format!("SELECT 1 FROM {table}")).await.is_empty(), "{table}");
    }
    server.stop();
    for file in site.data.read_dir().expect("a directory") {
        let bytes = std::fs::read(file.expect("a file").path()).unwrap_or_default();
        for text in ["Zyxwvut", "Qponmlk", "/zyxwvut"] {
            assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{text} is still there");
        }
    }
}

async fn a_message_that_is_sent_again_counts_once(site: Site) {
    let (server, mut ann) = room(&site, "harbour").await;
    let (_, path) = create(&site, "harbour", "CI");
    let keyed = |key: &'static str, body: &'static str| {
        browser()
            .post(server.url(&path))
            .header("idempotency-key", key)
            .header("content-type", "text/plain")
            .body(body)
            .send()
    };
    for key in ["deploy-7", "\"deploy-7\"", "deploy-7"] {
        assert_eq!(keyed(key, "deployed").await.expect("an answer").status(), StatusCode::OK);
    }
    assert_eq!(ann.expect_message("deployed").await["id"], "deploy-7");
    assert_eq!(
        problem(keyed("deploy-7", "something else").await.expect("an answer")).await,
        (409, json!("id_conflict"))
    );
    assert_eq!(problem(keyed("not an id!", "x").await.expect("an answer")).await, (422, json!("invalid")));
    assert_eq!(ann.say("after", "once").await["seq"], 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hook_is_limited_like_a_visitor() {
    let site = Site::new(Database::Sqlite).await.limited(&["--message-burst", "3", "--messages-per-second", "1"]);
    let (server, _ann) = room(&site, "harbour").await;
    let (_, path) = create(&site, "harbour", "CI");
    let mut limited = None;
    for n in 0..20 {
        let answer = post(&server, &path, "text/plain", &format!("number {n}")).await;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            limited = Some(answer);
            break;
        }
    }
    let limited = limited.expect("a limit");
    assert!(limited.headers().contains_key("retry-after"));
    assert_eq!(problem(limited).await, (429, json!("rate_limited")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hooks_are_in_backups() {
    let site = Site::new(Database::Sqlite).await;
    let (server, _ann) = room(&site, "harbour").await;
    let (_, path) = create(&site, "harbour", "CI");
    let backup = tempdir::directory("backups").join("backup");
    assert!(site.command(&["backup", backup.to_str().expect("a path")]).0);
    drop(server);
    let restored = Site::new(Database::Sqlite).await;
    assert!(restored.command(&["restore", backup.to_str().expect("a path")]).0);
    let server = restored.start();
    posted(&server, &path, "text/plain", "after the restore").await;
    eventually("the message is shown", || async {
        Page::of(&server, "harbour").await.shows(2, "after the restore").then_some(())
    })
    .await;
}
