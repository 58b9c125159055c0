//! The long run, `make chaos`: random faults of every kind, on both databases at once, for CHAOS_SECONDS. Then the
//! delivery guarantees are checked. CHAOS_SEED repeats the choice of faults, but not their timing.

use crate::durability::{addresses, is_kept};
use crate::fan_out_load::{Addresses, Crowd, ROOM, STREAM_READERS};
use crate::support::faults::{Fault, Faults};
use crate::support::postgres::Cluster;
use crate::support::redis::Redis;
use crate::support::{Client, DEADLINE, Database, Door, Server, Site, database};
use std::time::{Duration, Instant};

/// Counts of injected faults and of their results.
#[derive(Debug, Default)]
struct Counts {
    kills: usize,
    outages: usize,
    acknowledged: usize,
    read: usize,
    /// Of these, the frames that were read by HTTP.
    streamed: usize,
}

/// Chooses; the same numbers for the same seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    /// Some time up to `most` milliseconds.
    async fn while_up_to(&mut self, most: u64) {
        tokio::time::sleep(Duration::from_millis(50 + self.below(most))).await;
    }
}

fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}={value} is not a number")))
}

#[test]
#[ignore = "make chaos"]
fn chaos() {
    let seconds = setting("CHAOS_SECONDS").unwrap_or(300);
    let seed = setting("CHAOS_SEED").unwrap_or_else(|| crate::fan_out_load::random(1_000_000));
    println!("chaos: {seconds} s, CHAOS_SEED={seed}");
    let end = Instant::now() + Duration::from_secs(seconds);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(6).enable_all().build();
    let (sqlite, postgres) = runtime.expect("a runtime").block_on(async {
        let sqlite = tokio::spawn(on_sqlite(end, Dice(seed)));
        let postgres = tokio::spawn(on_postgres(end, Dice(!seed)));
        (sqlite.await.expect("SQLite"), postgres.await.expect("PostgreSQL"))
    });
    for (name, counts) in [("SQLite", &sqlite), ("PostgreSQL, two servers, Redis", &postgres)] {
        let Counts { kills, outages, acknowledged, read, streamed } = counts;
        println!(
            "{name}: {kills} kills, {outages} outages, {acknowledged} messages acknowledged, {read} frames read ({streamed} by HTTP), violations 0"
        );
    }
}

/// Starts a server again that has ended, and says where.
fn come_back(servers: &mut [Server], addresses: &Addresses, index: usize, start: impl FnOnce() -> Server) {
    servers[index] = start();
    addresses.lock().expect("nobody panics here")[index] = servers[index].addr;
}

async fn counted(site: &Site, crowd: Crowd, counts: &mut Counts) {
    let history = is_kept(site, crowd, 1).await;
    counts.acknowledged = history.posts.iter().filter(|post| post.acknowledged.is_some()).count();
    counts.read = history.views.iter().map(|view| view.seen.len()).sum();
    counts.streamed = history.views.iter().rev().take(STREAM_READERS).map(|view| view.seen.len()).sum();
}

async fn on_sqlite(end: Instant, mut dice: Dice) -> Counts {
    let mut counts = Counts::default();
    let disk = Faults::none();
    let site = Site::new(Database::Sqlite).await;
    let mut servers = [site.start_with(&disk)];
    let addresses = addresses(&servers);
    let crowd = Crowd::enter(&servers[0], &addresses, 6, 5).await;
    while Instant::now() < end {
        dice.while_up_to(1000).await;
        let choice = dice.below(7);
        match choice {
            // Killed, perhaps while it syncs.
            0..=2 => {
                if choice == 2 {
                    disk.begin(Fault::SyncWaits);
                    dice.while_up_to(300).await;
                }
                servers[0].kill();
                if choice == 2 {
                    disk.end(Fault::SyncWaits);
                }
                come_back(&mut servers, &addresses, 0, || site.start_with(&disk));
                counts.kills += 1;
            }
            3 => {
                disk.begin(Fault::SyncFails);
                let status = servers[0].wait(DEADLINE).expect("the server ends");
                assert_eq!(status.code(), Some(74), "{status}");
                disk.end(Fault::SyncFails);
                come_back(&mut servers, &addresses, 0, || site.start_with(&disk));
                counts.outages += 1;
            }
            4 | 5 => {
                let fault = if choice == 4 { Fault::Full } else { Fault::SyncWaits };
                disk.begin(fault);
                dice.while_up_to(3000).await;
                disk.end(fault);
                counts.outages += 1;
            }
            _ => {
                servers[0].stop();
                come_back(&mut servers, &addresses, 0, || site.start_with(&disk));
                counts.outages += 1;
            }
        }
    }
    counted(&site, crowd, &mut counts).await;
    counts
}

