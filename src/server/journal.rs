//! The only writer. What waits is committed together: while one transaction is on its way to stable storage, the next
//! batch collects. Senders hear of it after the commit, and so do readers, in the order of the log.

use super::hub::{Expected, Frame, Hub};
use super::metrics::{self, timed};
use super::relay::Relay;
use super::store::{Appended, Entry, Locking, Store, in_time, sync_failed};
use crate::domain::{Event, Rejection};
use sea_orm::DbErr;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

/// How many entries one transaction takes at most.
const BATCH: usize = 1024;

/// How many entries wait at most; beyond that, senders wait to be let in.
const QUEUE: usize = 4096;

/// How often a batch is tried whose outcome is unknown, and how long between.
const TRIES: u32 = 4;
const RETRY: Duration = Duration::from_millis(250);

/// How many rooms are waited for at once that somebody else has locked: each takes a connection to the database.
const WAITED_FOR: usize = 2;

/// How long senders wait to be let in, or for their turn while the log cannot be written.
const PATIENCE: Duration = Duration::from_secs(10);

/// "An error occurred while doing I/O on some file" (sysexits.h).
const EX_IOERR: i32 = 74;

/// An entry that is in the log.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) event: Event,
    /// Whether it was there before it was sent this time.
    pub(crate) repeated: bool,
}

/// What a sender is told, once it is known.
pub(crate) type Outcome = Result<Stored, Rejection>;

struct Waiting {
    entry: Entry,
    sender: Sender,
}

/// Whom to answer, and since when it has been waiting.
struct Sender {
    outcome: oneshot::Sender<Outcome>,
    since: Instant,
    /// Until it is known what becomes of the entry, its room's readers may wait for it.
    expected: Option<Expected>,
}

impl Sender {
    fn answer(self, outcome: Outcome) {
        metrics::answered(self.since);
        // A sender who has gone does not wait for the answer.
        let _ = self.outcome.send(outcome);
    }
}

/// A cheap-to-clone door to the writer.
#[derive(Clone)]
pub(crate) struct Journal {
    queue: mpsc::Sender<Waiting>,
    hub: Hub,
}

impl Journal {
    /// Starts the writer. It ends, with everything written, when the last [`Journal`] is gone.
    pub(crate) fn start(store: Store, hub: Hub, relay: Relay) -> (Self, JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let writer = Writer {
            waiting: VecDeque::new(),
            busy: HashSet::new(),
            batches: JoinSet::new(),
            locked: JoinSet::new(),
            turns: Arc::new(Semaphore::new(WAITED_FOR)),
            store,
            hub: hub.clone(),
            relay,
        };
        (Self { queue, hub }, tokio::spawn(writer.run(waiting)))
    }

    /// Hands an entry in. Entries of one caller are written in the order of these calls.
    pub(crate) async fn submit(&self, entry: Entry) -> oneshot::Receiver<Outcome> {
        let (sender, outcome) = oneshot::channel();
        let expected = self.hub.expect(entry.room_id);
        let sender = Sender { outcome: sender, since: Instant::now(), expected };
        metrics::entered();
        match timeout(PATIENCE, self.queue.reserve()).await {
            Ok(Ok(place)) => place.send(Waiting { entry, sender }),
            // The writer is gone, and so is `sender`, which the receiver says.
            Ok(Err(_)) => {}
            Err(_) => sender.answer(Err(Rejection::unavailable())),
        }
        outcome
    }
}

struct Writer {
    waiting: VecDeque<Waiting>,
    /// Rooms in a batch that is being written: their next entries wait, so that order is kept.
    busy: HashSet<i64>,
    batches: JoinSet<Written>,
    /// Batches of one room each, which wait for somebody else's lock, or for their turn to.
    locked: JoinSet<Written>,
    turns: Arc<Semaphore>,
    store: Store,
    hub: Hub,
    relay: Relay,
}

