//! The log keeps its guarantees, whatever is killed: the clients' actions and observations are checked against the log.

use crate::checker::History;
use crate::fan_out_load::{Addresses, Crowd, ROOM, random};
use crate::support::faults::{Fault, Faults};
use crate::support::host::on_each_database;
use crate::support::postgres::Cluster;
use crate::support::redis::Redis;
use crate::support::{Client, DEADLINE, Database, Server, Site, database};
use std::sync::{Arc, Mutex};
use std::time::Duration;

on_each_database!(the_promise_is_kept_through_kill_9);

/// How often something is broken in one test.
const BREAKS: usize = 5;

pub fn addresses(servers: &[Server]) -> Addresses {
    Arc::new(Mutex::new(servers.iter().map(|server| server.addr).collect()))
}

async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(300 + random(500))).await;
}

/// A moment in which people can talk, and do.
async fn talk(crowd: &Crowd) {
    a_moment().await;
    crowd.goes_on().await;
}

/// Kills a server and starts it again, somewhere else.
fn replace(site: &Site, servers: &mut [Server], addresses: &Addresses, index: usize) {
    servers[index].kill();
    servers[index] = site.start();
    addresses.lock().expect("nobody panics here")[index] = servers[index].addr;
}

pub async fn is_kept(site: &Site, crowd: Crowd, at_least: usize) -> History {
    let history = crowd.leave(|| database::messages(&site.database_url, ROOM)).await;
    assert!(history.log.len() >= at_least, "{} messages are no load", history.log.len());
    if let Err(violation) = history.check() {
        panic!("{violation:?}\n{history:#?}");
    }
    history
}

async fn the_promise_is_kept_through_kill_9(site: Site) {
    let mut servers = [site.start()];
    let addresses = addresses(&servers);
    let crowd = Crowd::enter(&servers[0], &addresses, 6, 4).await;
    for _ in 0..BREAKS {
        talk(&crowd).await;
        replace(&site, &mut servers, &addresses, 0);
    }
    talk(&crowd).await;
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
        talk(&crowd).await;
        redis.kill();
        talk(&crowd).await;
        replace(&site, &mut servers, &addresses, n % 2);
        talk(&crowd).await;
        redis.restart();
        talk(&crowd).await;
        redis.freeze();
        talk(&crowd).await;
        redis.thaw();
    }
    talk(&crowd).await;
    is_kept(&site, crowd, 100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_promise_is_kept_while_postgresql_crashes() {
    let mut cluster = tokio::task::spawn_blocking(Cluster::start).await.expect("a cluster");
    let site = Site::in_cluster(&cluster);
    let servers = [site.start()];
    let crowd = Crowd::enter(&servers[0], &addresses(&servers), 6, 4).await;
    for _ in 0..3 {
        talk(&crowd).await;
        cluster.restart();
        talk(&crowd).await;
    }
    is_kept(&site, crowd, 50).await;
    // The same server goes on.
    Client::join(&servers[0], ROOM).await.say("after", "after").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_promise_is_kept_while_the_disk_fails() {
    let disk = Faults::none();
    let site = Site::new(Database::Sqlite).await;
    let mut servers = [site.start_with(&disk)];
    let addresses = addresses(&servers);
    let crowd = Crowd::enter(&servers[0], &addresses, 6, 4).await;
    for fault in [Fault::SyncWaits, Fault::Full, Fault::SyncFails, Fault::SyncFails] {
        talk(&crowd).await;
        disk.begin(fault);
        if fault == Fault::SyncFails {
            let status = servers[0].wait(DEADLINE).expect("the server ends");
            assert_eq!(status.code(), Some(74), "{status}");
            disk.end(fault);
            servers[0] = site.start_with(&disk);
            addresses.lock().expect("nobody panics here")[0] = servers[0].addr;
        } else {
            a_moment().await;
            disk.end(fault);
        }
    }
    talk(&crowd).await;
    is_kept(&site, crowd, 50).await;
}
