//! A client that does not read harms no other client. It still receives everything, or is told to reconnect.

use crate::support::host::on_each_database;
use crate::support::{Client, Door, Site};
use std::time::{Duration, Instant};

on_each_database!(a_slow_reader_does_not_hold_up_the_room, a_client_that_does_not_read_is_still_heard);

const MESSAGES: i64 = 5000;

/// After so long without taking anything a reader is put out.
const STUCK: Duration = Duration::from_secs(30);

async fn a_slow_reader_does_not_hold_up_the_room(site: Site) {
    let server = site.start();
    let text = "x".repeat(2000);
    let mut slow = Door::of("harbour").receive_buffer(4096).join(&server).await;
    let mut readers = Vec::new();
    for _ in 0..3 {
        let mut reader = Client::join(&server, "harbour").await;
        readers.push(tokio::spawn(async move {
            for seq in 1..=MESSAGES {
                assert_eq!(reader.expect("message").await["seq"], seq);
            }
        }));
    }
    let mut writer = Client::join(&server, "harbour").await;
    let since = Instant::now();
    for n in 1..=MESSAGES {
        writer.post(&n.to_string(), &text).await;
        if n % 100 == 0 {
            writer.answer_to(&n.to_string()).await;
        }
    }
    for reader in readers {
        reader.await.expect("the others hear everything, in order");
    }

    let mut last = 0;
    while let Some(frame) = slow.next_frame().await {
        if let Some(seq) = frame["seq"].as_i64() {
            assert_eq!(seq, last + 1, "nothing is left out");
            last = seq;
        }
        if last == MESSAGES {
            return;
        }
    }
    // The close frame is queued behind the unread data, and the server does not wait until the client has read it.
    let was_stuck = slow.closed.is_none() && since.elapsed() >= STUCK;
    assert!(slow.closed == Some(4001) || was_stuck, "closed after {last}: {:?}", slow.closed);
    let mut again = Door::of("harbour").after(MESSAGES - 1000).join(&server).await;
    assert_eq!(again.expect("message").await["seq"], MESSAGES - 999);
}

/// If the server stopped reading while it cannot write, both could wait for each other: the kernel drops
/// acknowledgments that come with data for which it has no memory left.
async fn a_client_that_does_not_read_is_still_heard(site: Site) {
    let server = site.start();
    let mut slow = Door::of("harbour").receive_buffer(4096).join(&server).await;
    let mut writer = Client::join(&server, "harbour").await;
    for n in 1..=200 {
        writer.say(&n.to_string(), &"x".repeat(2000)).await;
    }
    for n in 0..50 {
        slow.post(&format!("slow-{n}"), &format!("word {n}")).await;
        writer.expect_message(&format!("word {n}")).await;
    }
}
