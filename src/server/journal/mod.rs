//! The only writer. What waits is committed together: while one transaction is on its way to stable storage, the next
//! batch collects. Senders hear of it after the commit, and so do readers, in the order of the log.

mod batch;

use super::hub::Hub;
use super::metrics;
use super::relay::Relay;
use super::store::{Entry, Locking, Store};
use crate::domain::{Event, Rejection};
use batch::{Sender, Waiting, Written, refuse, write};
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

/// How long a room is left alone that somebody else has locked, before it is tried again and then waited for.
const BRIEFLY: Duration = Duration::from_millis(20);

/// How many rooms are waited for at once that somebody else has locked: each takes a connection to the database.
const WAITED_FOR: usize = 2;

/// How long senders wait to be let in, or for their turn while the log cannot be written.
const PATIENCE: Duration = Duration::from_secs(10);

/// An entry that is in the log.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) event: Event,
    /// Whether it was there before it was sent this time.
    pub(crate) repeated: bool,
}

/// What a sender is told, once it is known.
pub(crate) type Outcome = Result<Stored, Rejection>;

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
                // Most are free again at once: another node has written there.
                sleep(BRIEFLY).await;
                let again = write(batch, Locking::Skip, store.clone(), hub.clone(), relay.clone()).await;
                if again.locked.is_empty() {
                    return again;
                }
                let batch = again.locked;
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
