//! Two nodes behind a proxy are restarted one after the other, with people inside: nobody loses anything, and nobody
//! is shown an error.

use crate::load::{Addresses, Crowd};
use crate::promise::is_kept;
use crate::support::nginx::Nginx;
use crate::support::process::free_port;
use crate::support::redis::Redis;
use crate::support::server::executable;
use crate::support::{DEADLINE, Database, Server, Site, eventually, http, scratch};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A node that comes back where it was.
fn start(site: &Site, addr: SocketAddr) -> Server {
    let directory = scratch::directory("node");
    let mut command = executable(&directory);
    command.args(site.arguments()).args(["--addr", &addr.to_string()]);
    Server::listening(command, &directory).unwrap_or_else(|said| panic!("the node does not start: {said}"))
}

/// Loads a page again and again, and says how often; every answer is the page.
async fn visit(proxy: SocketAddr, over: Arc<AtomicBool>) -> usize {
    let browser = http::browser();
    let mut visits = 0;
    while !over.load(Ordering::SeqCst) {
        let answer = browser.get(format!("http://{proxy}/harbour/")).timeout(DEADLINE).send().await;
        let answer = answer.expect("the proxy answers");
        assert_eq!(answer.status(), 200, "{answer:?}");
        visits += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    visits
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_behind_a_proxy_are_restarted_and_nobody_loses_anything() {
    let redis = tokio::task::spawn_blocking(Redis::start).await.expect("Redis");
    let site = Site::new(Database::Postgres).await.with_redis(redis.url());
    let ports = [free_port(), free_port()].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let mut nodes = ports.map(|addr| start(&site, addr));
    let proxy = Nginx::start(&ports);

    let addresses: Addresses = Arc::new(Mutex::new(vec![proxy.addr]));
    let crowd = Crowd::enter(&nodes[0], &addresses, 6, 6).await;
    let over = Arc::new(AtomicBool::new(false));
    let visitor = tokio::spawn(visit(proxy.addr, over.clone()));
    for n in [0, 1, 0] {
        tokio::time::sleep(Duration::from_millis(500)).await;
        nodes[n].terminate();
        let ended = tokio::task::block_in_place(|| nodes[n].wait(DEADLINE)).expect("it drains and ends");
        assert!(ended.success(), "{ended}");
        nodes[n] = start(&site, ports[n]);
        eventually("the node is ready", || async { (http::readiness(&nodes[n]).await.0 == 200).then_some(()) }).await;
        // The proxy leaves a node alone for two seconds that did not answer.
        tokio::time::sleep(Duration::from_millis(2500)).await;
    }
    over.store(true, Ordering::SeqCst);
    assert!(visitor.await.expect("every visit is answered") > 50);
    is_kept(&site, crowd, 100).await;
}
