//! Concurrent readers share one read per block, and blocks are evicted when they expire.

use super::*;
use crate::domain::{EventId, MessageText, RoomName, Username};
use crate::protocol::ServerFrame;
use crate::server::auth::identity::{AuthorId, IdentitySigner};
use crate::server::store::{AppendRequest, Locking, NewEvent};
use std::num::NonZeroU32;

struct Log {
    _directory: tempfile::TempDir,
    backfill_cache: BackfillCache,
    room: i64,
    author: AuthorId,
}

impl Log {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/parlour.db", directory.path().display())).await.unwrap();
        let room = store.create_room(&RoomName::parse("harbour").unwrap()).await.unwrap().room.id;
        Self {
            _directory: directory,
            backfill_cache: BackfillCache::new(store, Arc::new(Reconciliation::new())),
            room,
            author: IdentitySigner::guest(),
        }
    }

    async fn append(&self, id: &str, new_event: NewEvent) {
        let entry = AppendRequest {
            room_id: self.room,
            author: self.author,
            begins: None,
            id: EventId::parse(id).unwrap(),
            new_event,
        };
        self.backfill_cache.store.append(&[entry], Locking::Wait).await.unwrap();
    }

    async fn say(&self, count: usize, text: &str) {
        let message = |n| AppendRequest {
            begins: None,
            room_id: self.room,
            author: self.author,
            id: EventId::parse(&format!("{n}-{}", text.len())).unwrap(),
            new_event: NewEvent::message(Username::anonymous(), MessageText::parse(text).unwrap()),
        };
        self.backfill_cache.store.append(&(0..count).map(message).collect::<Vec<_>>(), Locking::Wait).await.unwrap();
    }

    async fn numbers(&self, after: Seq) -> Vec<Seq> {
        let frames = self.backfill_cache.read(self.room, after).await.unwrap();
        frames.iter().map(|frame| ServerFrame::parse(frame.text()).unwrap().into_event().unwrap().seq).collect()
    }

    /// Returns the number of reads that were started.
    fn reads(&self) -> u64 {
        lock(&self.backfill_cache.cached).number
    }

    fn kept(&self) -> usize {
        lock(&self.backfill_cache.cached).bytes
    }
}

#[test]
fn a_turn_is_some_of_a_block_and_at_least_one_event() {
    let block: EventBlock = [9, MAX_BATCH_BYTES, 9, 9].map(|length| TextFrame::new(&"x".repeat(length))).into();
    let some = |start, after| block_slice(&block, start, after).map(|some| some.len());
    assert_eq!([0, 1, 2, 3].map(|after| some(0, after)), [Some(1), Some(1), Some(2), Some(1)]);
    assert_eq!((some(64, 66), some(0, 4), some(0, 9), some(9, 0)), (Some(2), None, None, None));
}

#[tokio::test]
async fn concurrent_readers_of_a_block_share_one_query() {
    let log = Log::new().await;
    log.say(200, "x").await;
    // The readers are at different positions in the same block.
    let readers = (64..128).map(|after| log.numbers(after));
    for (after, numbers) in (64..).zip(futures_util::future::join_all(readers).await) {
        assert_eq!(numbers, (after + 1..=128).collect::<Vec<_>>());
    }
    assert_eq!(log.reads(), 1);
    assert_eq!(log.numbers(128).await.len(), 64);
    assert_eq!(log.reads(), 2);
}

#[tokio::test]
async fn long_messages_are_taken_a_few_at_a_time() {
    let log = Log::new().await;
    log.say(64, &"é".repeat(4000)).await;
    let mut read = Vec::new();
    while read.len() < 64 {
        let numbers = log.numbers(read.len() as Seq).await;
        assert!((1..=MAX_BATCH_BYTES / 8000).contains(&numbers.len()), "{numbers:?}");
        read.extend(numbers);
    }
    assert_eq!((read, log.reads()), ((1..=64).collect(), 1));
}

#[tokio::test]
async fn events_after_a_cached_block_are_read() {
    let log = Log::new().await;
    log.say(2, "first").await;
    assert_eq!(log.numbers(0).await, [1, 2]);
    log.say(2, "another").await;
    assert_eq!(log.numbers(2).await, [3, 4]);
    assert!(matches!(log.backfill_cache.read(log.room, 4).await, Err(BackfillError::Purged)), "there is no such event");
}

#[tokio::test]
async fn a_log_that_begins_later_is_read_from_where_it_begins() {
    let log = Log::new().await;
    log.say(20, "x").await;
    let store = &log.backfill_cache.store;
    store.age(log.room, 5).await;
    for keeping in store.rooms_with_retention(i64::MIN, NonZeroU32::new(7)).await.unwrap() {
        store.purge_expired(keeping).await.unwrap();
    }
    assert!(matches!(log.backfill_cache.read(log.room, 3).await, Err(BackfillError::Purged)));
    assert_eq!(log.numbers(5).await[0], 6);
}

#[tokio::test]
async fn a_removed_event_is_no_longer_delivered() {
    let log = Log::new().await;
    log.say(3, "secret").await;
    let frames = log.backfill_cache.read(log.room, 0).await.unwrap();
    assert!(frames[1].text().contains("secret"));
    log.append("away", NewEvent::Delete { target: 2 }).await;
    log.backfill_cache.evict_room(log.room);
    assert_eq!(log.kept(), 0);
    let frames = log.backfill_cache.read(log.room, 0).await.unwrap();
    assert!(frames[0].text().contains("secret") && !frames[1].text().contains("secret"));
}

#[tokio::test]
async fn nothing_is_kept_for_long_and_never_too_much() {
    let log = Log::new().await;
    log.say(2, "x").await;
    log.numbers(0).await;
    assert!(log.kept() > 0);
    let large = || -> EventBlock { [TextFrame::new(&"x".repeat(MAX_BACKFILL_BYTES / 4))].into() };
    for room in 1..=8 {
        let cached = &mut *lock(&log.backfill_cache.cached);
        cached.put((-room, 0), large());
        cached.put((-room, 0), large());
        assert!(
            cached.bytes <= MAX_BACKFILL_BYTES
                && cached.bytes == cached.kept.values().map(|it| size(&it.block)).sum::<usize>()
        );
        assert!(cached.kept.contains_key(&(-room, 0)), "the newest stays");
    }
    while log.kept() > 0 {
        tokio::time::sleep(BLOCK_TTL / 10).await;
    }
    assert!(!lock(&log.backfill_cache.cached).is_swept, "nobody looks where nothing is");
}
