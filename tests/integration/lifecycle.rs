//! Start and shutdown of a server.

use crate::support::host::on_each_database;
use crate::support::server::{Server, executable, run};
use crate::support::tcp_proxy::Cable;
use crate::support::{Client, Database, Door, Site, database, eventually, http, tempdir};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A server that is asked to stop has gone by then.
const GONE: Duration = Duration::from_secs(15);

on_each_database!(
    a_stopping_server_commits_and_acknowledges_what_waits,
    under_load_a_stopping_server_answers_for_all_it_stores,
    a_stopping_server_tells_everybody_and_takes_nobody_new,
    an_interrupt_is_as_good,
    a_second_signal_ends_the_process_at_once,
    a_stopping_server_does_not_wait_for_those_who_do_not_listen,
);

async fn a_stopping_server_commits_and_acknowledges_what_waits(site: Site) {
    const WAITING: i64 = 12;
    let mut server = site.start();
    database::store_room(&site.database_url, "harbour").await;
    let mut reader = Client::join(&server, "harbour").await;
    let mut clients = Vec::new();
    let held = database::hold_rooms(&site.database_url).await;
    for _ in 0..WAITING {
        let mut client = Client::join(&server, "harbour").await;
        client.post("waiting", "x").await;
        // This is answered at once, so the server has read the frames before it.
        client.send_text("not a frame").await;
        client.expect("rejected").await;
        clients.push(client);
    }
    let asked = Instant::now();
    server.terminate();
    for client in &mut clients {
        client.expect("drain").await;
        client.post("too-late", "x").await;
        let refused = client.answer_to("too-late").await;
        assert_eq!((&refused["type"], &refused["code"]), (&json!("rejected"), &json!("draining")), "{refused}");
    }
    // By now, all clients without unacknowledged posts should have been disconnected.
    reader.expect("drain").await;
    assert_eq!(reader.close_code().await, Some(1012));
    tokio::time::sleep(Duration::from_millis(3200).saturating_sub(asked.elapsed())).await;
    held.release().await;
    for client in &mut clients {
        let tag = client.welcome["tag"].clone();
        let heard = client.until(|frame| frame["id"] == "waiting" && frame["tag"] == tag).await;
        assert!(heard.iter().all(|frame| frame["type"] == "message"), "{heard:?}");
        assert_eq!(client.close_code().await, Some(1012));
    }
    let status = server.wait(GONE).expect("it has gone");
    assert!(status.success(), "{status}");
    assert_eq!(database::messages(&site.database_url, "harbour").await.len() as i64, WAITING);
}

async fn under_load_a_stopping_server_answers_for_all_it_stores(site: Site) {
    let mut server = site.start();
    let mut posting = Vec::new();
    let heard_of = Arc::new(AtomicUsize::new(0));
    for n in 0..12 {
        let mut client = Client::join(&server, "harbour").await;
        let heard_of = heard_of.clone();
        posting.push(tokio::spawn(async move {
            let (mut acknowledged, mut refused) = (BTreeSet::new(), BTreeSet::new());
            let mut sent = 0;
            let next = |sent: &mut u32| {
                *sent += 1;
                json!({"type": "post", "id": format!("{n}-{sent}"), "message": "x"})
            };
            for _ in 0..20 {
                client.send(next(&mut sent)).await;
            }
            // One more for each that is answered, to the very end.
            while let Some(frame) = client.next_frame().await {
                let Some(id) = frame["id"].as_str().filter(|id| id.starts_with(&format!("{n}-"))) else { continue };
                let answers = if frame["type"] == "message" { &mut acknowledged } else { &mut refused };
                answers.insert(id.to_owned());
                if acknowledged.len() == 1 && refused.is_empty() {
                    heard_of.fetch_add(1, Ordering::SeqCst);
                }
                let text = tokio_tungstenite::tungstenite::Message::text(next(&mut sent).to_string());
                let _ = client.send_message(text).await;
            }
            (acknowledged, refused, client.closed)
        }));
    }
    let all = || async { (heard_of.load(Ordering::SeqCst) == posting.len()).then_some(()) };
    eventually("everybody was answered once", all).await;
    server.terminate();
    let mut acknowledged = BTreeSet::new();
    for posting in posting {
        let (ids, refused, closed) = posting.await.expect("a client");
        assert_eq!(closed, Some(1012));
        assert!(!ids.is_empty() && ids.is_disjoint(&refused));
        acknowledged.extend(ids);
    }
    assert!(server.wait(GONE).expect("it has gone").success());
    let stored = database::messages(&site.database_url, "harbour").await;
    let stored: BTreeSet<String> = stored.iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect();
    let silent: Vec<_> = stored.difference(&acknowledged).collect();
    assert!(silent.is_empty(), "stored, and their senders never heard of it: {silent:?}");
    assert!(acknowledged.is_subset(&stored));
}

