//! Databases that cannot store every text are refused. A message that can never be stored is rejected permanently, and
//! the rest of its batch is stored.

use crate::support::host::on_each_database;
use crate::support::server::{Server, executable};
use crate::support::{Client, Database, Site, database, http, postgres, tempdir};
use serde_json::{Value, json};
use std::collections::BTreeMap;

on_each_database!(an_unstorable_message_is_refused_and_the_rest_stored);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_not_utf8_is_refused() {
    for encoding in ["SQL_ASCII", "LATIN1"] {
        let url = postgres::fresh_database().await;
        let (cluster, name) = url.rsplit_once('/').expect("a URL");
        database::execute(&format!("{cluster}/postgres"), &format!("DROP DATABASE {name}")).await;
        let make = format!("CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0");
        database::execute(&format!("{cluster}/postgres"), &make).await;
        let site = Site::new(Database::Postgres).await.reached_at(url.clone());
        let directory = tempdir::directory("server");
        let mut command = executable(&directory);
        command.args(site.arguments()).args(["--addr", "127.0.0.1:0"]);
        let said = Server::listening(command, &directory).err().expect("it does not start");
        assert!(said.contains(encoding) && said.contains("UTF8"), "{said}");
        let (well, said) = site.command(&["check"]);
        assert!(!well && said.contains(encoding) && said.contains("UTF8"), "{said}");
        // Nothing was made in it.
        assert!(database::rows(&url, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'").await.is_empty());
    }
}

/// A rule that makes the database refuse some texts, as it might one that it cannot hold.
fn rule(site: &Site) -> &'static str {
    if site.database_url.starts_with("sqlite:") {
        "CREATE TRIGGER no_poison BEFORE INSERT ON events WHEN NEW.text LIKE 'poison%' \
         BEGIN SELECT RAISE(ABORT, 'poison'); END"
    } else {
        "ALTER TABLE events ADD CONSTRAINT no_poison CHECK (text NOT LIKE 'poison%')"
    }
}

/// The answers to fifteen messages whose ids begin so, in whatever order they come.
async fn answers(client: &mut Client, own: char) -> BTreeMap<String, Value> {
    let mut answers = BTreeMap::new();
    while answers.len() < 15 {
        let frame = client.next().await;
        let id = frame["id"].as_str().unwrap_or_default().to_owned();
        if id.starts_with(own) && id != "alone" {
            answers.insert(id, frame);
        }
    }
    answers
}

async fn an_unstorable_message_is_refused_and_the_rest_stored(site: Site) {
    let mut server = site.start();
    server.stop();
    database::execute(&site.database_url, rule(&site)).await;
    let server = site.start();
    let (mut ann, mut bob) = (Client::join(&server, "harbour").await, Client::join(&server, "harbour").await);
    let mut elsewhere = Client::join(&server, "tavern").await;
    assert_eq!(ann.say("alone", "poison").await["code"], "invalid");
    // Posts that wait for a lock form one batch.
    let held = database::hold_rooms(&site.database_url).await;
    for n in 0..15 {
        ann.post(&format!("a{n}"), &format!("{} {n}", if n % 6 == 3 { "poison" } else { "fine" })).await;
        bob.post(&format!("b{n}"), "fine too").await;
        elsewhere.post(&format!("e{n}"), "fine there").await;
    }
    held.release().await;
    for (id, answer) in answers(&mut ann, 'a').await {
        if ["a3", "a9"].contains(&id.as_str()) {
            assert_eq!((&answer["type"], &answer["code"]), (&json!("rejected"), &json!("invalid")), "{answer}");
            assert_eq!(answer.get("retry_after_ms"), None, "it is not tried again");
        } else {
            assert_eq!(answer["type"], "message", "{answer}");
        }
    }
    for (client, own) in [(&mut bob, 'b'), (&mut elsewhere, 'e')] {
        assert!(answers(client, own).await.values().all(|answer| answer["type"] == "message"));
    }
    let stored = database::messages(&site.database_url, "harbour").await;
    let seqs: Vec<i64> = stored.iter().map(|message| message["seq"].as_i64().expect("a number")).collect();
    assert_eq!(seqs, (1..=28).collect::<Vec<_>>(), "without a gap");
    assert_eq!(database::messages(&site.database_url, "tavern").await.len(), 15);
    assert_eq!(http::readiness(&server).await.0, 200, "the database is as well as ever");
    let refused = server.log().matches("log cannot be written").count();
    assert_eq!(refused, 0, "{}", server.log());
}
