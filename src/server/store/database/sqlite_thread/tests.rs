//! Turns, jobs and transactions on the thread, and the types of what it reads.

use super::*;
use crate::server::store::Store;
use crate::server::store::entity::event::Kind;
use crate::server::store::entity::{deleted_room, event, name, pin, reaction, reaction_count, room, site, standing};
use sea_orm::{ActiveValue::Set, EntityTrait, IntoActiveModel};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::timeout;

/// Enough for a write to begin that nothing holds up.
const MOMENT: Duration = Duration::from_millis(100);

async fn store() -> (TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite://{}/parlour.db", directory.path().display())).await.unwrap();
    (directory, store)
}

fn row(name: &str) -> site::ActiveModel {
    site::ActiveModel { name: Set(name.to_owned()), value: Set(vec![1]) }
}

async fn is_stored(store: &Store, name: &str) -> bool {
    site::Entity::find_by_id(name).one(&store.reader).await.unwrap().is_some()
}

/// Stores a row, and then does something else.
struct Stores<F>(&'static str, F);

impl<F: Future<Output = ()> + Send + 'static> WriteJob for Stores<F> {
    type Output = ();

    async fn run(self, transaction: &impl ConnectionTrait) -> Result<(), StoreError> {
        site::Entity::insert(row(self.0)).exec_without_returning(transaction).await?;
        self.1.await;
        Ok(())
    }
}

