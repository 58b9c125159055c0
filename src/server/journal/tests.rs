//! Guarantees of the journal to senders, even if a batch fails.

use super::*;
use crate::domain::{EventId, MessageText, RejectionCode, RoomName, Username};
use crate::server::auth::identity::{AuthorId, IdentitySigner};
use crate::server::store::{NewEvent, RoomRef};

/// The text of an entry whose batch panics.
const PANIC: &str = "panic, please";

pub(super) fn panic_if_asked(entries: &[AppendRequest]) {
    let asks =
        |entry: &AppendRequest| matches!(&entry.new_event, NewEvent::Message { text, .. } if text.as_str() == PANIC);
    assert!(!entries.iter().any(asks), "as asked");
}

struct Place {
    journal: Journal,
    writer: JoinHandle<()>,
    room: RoomRef,
    other: RoomRef,
    _directory: tempfile::TempDir,
}

async fn place() -> Place {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite://{}/parlour.db", directory.path().display())).await.unwrap();
    let (hub, _changes) = Hub::new(store.clone());
    let room = store.create_room(&RoomName::parse("harbour").unwrap()).await.unwrap().room;
    let other = store.create_room(&RoomName::parse("tavern").unwrap()).await.unwrap().room;
    let (journal, writer) = Journal::start(store, hub, Relay::disabled(), Health::default());
    Place { journal, writer, room, other, _directory: directory }
}

fn entry(room: &RoomRef, author: AuthorId, id: &str, text: &str) -> AppendRequest {
    let new_event = NewEvent::message(Username::anonymous(), MessageText::parse(text).unwrap());
    AppendRequest { room_id: room.id, begins: None, author, id: EventId::parse(id).unwrap(), new_event }
}

fn code(outcome: &SubmitResult) -> Option<RejectionCode> {
    outcome.as_ref().err().map(|rejection| rejection.code)
}

#[tokio::test]
async fn a_batch_that_panics_is_answered_and_its_room_is_written_again() {
    let Place { journal, writer, room, other, _directory } = place().await;
    let author = IdentitySigner::guest();
    let unlucky = journal.submit(entry(&room, author, "1", PANIC));
    assert_eq!(code(&unlucky.await.unwrap()), Some(RejectionCode::Unavailable));
    for room in [&room, &other] {
        let stored = journal.submit(entry(room, author, "2", "hello")).await.unwrap().unwrap();
        assert_eq!(stored.event.seq, 1);
    }
    drop(journal);
    writer.await.unwrap();
}

#[tokio::test]
async fn everything_that_was_handed_in_is_written_before_the_end_and_in_order() {
    let Place { journal, writer, room, _directory, .. } = place().await;
    let author = IdentitySigner::guest();
    let outcomes: Vec<_> = (0..3000).map(|n| journal.submit(entry(&room, author, &n.to_string(), "x"))).collect();
    drop(journal);
    writer.await.unwrap();
    for (n, outcome) in outcomes.into_iter().enumerate() {
        assert_eq!(outcome.await.unwrap().unwrap().event.seq, n as i64 + 1);
    }
}

#[tokio::test]
async fn a_room_that_holds_as_much_as_may_wait_refuses_at_once_and_others_do_not() {
    let Place { journal, room, other, _directory, .. } = place().await;
    let author = IdentitySigner::guest();
    // Nothing is written before this test waits for it.
    let text = "x".repeat(4000);
    let mut outcomes: Vec<_> =
        (0..10_000).map(|n| journal.submit(entry(&room, author, &n.to_string(), &text))).collect();
    let last = outcomes.pop().unwrap();
    assert_eq!(code(&last.await.unwrap()), Some(RejectionCode::Unavailable));
    let stored = journal.submit(entry(&other, author, "1", "x")).await.unwrap().unwrap();
    assert_eq!(stored.event.seq, 1);
    let mut accepted = 0;
    for outcome in outcomes {
        accepted += usize::from(outcome.await.unwrap().is_ok());
    }
    assert!((500..2000).contains(&accepted), "{accepted}");
    let stored = journal.submit(entry(&room, author, "again", "x")).await.unwrap().unwrap();
    assert_eq!(stored.event.seq, accepted as i64 + 1);
}

mod turns {
    use super::queue::{EntryQueue, MAX_BATCH_ENTRIES};
    use super::*;

    fn push(queue: &EntryQueue, room: i64, author: u8, id: &str) -> oneshot::Receiver<SubmitResult> {
        let (sender, outcome) = oneshot::channel();
        let new_event = NewEvent::message(Username::anonymous(), MessageText::parse("x").unwrap());
        let entry = AppendRequest {
            room_id: room,
            begins: None,
            author: [author; 16].into(),
            id: EventId::parse(id).unwrap(),
            new_event,
        };
        queue.push(entry, Responder::new(sender, None)).unwrap_or_else(|_| panic!("the queue is full"));
        outcome
    }

    fn ids(batch: &[PendingEntry], room: i64) -> Vec<&str> {
        batch.iter().filter(|pending| pending.entry.room_id == room).map(|pending| pending.entry.id.as_str()).collect()
    }

    #[tokio::test]
    async fn rooms_and_authors_take_turns_and_each_author_keeps_their_order() {
        let queue = EntryQueue::default();
        let mut outcomes = Vec::new();
        for n in 0..5000 {
            outcomes.push(push(&queue, 1, 1, &format!("a{n}")));
        }
        outcomes.push(push(&queue, 1, 2, "b0"));
        outcomes.push(push(&queue, 2, 3, "c0"));
        let batch = queue.take();
        assert!(batch.len() <= MAX_BATCH_ENTRIES);
        assert_eq!(ids(&batch, 1)[..4], ["a0", "b0", "a1", "a2"]);
        assert_eq!(ids(&batch, 2), ["c0"], "a loud room does not keep another waiting");
        assert!(queue.take().is_empty(), "both are being written");
        queue.release([1, 2]);
        let next = queue.take();
        assert_eq!(ids(&next, 1)[0], format!("a{}", ids(&batch, 1).len() - 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_locked_room_is_tried_again_then_waited_for_and_keeps_its_order() {
        let queue = EntryQueue::default();
        let senders = [(1, "0"), (1, "2"), (2, "1")];
        let _outcomes: Vec<_> = senders.iter().map(|(author, id)| push(&queue, 1, *author, id)).collect();
        for _ in 0..2 {
            let batch = queue.take();
            assert_eq!(ids(&batch, 1), ["0", "1", "2"]);
            assert!(queue.take_locked().is_empty(), "it was not locked so often");
            queue.put_back(batch);
            assert!(queue.take().is_empty(), "not at once");
            tokio::time::sleep_until(queue.next_due().unwrap()).await;
        }
        let batch = queue.take();
        queue.put_back(batch);
        let batch = queue.take_locked();
        assert_eq!(ids(&batch, 1), ["0", "1", "2"]);
        assert!(queue.take_locked().is_empty());
        drop(batch);
        queue.release([1]);
        assert!(queue.is_empty());
    }

    #[tokio::test]
    async fn a_sender_who_waits_too_long_is_refused() {
        let queue = EntryQueue::default();
        let outcome = push(&queue, 1, 1, "1");
        assert!(queue.overdue(SUBMIT_TIMEOUT).is_empty());
        for pending in queue.overdue(Duration::ZERO) {
            pending.responder.respond(Err(Rejection::unavailable()));
        }
        assert!(outcome.await.unwrap().is_err());
        assert!(queue.take().is_empty() && queue.is_empty());
    }
}
