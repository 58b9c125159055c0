//! The log keeps its promise, whatever is killed: what clients did and saw is held against the log.

use crate::load::{Addresses, Crowd, ROOM, random};
use crate::support::host::on_each_database;
use crate::support::redis::Redis;
use crate::support::{Database, Server, Site, database};
use std::sync::{Arc, Mutex};
use std::time::Duration;

on_each_database!(the_promise_is_kept_through_kill_9);

/// How often something is broken in one test.
const BREAKS: usize = 5;

fn addresses(servers: &[Server]) -> Addresses {
    Arc::new(Mutex::new(servers.iter().map(|server| server.addr).collect()))
}

/// A moment in which people talk.
async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(300 + random(500))).await;
}

/// Kills a server and starts it again, somewhere else.
fn replace(site: &Site, servers: &mut [Server], addresses: &Addresses, index: usize) {
    servers[index].kill();
    servers[index] = site.start();
    addresses.lock().expect("nobody panics here")[index] = servers[index].addr;
}

async fn is_kept(site: &Site, crowd: Crowd, at_least: usize) {
    let history = crowd.leave(|| database::messages(&site.database_url, ROOM)).await;
    assert!(history.log.len() >= at_least, "{} messages are no load", history.log.len());
    if let Err(violation) = history.check() {
        panic!("{violation:?}\n{history:#?}");
    }
}

async fn the_promise_is_kept_through_kill_9(site: Site) {
    let mut servers = [site.start()];
    let addresses = addresses(&servers);
    let crowd = Crowd::enter(&servers[0], &addresses, 6, 4).await;
    for _ in 0..BREAKS {
        a_moment().await;
        replace(&site, &mut servers, &addresses, 0);
    }
    a_moment().await;
    is_kept(&site, crowd, 50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_promise_is_kept_by_two_servers_while_redis_and_they_are_killed() {
    let mut redis = tokio::task::spawn_blocking(Redis::start).await.expect("Redis");
    let site = Site::new(Database::Postgres).await.with_redis(redis.url());
    let mut servers = [site.start(), site.start()];
    let addresses = addresses(&servers);
    let crowd = Crowd::enter(&servers[0], &addresses, 6, 6).await;
    for n in 0..BREAKS {
        a_moment().await;
        redis.kill();
        a_moment().await;
        replace(&site, &mut servers, &addresses, n % 2);
        a_moment().await;
        redis.restart();
        a_moment().await;
        redis.freeze();
        a_moment().await;
        redis.thaw();
    }
    a_moment().await;
    is_kept(&site, crowd, 100).await;
}
