//! The proxies that operators are given: a node is killed behind them, and visitors come by http.

use crate::rolling;
use crate::support::caddy::{self, Caddy};
use crate::support::event_reader::{EventReader, Format};
use crate::support::nginx::Nginx;
use crate::support::process::free_port;
use crate::support::{Client, DEADLINE, Database, Door, Site, database, eventually, http};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Forms that are posted at the same time, each again and again.
const WRITERS: usize = 4;

/// Times that a node is killed.
const KILLS: usize = 6;

/// Posts forms through the proxy until told to stop. Returns the texts, each of which was accepted.
async fn post(
    proxy: SocketAddr,
    writer: usize,
    cookie: String,
    over: Arc<AtomicBool>,
    posted: Arc<AtomicUsize>,
) -> Vec<String> {
    let browser = http::browser();
    let mut texts = Vec::new();
    while !over.load(Ordering::SeqCst) {
        let text = format!("{writer}: {}", texts.len());
        let id = uuid::Uuid::new_v4().to_string();
        let form = [("message", text.as_str()), ("username", "Ann"), ("id", &id)];
        let request = browser.post(format!("http://{proxy}/harbour-{writer}/")).header("cookie", &cookie).form(&form);
        let answer = request.timeout(DEADLINE).send().await.expect("the proxy answers");
        assert_eq!(answer.status(), 303, "{text}: {}", answer.text().await.unwrap_or_default());
        texts.push(text);
        posted.fetch_add(1, Ordering::SeqCst);
    }
    texts
}

/// Kills one of two nodes again and again, while forms are posted.
async fn nodes_are_killed_and_every_form_is_answered(proxy: impl FnOnce(&[SocketAddr]) -> SocketAddr) {
    let site = Site::new(Database::Postgres).await;
    let ports = [free_port(), free_port()].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let mut nodes = ports.map(|addr| rolling::start(&site, addr));
    let proxy = proxy(&ports);
    eventually("the proxy knows its nodes", || async {
        let answer = reqwest::get(format!("http://{proxy}/readyz")).await.ok()?;
        (answer.status() == 200).then_some(())
    })
    .await;
    let (over, posted) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let cookie = http::identity(&nodes[0]).await;
        writers.push(tokio::spawn(post(proxy, writer, cookie, over.clone(), posted.clone())));
    }
    for kill in 0..KILLS {
        let enough = posted.load(Ordering::SeqCst) + 5 * WRITERS;
        eventually("forms are posted", || async { (posted.load(Ordering::SeqCst) >= enough).then_some(()) }).await;
        tokio::task::block_in_place(|| nodes[kill % 2].kill());
        let enough = posted.load(Ordering::SeqCst) + 5 * WRITERS;
        eventually("the other node answers", || async { (posted.load(Ordering::SeqCst) >= enough).then_some(()) })
            .await;
        nodes[kill % 2] = tokio::task::block_in_place(|| rolling::start(&site, ports[kill % 2]));
        let node = &nodes[kill % 2];
        eventually("the node is ready", || async { (http::readiness(node).await.0 == 200).then_some(()) }).await;
        // The proxy finds that out by itself.
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    }
    over.store(true, Ordering::SeqCst);
    for (writer, texts) in writers.into_iter().enumerate() {
        let texts = texts.await.expect("every form is answered");
        let stored = database::messages(&site.database_url, &format!("harbour-{writer}")).await;
        let stored: Vec<&str> = stored.iter().map(|row| row["message"].as_str().expect("text")).collect();
        let once: BTreeSet<&str> = stored.iter().copied().collect();
        assert_eq!(once.len(), stored.len(), "nothing is stored twice");
        assert!(texts.iter().all(|text| once.contains(text.as_str())), "everything is stored");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_nginx_a_form_outlives_its_node() {
    let mut kept = None;
    nodes_are_killed_and_every_form_is_answered(|nodes| kept.insert(Nginx::start(nodes)).addr).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_caddy_a_form_outlives_its_node() {
    if !caddy::sends_bodies_again() {
        eprintln!("this Caddy is older than 2.8, and passes a form to one node only");
        return;
    }
    let mut kept = None;
    nodes_are_killed_and_every_form_is_answered(|nodes| kept.insert(Caddy::start(nodes)).addr).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_caddy_rooms_are_live_and_metrics_are_not_shown() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let caddy = Caddy::start(&[server.addr]);
    let origin = format!("http://{}", caddy.addr);
    let mut ann = Door::of("harbour").header("origin", origin.as_str()).try_join(caddy.addr).await.expect("a socket");
    let mut bob = Client::join(&server, "harbour").await;
    assert_eq!(ann.say("a", "through the proxy").await["seq"], 1);
    bob.expect_message("through the proxy").await;
    let answer = reqwest::get(format!("{origin}/metrics")).await.expect("an answer");
    assert_eq!(answer.status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_sends_visitors_of_http_to_https() {
    let site = Site::new(Database::Sqlite).await.with_flags(&["--public-url", "https://chat.example"]);
    let server = site.start();
    let nginx = Nginx::start(&[server.addr]);
    let request = http::browser().get(format!("http://{}/harbour/?x=y", nginx.plain)).header("host", "chat.example");
    let answer = http::send(request).await;
    assert_eq!(answer.status, 301);
    assert_eq!(answer.location.as_deref(), Some("https://chat.example/harbour/?x=y"));
    // The listener that has TLS elsewhere is reached by http here, and the server is told so.
    let request = http::browser().get(format!("http://{}/harbour/", nginx.addr)).header("host", "chat.example");
    assert_eq!(http::send(request).await.location.as_deref(), Some("https://chat.example/harbour/"));
}

/// An event stream through a proxy, which must neither gather nor compress it.
async fn events_pass_as_they_come(proxy: impl FnOnce(&[SocketAddr]) -> SocketAddr) {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let url = format!("http://{}/harbour/events?after=0", proxy(&[server.addr]));
    let mut ann = Client::join(&server, "harbour").await;
    for format in [Format::EventStream, Format::JsonLines, Format::PlainText] {
        let headers = [("accept-encoding", "br, gzip")];
        let mut reader = EventReader::try_open(&url, format, &headers).await.expect("an answer").expect("a stream");
        assert_eq!(reader.header("content-encoding"), None);
        // Each event has to arrive while nothing follows it.
        for n in 0..3 {
            ann.say(&format!("{format:?}{n}"), "news").await;
            while reader.next().await.expect("an event").data["id"]
                .as_str()
                .is_none_or(|id| id != format!("{format:?}{n}"))
            {
                if format == Format::PlainText {
                    break;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_nginx_events_come_at_once() {
    let mut kept = None;
    events_pass_as_they_come(|nodes| kept.insert(Nginx::start(nodes)).addr).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_caddy_events_come_at_once() {
    let mut kept = None;
    events_pass_as_they_come(|nodes| kept.insert(Caddy::start(nodes)).addr).await;
}