async fn a_stopping_server_tells_everybody_and_takes_nobody_new(site: Site) {
    let mut server = site.start();
    let mut clients = Vec::new();
    for n in 0..20 {
        clients.push(Client::join(&server, &format!("room-{}", n % 3)).await);
    }
    let asked = Instant::now();
    server.terminate();
    for client in &mut clients {
        let drain = client.expect("drain").await;
        assert!(drain["reconnect_in_ms"].as_u64().is_some_and(|ms| ms > 0), "{drain}");
    }
    assert!(Door::of("harbour").try_join(server.addr).await.is_none(), "nobody enters any more");
    for client in &mut clients {
        assert_eq!(client.close_code().await, Some(1012));
    }
    let status = server.wait(GONE.saturating_sub(asked.elapsed())).expect("it has gone");
    assert!(status.success(), "{status}");
}

async fn an_interrupt_is_as_good(site: Site) {
    let mut server = site.start();
    let mut client = Client::join(&server, "harbour").await;
    client.say("a", "hello").await;
    server.signal("INT");
    client.expect("drain").await;
    assert_eq!(client.close_code().await, Some(1012));
    assert!(server.wait(GONE).expect("it has gone").success());
}

async fn a_second_signal_ends_the_process_at_once(site: Site) {
    for (first, second, status) in [("INT", "INT", 130), ("TERM", "TERM", 143), ("TERM", "INT", 130)] {
        let mut server = site.start();
        let mut client = Client::join(&server, "harbour").await;
        let held = database::hold_rooms(&site.database_url).await;
        client.post(&format!("{first}-{second}"), "not stored before it is asked again").await;
        client.send_text("not a frame").await;
        client.until(|frame| frame["code"] == "invalid").await;
        server.signal(first);
        client.until(|frame| frame["type"] == "drain").await;
        assert!(server.wait(Duration::ZERO).is_none(), "it waits for the database");
        server.signal(second);
        assert_eq!(server.wait(GONE).expect("it has gone").code(), Some(status));
        held.release().await;
    }
    // The next server finds the stored events.
    let server = site.start();
    assert_eq!(Client::join(&server, "harbour").await.say("after", "x").await["type"], "message");
}

async fn a_stopping_server_does_not_wait_for_those_who_do_not_listen(site: Site) {
    let mut server = site.start();
    let _deaf = Door::of("harbour").receive_buffer(4096).join(&server).await;
    let mut writer = Client::join(&server, "harbour").await;
    for n in 0..400 {
        writer.post(&n.to_string(), &"x".repeat(4000)).await;
        writer.answer_to(&n.to_string()).await;
    }
    let mut half = TcpStream::connect(server.addr).expect("a connection");
    half.write_all(b"GET /harbour/ HTTP/1.1\r\nHost: localhost\r\n").expect("half a request");
    let _silent = TcpStream::connect(server.addr).expect("a connection");
    server.terminate();
    assert_eq!(writer.close_code().await, Some(1012));
    let status = server.wait(GONE).expect("it has gone, whatever hangs");
    assert!(status.success(), "{status}");
}

