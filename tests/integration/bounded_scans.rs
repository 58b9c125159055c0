//! A room may contain far more than its messages: edits, deletions, deleted messages. A request for a page does not
//! make the database read all of it.

use crate::support::host::on_each_database;
use crate::support::page::Page;
use crate::support::{Client, Database, Door, Server, Site, database, eventually, http};
use serde_json::{Value, json};

on_each_database!(
    other_events_between_messages_do_not_change_a_page,
    unread_messages_are_counted_among_many_that_do_not_count,
    a_message_that_was_edited_very_often_is_removed_whole,
);

/// Number of events between messages, and of edits of one message, which are too many to delete at once.
const MANY: i64 = 60_000;
const EDITS: i64 = 5000;

/// Appends `many` events of one kind to the room `harbour`, and `messages` messages after them.
async fn crowd(site: &Site, kind: i64, target: &str, many: i64, messages: i64) {
    let room = "harbour";
    let row = |kind: &str, text: &str, target: &str, deleted: &str, from: i64, to: i64| {
        format!(
            "INSERT INTO events SELECT r.id, r.head + n.n, e.author, 'c' || (r.head + n.n), {kind}, e.at, 'Ann', \
             {target}, '{text}', NULL, {deleted} FROM (WITH RECURSIVE n(n) AS (SELECT {from} UNION ALL SELECT n + 1 \
             FROM n WHERE n < {to}) SELECT n FROM n) n, events e, rooms r \
             WHERE r.name = '{room}' AND e.room_id = r.id AND e.seq = 1"
        )
    };
    let deleted = if kind == 0 { "1" } else { "NULL" };
    let text = if kind == 0 { "" } else { "again" };
    let url = &site.database_url;
    database::execute(url, &row(&kind.to_string(), text, target, deleted, 1, many)).await;
    if messages > 0 {
        database::execute(url, &row("0", "late", "NULL", "NULL", many + 1, many + messages)).await;
    }
    let head = many + messages;
    database::execute(url, &format!("UPDATE rooms SET head = head + {head} WHERE name = '{room}'")).await;
}