impl Writer {
    async fn run(mut self, mut queue: mpsc::Receiver<Waiting>) {
        let mut arrived = Vec::new();
        let mut open = true;
        while open || !self.waiting.is_empty() || !self.batches.is_empty() || !self.locked.is_empty() {
            tokio::select! {
                count = queue.recv_many(&mut arrived, QUEUE), if open && self.waiting.len() < QUEUE => {
                    open = count > 0;
                    self.waiting.extend(arrived.drain(..));
                }
                Some(written) = self.batches.join_next() => self.go_on(written.unwrap_or_default()),
                Some(written) = self.locked.join_next() => self.go_on(written.unwrap_or_default()),
            }
            while self.batches.len() < self.store.writers() {
                let batch = self.take_batch();
                if batch.is_empty() {
                    break;
                }
                let (store, hub, relay) = (self.store.clone(), self.hub.clone(), self.relay.clone());
                self.batches.spawn(write(batch, Locking::Skip, store, hub, relay));
            }
        }
    }

    /// Rooms that were written may be written again; each that was locked is waited for on its own, so that those it
    /// came with do not wait too.
    fn go_on(&mut self, written: Written) {
        for room in written.rooms {
            self.busy.remove(&room);
        }
        if written.failed {
            self.refuse_the_overdue();
        }
        let mut alone: HashMap<i64, Vec<Waiting>> = HashMap::new();
        for waiting in written.locked {
            alone.entry(waiting.entry.room_id).or_default().push(waiting);
        }
        for batch in alone.into_values() {
            let (store, hub, relay) = (self.store.clone(), self.hub.clone(), self.relay.clone());
            let turns = self.turns.clone();
            self.locked.spawn(async move {
                match timeout(PATIENCE, turns.acquire()).await {
                    Ok(_turn) => write(batch, Locking::Wait, store, hub, relay).await,
                    Err(_) => refuse(batch, &hub),
                }
            });
        }
    }

    /// The log cannot be written: whoever has waited long for a turn is told so, too.
    fn refuse_the_overdue(&mut self) {
        let (overdue, waiting) = self.waiting.drain(..).partition(|it| it.sender.since.elapsed() > PATIENCE);
        self.waiting = waiting;
        let overdue: VecDeque<Waiting> = overdue;
        overdue.into_iter().for_each(|it| it.sender.answer(Err(Rejection::unavailable())));
    }

    /// The oldest entries whose rooms are not being written.
    fn take_batch(&mut self) -> Vec<Waiting> {
        let free = |waiting: &Waiting| !self.busy.contains(&waiting.entry.room_id);
        let batch: Vec<Waiting> = if self.waiting.len() <= BATCH && self.busy.is_empty() {
            self.waiting.drain(..).collect()
        } else {
            let mut batch = Vec::new();
            let mut rest = VecDeque::with_capacity(self.waiting.len());
            for waiting in self.waiting.drain(..) {
                if batch.len() < BATCH && free(&waiting) { batch.push(waiting) } else { rest.push_back(waiting) }
            }
            self.waiting = rest;
            batch
        };
        self.busy.extend(batch.iter().map(|waiting| waiting.entry.room_id));
        batch
    }
}

/// What became of a batch.
#[derive(Default)]
struct Written {
    /// Its rooms, but for those that were locked.
    rooms: HashSet<i64>,
    locked: Vec<Waiting>,
    /// Whether it was given up.
    failed: bool,
}

/// Nothing was written of a batch.
fn refuse(batch: Vec<Waiting>, hub: &Hub) -> Written {
    let mut rooms = HashSet::new();
    for Waiting { entry, sender } in batch {
        sender.answer(Err(Rejection::unavailable()));
        hub.expect_no_more(entry.room_id);
        rooms.insert(entry.room_id);
    }
    Written { rooms, locked: Vec::new(), failed: true }
}

/// Writes a batch and tells everybody.
async fn write(batch: Vec<Waiting>, locking: Locking, store: Store, hub: Hub, relay: Relay) -> Written {
    let mut rooms: HashSet<i64> = batch.iter().map(|waiting| waiting.entry.room_id).collect();
    let Some(locked) = write_once(batch, locking, &store, &hub, &relay).await else {
        return Written { rooms, locked: Vec::new(), failed: true };
    };
    for waiting in &locked {
        rooms.remove(&waiting.entry.room_id);
    }
    Written { rooms, locked, failed: false }
}