async fn on_postgres(end: Instant, mut dice: Dice) -> Counts {
    let mut counts = Counts::default();
    let mut cluster = Cluster::start();
    let mut redis = Redis::start();
    let site = Site::in_cluster(&cluster).with_redis(redis.url());
    let mut servers = [site.start(), site.start()];
    let addresses = addresses(&servers);
    let crowd = Crowd::enter(&servers[0], &addresses, 6, 6).await;
    while Instant::now() < end {
        dice.while_up_to(1000).await;
        let index = dice.below(2) as usize;
        match dice.below(12) {
            0 | 1 => {
                servers[index].kill();
                come_back(&mut servers, &addresses, index, || site.start());
                counts.kills += 1;
                continue;
            }
            2 => {
                servers[index].stop();
                come_back(&mut servers, &addresses, index, || site.start());
            }
            3 => {
                servers[index].signal("STOP");
                dice.while_up_to(800).await;
                servers[index].signal("CONT");
            }
            4 => cluster.restart(),
            5 => {
                let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
                database::execute(&site.database_url, end).await;
            }
            6 => {
                let held = database::hold_room(&site.database_url, ROOM).await;
                dice.while_up_to(5000).await;
                held.release().await;
            }
            7 => {
                redis.kill();
                dice.while_up_to(3000).await;
                redis.restart();
            }
            8 => {
                redis.freeze();
                dice.while_up_to(4000).await;
                redis.thaw();
            }
            9 => redis.tell(&["FLUSHALL"]).await,
            10 => redis.tell(&["CLIENT", "KILL", "TYPE", "pubsub"]).await,
            _ => {
                redis.tell(&["CONFIG", "SET", "client-output-buffer-limit", "pubsub 1 1 1"]).await;
                dice.while_up_to(3000).await;
                redis.tell(&["CONFIG", "SET", "client-output-buffer-limit", "pubsub 32mb 8mb 60"]).await;
            }
        }
        counts.outages += 1;
    }
    counted(&site, crowd, &mut counts).await;
    counts
}

/// Takes its thirty seconds, and therefore belongs to the long run.
#[tokio::test]
#[ignore = "make chaos"]
async fn chaos_a_reader_that_takes_nothing_is_put_out() {
    let site = Site::new(Database::Sqlite).await;
    let server = site.start();
    let mut observer = Client::join(&server, ROOM).await;
    let mut writer = Client::join(&server, ROOM).await;
    let mut slow = Door::of(ROOM).username("Slow").receive_buffer(4096).join(&server).await;
    let is_there = |frame: &serde_json::Value| frame["type"] == "presence" && frame.to_string().contains("Slow");
    while !is_there(&observer.next_frame().await.expect("a frame")) {}
    let text = "x".repeat(4000);
    for n in 0..1000 {
        writer.say(&n.to_string(), &text).await;
        observer.until(|frame| frame["type"] == "message").await;
    }
    let resident = server.resident();
    let since = Instant::now();
    let mut there = true;
    let mut said = 1000;
    while there {
        assert!(since.elapsed() < Duration::from_secs(75), "it is still there");
        for _ in 0..20 {
            writer.say(&said.to_string(), &text).await;
            said += 1;
        }
        let mut heard = 0;
        while heard < 20 {
            let frame = observer.next_frame().await.expect("the room goes on");
            heard += usize::from(frame["type"] == "message");
            there &= frame["type"] != "presence" || is_there(&frame);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(server.resident() < resident + (64 << 10), "{resident} KiB became {} KiB", server.resident());
    let mut last = 0;
    while let Some(frame) = slow.next_frame().await {
        if let Some(seq) = frame["seq"].as_i64() {
            assert_eq!(seq, last + 1, "nothing is left out");
            last = seq;
        }
    }
    assert!(slow.closed.is_none_or(|code| code == 4001), "{:?}", slow.closed);
    println!("put out {:?} after it took nothing more; it has {last} of {said} messages", since.elapsed());
}
