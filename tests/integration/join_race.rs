//! Joining while others post: between the page and the socket no event is lost or repeated.

use crate::support::host::on_each_database;
use crate::support::page::Page;
use crate::support::{Client, Door, Site};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

on_each_database!(a_join_during_writes_misses_no_event);

const COME_IN: usize = 8;
const TIMES: usize = 8;

/// Number of new events that each client follows.
const FOLLOW: i64 = 20;

async fn a_join_during_writes_misses_no_event(site: Site) {
    let server = Arc::new(site.start());
    let over = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for n in 0..3 {
        let mut client = Client::join(&server, "harbour").await;
        let over = over.clone();
        writers.push(tokio::spawn(async move {
            let mut said = 0;
            while !over.load(Ordering::Relaxed) {
                client.say(&format!("{n}-{said}"), "x").await;
                said += 1;
            }
        }));
    }
    let mut newcomers = Vec::new();
    for _ in 0..COME_IN {
        let server = server.clone();
        newcomers.push(tokio::spawn(async move {
            for _ in 0..TIMES {
                let page = Page::of(&server, "harbour").await;
                let numbers = page.numbers();
                let last = numbers.last().copied().unwrap_or_default();
                assert_eq!(numbers, (last - numbers.len() as i64 + 1..=last).collect::<Vec<_>>());
                let door = Door::of("harbour").after(last).epoch(&page.list["data-epoch"]);
                let mut client = door.join(&server).await;
                for seq in last + 1..=last + FOLLOW {
                    assert_eq!(client.expect("message").await["seq"], seq, "after {last}");
                }
            }
        }));
    }
    for newcomer in newcomers {
        newcomer.await.expect("no gap, no repetition");
    }
    over.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.expect("a writer");
    }
}