#[tokio::test]
async fn the_writer_reads_every_column_as_the_readers_do() {
    async fn assert_alike<E: EntityTrait>(store: &Store, rows: Vec<E::Model>)
    where
        E::Model: Clone + PartialEq + IntoActiveModel<E::ActiveModel> + Sync,
    {
        for row in &rows {
            E::insert(row.clone().into_active_model()).exec_without_returning(&store.writer).await.unwrap();
        }
        let written = E::find().all(&store.writer).await.unwrap();
        assert!(written == E::find().all(&store.reader).await.unwrap(), "{written:?}");
        assert!(rows.iter().all(|row| written.contains(row)), "{written:?} {rows:?}");
        let transaction = store.begin().await.unwrap();
        assert!(E::find().all(&transaction).await.unwrap() == written);
    }

    let (_directory, store) = store().await;
    let room = |id, owner: Option<&[u8]>| room::Model {
        id,
        name: format!("room {id}"),
        epoch: "e".to_owned(),
        head: i64::MAX,
        last_at: i64::MIN,
        owner: owner.map(<[u8]>::to_vec),
        slow_mode: i32::MAX,
        locked: owner.is_some(),
        moderated: owner.is_none(),
        keep_days: owner.map(|_| 7),
        invitation: owner.map(|_| "key".to_owned()),
        title: owner.map(|_| "Title".to_owned()),
        title_seq: owner.map(|_| 3),
        title_by: owner.map(<[u8]>::to_vec),
        topic: None,
        topic_seq: owner.map(|_| i64::MAX),
        topic_by: None,
        retention: owner.map(|_| 30),
        annotated: owner.is_some(),
        erasures: 0,
    };
    assert_alike::<room::Entity>(&store, vec![room(1, None), room(-5, Some(&[0, 255]))]).await;
    let event = |seq, kind, target| event::Model {
        room_id: 1,
        seq,
        author: vec![0; 16],
        id: format!("id {seq}"),
        kind,
        at: 1_800_000_000_000,
        username: String::new(),
        target,
        text: "a\0b 🦀".to_owned(),
        edited_by: target,
        deleted_by: target,
    };
    let kinds = Kind::KNOWN.into_iter().chain([99, i16::MIN, i16::MAX].map(Kind::from));
    let events = (1..).zip(kinds).map(|(seq, kind)| event(seq, kind, Some(seq).filter(|seq| *seq > 1)));
    assert_alike::<event::Entity>(&store, events.collect()).await;
    let name = name::Model { room_id: 1, skeleton: "ann".to_owned(), author: Vec::new(), at: 0, username: None };
    assert_alike::<name::Entity>(&store, vec![name]).await;
    let standing = |author: u8, member| standing::Model {
        room_id: 1,
        author: vec![author; 16],
        member,
        muted_until: 1,
        banned_until: i64::MAX,
        spoke_at: -1,
    };
    assert_alike::<standing::Entity>(&store, vec![standing(1, true), standing(2, false)]).await;
    let reaction = reaction::Model {
        room_id: 1,
        target: 2,
        emoji: "🦀".to_owned(),
        author: vec![7; 16],
        username: String::new(),
        seq: i64::MAX,
        at: 0,
    };
    assert_alike::<reaction::Entity>(&store, vec![reaction]).await;
    let count =
        reaction_count::Model { room_id: 1, target: 2, emoji: "🦀".to_owned(), count: i32::MAX, first_seq: 3 };
    assert_alike::<reaction_count::Entity>(&store, vec![count]).await;
    assert_alike::<pin::Entity>(&store, vec![pin::Model { room_id: 1, seq: 2, at: -1, pinned_by: 3 }]).await;
    let value = (0..=255).collect();
    assert_alike::<site::Entity>(&store, vec![site::Model { name: "a".to_owned(), value }]).await;
    let deleted = deleted_room::Model { address: vec![1], times: 3 };
    assert_alike::<deleted_room::Entity>(&store, vec![deleted]).await;
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_job_that_fails_stores_nothing_and_holds_nobody_up() {
    let (_directory, store) = store().await;
    let waits = store.write(Stores("waits", std::future::pending())).await;
    assert!(matches!(waits, Err(StoreError::Database(_))), "{waits:?}");
    let panicking = store.clone();
    let panics = tokio::spawn(async move { panicking.write(Stores("panics", async { panic!("as expected") })).await });
    assert!(panics.await.unwrap_err().is_panic(), "the caller panics, as it would on its own thread");
    store.write(Stores("twice", async {})).await.unwrap();
    let twice = store.write(Stores("twice", async {})).await;
    assert!(twice.unwrap_err().to_string().contains("UNIQUE"));
    for (name, stored) in [("waits", false), ("panics", false), ("twice", true)] {
        assert_eq!(is_stored(&store, name).await, stored, "{name}");
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn writers_take_turns_also_with_one_who_leaves() {
    let (_directory, store) = store().await;
    let first = store.begin().await.unwrap();
    site::Entity::insert(row("first")).exec_without_returning(&first).await.unwrap();
    // These wait: nobody writes into the transaction of another.
    let mut job = Box::pin(store.write(Stores("job", async {})));
    let mut statement = Box::pin(site::Entity::insert(row("statement")).exec_without_returning(&store.writer));
    assert!(timeout(MOMENT, &mut job).await.is_err() && timeout(MOMENT, &mut statement).await.is_err());
    drop(first);
    job.await.unwrap();
    statement.await.unwrap();
    // Whoever is cancelled while waiting writes nothing.
    let second = store.begin().await.unwrap();
    assert!(timeout(MOMENT, store.write(Stores("cancelled", async {}))).await.is_err());
    assert!(timeout(MOMENT, store.begin()).await.is_err());
    site::Entity::insert(row("second")).exec_without_returning(&second).await.unwrap();
    second.commit().await.unwrap();
    store.write(Stores("last", async {})).await.unwrap();
    let expected =
        [("first", false), ("job", true), ("statement", true), ("cancelled", false), ("second", true), ("last", true)];
    for (name, stored) in expected {
        assert_eq!(is_stored(&store, name).await, stored, "{name}");
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_cancelled_commit_is_stored_or_not_and_ends() {
    let (_directory, store) = store().await;
    for number in 0..50_u32 {
        let transaction = store.begin().await.unwrap();
        let name = format!("row {number}");
        site::Entity::insert(row(&name)).exec_without_returning(&transaction).await.unwrap();
        let _ = timeout(Duration::from_micros(u64::from(number % 10) * 20), transaction.commit()).await;
        // A write after it is stored, and not into a transaction that nobody commits.
        let next = format!("next {number}");
        site::Entity::insert(row(&next)).exec_without_returning(&store.writer).await.unwrap();
        assert!(is_stored(&store, &next).await, "{number}");
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn closing_waits_for_a_transaction_and_ends_the_rest() {
    let (directory, store) = store().await;
    let transaction = store.begin().await.unwrap();
    site::Entity::insert(row("kept")).exec_without_returning(&transaction).await.unwrap();
    let mut closing = tokio::spawn(store.clone().close());
    assert!(timeout(MOMENT, &mut closing).await.is_err());
    transaction.commit().await.unwrap();
    closing.await.unwrap().unwrap();
    assert!(store.begin().await.is_err() && store.write(Stores("late", async {})).await.is_err());
    store.close().await.expect("closed already");
    assert!(!directory.path().join("parlour.db-wal").exists(), "the log is merged into the file");
    let store = Store::open(&format!("sqlite://{}/parlour.db", directory.path().display())).await.unwrap();
    assert!(is_stored(&store, "kept").await && !is_stored(&store, "late").await);
}