// The cable works on while a server is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_does_not_wait_for_a_database_that_does_not_answer() {
    let site = Site::new(Database::Postgres).await;
    let (cable, url) = Cable::to(&site.database_url).await;
    let mut server = site.reached_at(url).start();
    let mut client = Client::join(&server, "harbour").await;
    client.say("a", "stored").await;
    cable.cut();
    client.post("b", "on its way").await;
    server.terminate();
    client.expect("drain").await;
    assert_eq!(client.close_code().await, Some(1012));
    assert!(server.wait(GONE).expect("it has gone, whatever hangs").success());
}

#[tokio::test]
async fn a_second_process_on_the_same_data_is_refused() {
    let site = Site::new(Database::Sqlite).await;
    let mut first = site.start();
    let mut client = Client::join(&first, "harbour").await;
    client.say("a", "mine").await;
    let mut second = executable(&tempdir::directory("second"));
    second.arg("serve").args(site.arguments()).args(["--addr", "127.0.0.1:0"]);
    let (status, said) = run(&mut second);
    assert!(!status.success(), "{said}");
    assert!(said.contains("parlour.db") && said.contains("in use"), "{said}");
    assert_eq!(client.say("b", "still mine").await["seq"], 2);
    first.kill();
    let third = site.start();
    assert_eq!(Client::join(&third, "harbour").await.welcome["head"], 2);
}

#[tokio::test]
async fn a_server_says_where_it_listens_and_what_it_uses() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let line = &server.announcement;
    assert!(line.ends_with('\n') && line.contains(&server.addr.to_string()), "{line}");
    assert!(line.contains(&site.database_url), "{line}");
    assert_eq!(http::get(&server, "/healthz").await.status, 200);
    let (status, readiness) = http::readiness(&server).await;
    assert_eq!((status.as_u16(), &readiness["database"], &readiness["relay"]), (200, &json!("ok"), &json!("none")));
}

#[tokio::test]
async fn passwords_are_not_shown() {
    let site = Site::new(Database::Postgres).await.with_redis("redis://:hush-redis@127.0.0.1:1".into());
    let mut arguments = site.arguments();
    for argument in &mut arguments {
        *argument = argument.replace("parlour@", "parlour:hush-postgres@");
    }
    let server = Server::start(&arguments);
    Client::join(&server, "harbour").await.say("a", "x").await;
    assert!(server.announcement.contains("postgres://parlour:") && server.announcement.contains("redis://"));
    assert!(!server.announcement.contains("hush"), "{}", server.announcement);
    assert!(!server.log().contains("hush"), "{}", server.log());
}

#[tokio::test]
async fn a_database_that_comes_back_is_used_again() {
    let mut cluster = tokio::task::spawn_blocking(crate::support::postgres::Cluster::start).await.expect("a cluster");
    let mut server = Server::start(&["--database-url".to_owned(), cluster.url("postgres")]);
    let mut client = Client::join(&server, "harbour").await;
    client.say("a", "before").await;
    let cluster = tokio::task::spawn_blocking(move || {
        cluster.restart();
        cluster
    });
    let cluster = cluster.await.expect("it comes back");
    crate::support::eventually("the server is ready again", || async {
        (http::readiness(&server).await.0 == 200).then_some(())
    })
    .await;
    let again = crate::support::eventually("a post is stored", || async {
        let mut client = Door::of("harbour").after(0).try_join(server.addr).await?;
        let answer = client.say("b", "after").await;
        (answer["type"] == "message").then_some(answer)
    })
    .await;
    assert_eq!(again["seq"], 2);
    client.until(|frame| frame["message"] == "after").await;
    assert_eq!(database::messages(&cluster.url("postgres"), "harbour").await.len(), 2);
    server.stop();
}
