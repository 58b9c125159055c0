//! Rolling restart of two nodes behind a proxy, with clients connected who talk, reply, react and pin: no event is lost,
//! no visitor sees an error, and every node reads the room alike.

use crate::annotated_log::assert_read_alike;
use crate::conversation::{ACT, Conversation};
use crate::fan_out_load::{Addresses, Crowd, ROOM};
use crate::support::nginx::Nginx;
use crate::support::process::free_port;
use crate::support::redis::Redis;
use crate::support::server::executable;
use crate::support::{DEADLINE, Database, Server, Site, database, eventually, http, tempdir};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A node that comes back where it was.
pub fn start(site: &Site, addr: SocketAddr) -> Server {
    let directory = tempdir::directory("node");
    let mut command = executable(&directory);
    command.args(site.arguments()).args(["--addr", &addr.to_string()]);
    Server::listening(command, &directory).unwrap_or_else(|said| panic!("the node does not start: {said}"))
}

/// A visitor who reloads a page until told to stop, with the number of loads.
#[derive(Default)]
struct Visitor {
    visits: AtomicUsize,
    over: AtomicBool,
}

impl Visitor {
    /// Reloads the page repeatedly. Every response must be the page.
    async fn visit(&self, proxy: SocketAddr) {
        let browser = http::browser();
        while !self.over.load(Ordering::SeqCst) {
            let answer = browser.get(format!("http://{proxy}/harbour/")).timeout(DEADLINE).send().await;
            let answer = answer.expect("the proxy answers");
            assert_eq!(answer.status(), 200, "{answer:?}");
            self.visits.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Returns after some more visits.
    async fn go_on(&self) {
        let enough = self.visits.load(Ordering::SeqCst) + 10;
        let seen = || async { (self.visits.load(Ordering::SeqCst) >= enough).then_some(()) };
        eventually("the page is loaded", seen).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_behind_a_proxy_are_restarted_and_nobody_loses_anything() {
    let redis = tokio::task::spawn_blocking(Redis::start).await.expect("Redis");
    let site = Site::new(Database::Postgres).await.with_redis(redis.url());
    let ports = [free_port(), free_port()].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let mut nodes = ports.map(|addr| start(&site, addr));
    let proxy = Nginx::start(&ports);

    let addresses: Addresses = Arc::new(Mutex::new(vec![proxy.addr]));
    let conversation = Conversation::begin(&nodes[0]).await;
    let mut crowd = Crowd::enter(&nodes[0], &addresses, 3, 6).await;
    conversation.join(&mut crowd, &nodes[0], 4, &addresses).await;
    let visitor = Arc::new(Visitor::default());
    let visits = tokio::spawn({
        let visitor = visitor.clone();
        async move { visitor.visit(proxy.addr).await }
    });
    for (round, n) in [0, 1, 0].into_iter().enumerate() {
        visitor.go_on().await;
        crowd.goes_on().await;
        // A node of a later release is in the site already.
        crowd.append_unknown(&site, &format!("before-{round}")).await;
        nodes[n].terminate();
        let ended = tokio::task::block_in_place(|| nodes[n].wait(DEADLINE)).expect("it drains and ends");
        assert!(ended.success(), "{ended}");
        visitor.go_on().await;
        crowd.append_unknown(&site, &format!("during-{round}")).await;
        nodes[n] = start(&site, ports[n]);
        eventually("the node is ready", || async { (http::readiness(&nodes[n]).await.0 == 200).then_some(()) }).await;
    }
    visitor.over.store(true, Ordering::SeqCst);
    visits.await.expect("every visit is answered");
    // Readers receive no text with a reaction or a pin.
    let stored = async || {
        let mut log = database::messages(&site.database_url, ROOM).await;
        let acts = log.iter_mut().filter(|event| event["id"].as_str().expect("an id").starts_with(ACT));
        acts.for_each(|event| event["message"] = json!(""));
        log
    };
    let history = crowd.leave(stored).await;
    assert!(history.log.len() >= 100, "{} events are no load", history.log.len());
    if let Err(violation) = history.check() {
        panic!("{violation:?}\n{history:#?}");
    }
    let state = assert_read_alike(&site, &[&nodes[0], &nodes[1]], ROOM).await;
    assert!(state.messages.values().any(|message| message.reply_to.is_some() && !message.mentions.is_empty()));
    let unknown = history.log.iter().filter(|entry| entry.id.starts_with("before-") || entry.id.starts_with("during-"));
    assert_eq!(unknown.count(), 6);
}
