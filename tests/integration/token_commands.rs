//! `parlour token`, and tokens in what else the host does: erasing, deleting, exporting, backing up.

use super::tokens::create;
use crate::support::api::{JsonBody, request, send};
use crate::support::host::on_each_database;
use crate::support::{Database, Site, database, tempdir};
use serde_json::{Value, json};

on_each_database!(tokens_are_listed_and_revoked_by_label_or_id, an_erased_author_loses_the_token);

fn listed(site: &Site) -> Vec<Value> {
    let (well, said) = site.command(&["token", "list", "--json"]);
    assert!(well, "{said}");
    said.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {said}"))).collect()
}

async fn tokens_are_listed_and_revoked_by_label_or_id(site: Site) {
    site.start().stop();
    assert_eq!(listed(&site), Vec::<Value>::new());
    for (arguments, room) in
        [(&["CI bot"][..], None), (&["alerts", "--room", "Harbour"], Some("harbour")), (&["CI bot"], None)]
    {
        create(&site, arguments);
        let tokens = listed(&site);
        let newest = tokens.iter().max_by_key(|token| token["made_at"].as_i64()).expect("a token");
        assert_eq!((&newest["room_name"], &newest["ended_at"]), (&room.into(), &Value::Null), "{newest}");
    }
    let ids: Vec<String> = listed(&site).iter().map(|token| token["id"].as_str().expect("an id").to_owned()).collect();
    let (well, said) = site.command(&["token", "list"]);
    assert!(
        well && ids.iter().all(|id| said.contains(id)) && said.contains("CI bot") && said.contains("harbour"),
        "{said}"
    );
    assert!(!said.contains("plr_"), "{said}");
    let (well, said) = site.command(&["token", "revoke", "CI bot"]);
    assert!(!well && said.contains("several") && said.contains(&ids[0]) && said.contains(&ids[2]), "{said}");
    for (wanted, well) in
        [(ids[0].as_str(), true), ("CI bot", true), ("CI bot", false), (&ids[2], true), ("nobody", false)]
    {
        let (was_well, said) = site.command(&["token", "revoke", wanted]);
        assert_eq!(was_well, well, "{wanted}: {said}");
    }
    let leaked = create(&site, &["leaked"]);
    let (well, said) = site.command(&["token", "revoke", leaked.trim_start_matches("Bearer ")]);
    assert!(well && said.contains("leaked") && !said.contains("plr_"), "{said}");
    let valid = listed(&site).into_iter().filter(|token| token["ended_at"].is_null()).count();
    assert_eq!(valid, 1);
    for bad in
        [&["create", ""][..], &["create", "a\u{202e}b"], &["create", "x", "--room", ".x"], &["revoke"], &["dance"]]
    {
        let (well, said) = site.command(&[&["token"], bad].concat());
        assert!(!well && !said.contains("plr_"), "{bad:?}: {said}");
    }
    for number in 0..19 {
        create(&site, &[&format!("alerts {number}"), "--room", "harbour"]);
    }
    let (well, said) = site.command(&["token", "create", "one more", "--room", "harbour"]);
    assert!(!well && said.contains("at most 20"), "{said}");
}

async fn an_erased_author_loses_the_token(site: Site) {
    let server = site.start();
    let (bot, other) = (create(&site, &["Secret name"]), create(&site, &["other"]));
    let say = async |token: &str| {
        let post = request(&server, "POST", "/harbour/").header("authorization", token);
        send(post.json(&json!({"message": "hello"}))).await.status
    };
    assert_eq!((say(&bot).await, say(&other).await), (201, 201));
    let (well, said) = site.command(&["erase", "--author-of", "harbour/1", "--yes"]);
    assert!(well, "{said}");
    assert_eq!((say(&bot).await, say(&other).await), (401, 201));
    let labels = database::rows(&site.database_url, "SELECT label FROM tokens").await;
    let labels: Vec<String> = labels.iter().map(|row| row.try_get_by_index(0).expect("a label")).collect();
    assert_eq!(labels, ["other"]);
}

#[tokio::test]
async fn no_secret_is_stored_or_exported() {
    let site = Site::new(Database::Sqlite).await;
    let mut server = site.start();
    let bot = create(&site, &["bot"]);
    let post = request(&server, "POST", "/harbour/").header("authorization", &bot);
    assert_eq!(send(post.json(&json!({"message": "hello"}))).await.status, 201);
    let secret = bot.trim_start_matches("Bearer ").to_owned();
    for export in
        [&["export", "harbour"][..], &["export", "--author-of", "harbour/1", "--format", "json"], &["rooms", "--json"]]
    {
        let (well, said) = site.command(export);
        assert!(well && !said.contains(&secret), "{said}");
    }
    assert!(!server.log().contains(&secret));
    let backup = tempdir::directory("backups").join("backup");
    let (well, said) = site.command(&["backup", backup.to_str().expect("a path")]);
    assert!(well, "{said}");
    let bytes = std::fs::read(&backup).expect("a backup");
    assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    server.stop();
    // A restored site knows its tokens.
    let restored = Site::new(Database::Sqlite).await;
    let (well, said) = restored.command(&["restore", backup.to_str().expect("a path")]);
    assert!(well, "{said}");
    let server = restored.start();
    let post = request(&server, "POST", "/harbour/").header("authorization", &bot);
    let said = send(post.json(&json!({"message": "again"}))).await;
    assert_eq!((said.status, &said.json()["username"]), (201, &"bot".into()));
}