/// Returns those whose rooms were locked; `None` if it was given up.
async fn write_once(
    batch: Vec<Waiting>,
    locking: Locking,
    store: &Store,
    hub: &Hub,
    relay: &Relay,
) -> Option<Vec<Waiting>> {
    let (entries, mut senders): (Vec<Entry>, Vec<_>) =
        batch.into_iter().map(|waiting| (waiting.entry, waiting.sender)).unzip();
    let (appended, tries) = match append(store, &entries, locking).await {
        Ok(appended) => appended,
        Err(error) => {
            tracing::error!(%error, entries = entries.len(), "the log cannot be written");
            senders.into_iter().for_each(|sender| sender.answer(Err(Rejection::unavailable())));
            entries.iter().for_each(|entry| hub.expect_no_more(entry.room_id));
            // The last try may have been committed after all: then its readers shall have it.
            let hub = hub.clone();
            tokio::spawn(async move { hub.check().await });
            return None;
        }
    };
    // From here on it is there, or will not be.
    senders.iter_mut().for_each(|sender| sender.expected = None);
    announce(&entries, &appended, tries > 1, hub, relay);
    let mut locked = Vec::new();
    for ((entry, sender), appended) in entries.into_iter().zip(senders).zip(appended) {
        let outcome = match appended {
            Appended::New(event) => Ok(Stored { event, repeated: false }),
            Appended::Repeated(event) => Ok(Stored { event, repeated: true }),
            Appended::Rejected(rejection) => Err(rejection),
            Appended::Locked => {
                locked.push(Waiting { entry, sender });
                continue;
            }
        };
        sender.answer(outcome);
    }
    Some(locked)
}

/// An error leaves the outcome open: perhaps it was committed. Every entry has an id, so it is simply tried again. Also
/// returns how often.
async fn append(store: &Store, entries: &[Entry], locking: Locking) -> Result<(Vec<Appended>, u32), DbErr> {
    for attempt in 1.. {
        match in_time(timed("append", store.append(entries, locking))).await {
            Err(error) if sync_failed(&error) => give_up(&error),
            Err(error) if attempt < TRIES => {
                tracing::warn!(%error, attempt, "a batch could not be written; trying again");
                sleep(RETRY * attempt).await;
            }
            result => return result.map(|appended| (appended, attempt)),
        }
    }
    unreachable!("the last attempt returns")
}

/// A disk that does not sync leaves nothing to rely on. The process ends without answering anybody; the next one
/// recovers what is there, and senders try again by their ids.
fn give_up(error: &DbErr) -> ! {
    tracing::error!(%error, "the disk does not sync; ending, to recover from what it holds");
    std::process::exit(EX_IOERR)
}

/// Tells this node's connections and the other nodes what is new, room by room, in the order of the log.
///
/// A repeated entry is announced as wanted: an earlier try may have stored it and failed to say so. To the other nodes,
/// too, if it was this server's.
fn announce(entries: &[Entry], appended: &[Appended], tried_before: bool, hub: &Hub, relay: &Relay) {
    let mut new: HashMap<i64, Vec<Frame>> = HashMap::new();
    for (entry, appended) in entries.iter().zip(appended) {
        match appended {
            Appended::New(event) => {
                metrics::stored(&event.body);
                new.entry(entry.room_id).or_default().push(Frame::from(event.clone()));
            }
            Appended::Repeated(event) => {
                hub.want(entry.room_id, event.seq);
                if tried_before {
                    relay.ring(entry.room_id, event.seq, &[]);
                }
                hub.expect_no_more(entry.room_id);
            }
            Appended::Rejected(_) | Appended::Locked => hub.expect_no_more(entry.room_id),
        }
    }
    for (room_id, frames) in new {
        relay.ring(room_id, frames.last().map_or(0, |frame| frame.seq), &frames);
        hub.publish(room_id, frames);
    }
}