async fn history(server: &Server, query: &str) -> Value {
    let answer = http::get(server, &format!("/api/load_history?room_name=harbour{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).expect("JSON")
}

async fn unread(server: &Server, read: i64) -> String {
    http::get(server, &format!("/api/count_unread?rooms[0][room]=harbour&rooms[0][read]={read}")).await.body
}

/// A room of one message, many edits of it, and three more messages.
async fn with_many_edits(site: &Site) {
    let mut server = site.start();
    let cookie = http::identity(&server).await;
    Door::of("harbour").identity(&cookie, &server).join(&server).await.say("1", "first").await;
    server.stop();
    crowd(site, 1, "1", MANY, 3).await;
}

async fn other_events_between_messages_do_not_change_a_page(site: Site) {
    with_many_edits(&site).await;
    let server = site.start();
    let last = MANY + 4;
    assert_eq!(Page::of(&server, "harbour").await.numbers(), [1, last - 2, last - 1, last]);
    let seqs = |page: &Value| -> Vec<i64> {
        page["messages"].as_array().expect("messages").iter().map(|it| it["seq"].as_i64().expect("a number")).collect()
    };
    let page = history(&server, &format!("&before={}", last - 2)).await;
    assert_eq!((seqs(&page), &page["more_before"]), (vec![1], &json!(false)));
    let page = history(&server, "&after=1").await;
    assert_eq!((seqs(&page), &page["more_after"]), (vec![last - 2, last - 1, last], &json!(false)));
    let page = history(&server, "&around=30000").await;
    assert_eq!(seqs(&page), [1, last - 2, last - 1, last]);
    assert_eq!(unread(&server, 1).await, "[3]");
}

async fn unread_messages_are_counted_among_many_that_do_not_count(site: Site) {
    let mut server = site.start();
    Client::join(&server, "harbour").await.say("1", "first").await;
    server.stop();
    // Removed ones, and then three that stand.
    crowd(&site, 0, "NULL", MANY, 3).await;
    let server = site.start();
    assert_eq!(unread(&server, 1).await, "[3]");
    assert_eq!(unread(&server, MANY + 2).await, "[2]");
    assert_eq!(Page::of(&server, "harbour").await.numbers().len(), 50);
}

async fn a_message_that_was_edited_very_often_is_removed_whole(site: Site) {
    let mut server = site.start();
    let cookie = http::identity(&server).await;
    Door::of("harbour").identity(&cookie, &server).join(&server).await.say("1", "first").await;
    server.stop();
    crowd(&site, 1, "1", EDITS, 0).await;
    database::execute(&site.database_url, &format!("UPDATE events SET edited_by = {} WHERE seq = 1", EDITS + 1)).await;
    let mut server = site.start();
    assert!(Page::of(&server, "harbour").await.shows(1, "again"));
    let mut client = Door::of("harbour").identity(&cookie, &server).join(&server).await;
    client.send(json!({"type": "delete", "id": "d", "target": 1})).await;
    let deleted = client.answer_to("d").await;
    assert_eq!((&deleted["type"], &deleted["seq"]), (&json!("deleted"), &json!(EDITS + 2)));
    // For readers it is effective at once, whatever the log still contains.
    assert!(!Page::of(&server, "harbour").await.shows(1, "again"));
    let mut late = Door::of("harbour").after(EDITS + 2 - 500).join(&server).await;
    for frame in late.until(|frame| frame["type"] == "deleted").await {
        assert!(frame["type"] == "deleted" || frame["text"] == "", "{frame}");
    }
    // Other clients do not wait for it, and a server that is killed during it continues after the restart.
    Client::join(&server, "harbour").await.say("x", "meanwhile").await;
    server.kill();
    let _server = site.start();
    eventually("every text has gone", || async {
        let left = "SELECT 1 FROM events WHERE text LIKE 'again%' LIMIT 1";
        database::rows(&site.database_url, left).await.is_empty().then_some(())
    })
    .await;
    let rest = "SELECT 1 FROM site WHERE name LIKE 'redact:%'";
    eventually("and nothing is left to do", || async {
        database::rows(&site.database_url, rest).await.is_empty().then_some(())
    })
    .await;
}

/// Returns the number of rows of the log that PostgreSQL has read, with or without an index. Sessions report their
/// counts when they end, at the latest.
async fn rows_read(site: &Site) -> i64 {
    let others = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    eventually("every session has ended", || async {
        database::rows(&site.database_url, others).await.is_empty().then_some(())
    })
    .await;
    let read =
        "SELECT (coalesce(idx_tup_fetch, 0) + seq_tup_read)::bigint FROM pg_stat_user_tables WHERE relname = 'events'";
    database::rows(&site.database_url, read).await[0].try_get_by_index(0).expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_reads_what_it_answers_with() {
    let site = Site::new(Database::Postgres).await;
    with_many_edits(&site).await;
    database::execute(&site.database_url, "ANALYZE events").await;
    let before = rows_read(&site).await;
    let mut server = site.start();
    for _ in 0..10 {
        for query in ["", "&before=60000", "&after=1", "&around=30000"] {
            history(&server, query).await;
        }
        unread(&server, 1).await;
        Page::of(&server, "harbour").await;
    }
    server.stop();
    let read = rows_read(&site).await - before;
    assert!(read < MANY / 4, "{read} rows");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_index_is_built_beside_those_who_write_and_again_where_it_was_not_finished() {
    let site = Site::new(Database::Postgres).await;
    with_many_edits(&site).await;
    let url = &site.database_url;
    // As of a release before, which goes on serving.
    let old = site.start();
    let mut client = Client::join(&old, "harbour").await;
    database::execute(url, "DROP INDEX events_messages").await;
    database::execute(url, "DELETE FROM seaql_migrations WHERE version = 'm0007_messages'").await;
    // One that was stopped in its middle.
    database::execute(url, "CREATE INDEX events_messages ON events (room_id, seq) WHERE kind = 0").await;
    let broken = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'events_messages'::regclass";
    database::execute(url, broken).await;
    let new = tokio::task::spawn_blocking({
        let arguments = site.arguments();
        move || Server::start(&arguments)
    });
    for n in 0..20 {
        assert_eq!(client.say(&format!("w{n}"), "meanwhile").await["type"], "message");
    }
    let new = new.await.expect("it starts");
    let valid = "SELECT 1 FROM pg_index WHERE indexrelid = 'events_messages'::regclass AND indisvalid";
    assert_eq!(database::rows(url, valid).await.len(), 1);
    assert!(Page::of(&new, "harbour").await.shows(MANY + 4 + 20, "meanwhile"));
}
