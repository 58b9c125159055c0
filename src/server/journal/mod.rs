//! The only writer of the log. Pending entries are committed together: while one transaction is being committed, the
//! next batch collects. Senders and readers are informed after the commit, in the order of the log.

mod batch;
mod charge;
mod entry;
mod queue;
mod room;
#[cfg(test)]
mod tests;

use super::hub::Hub;
use super::relay::Relay;
use super::store::{AppendRequest, Locking, Store};
use super::supervisor::{Health, keep_running, panic_message};
use super::telemetry::metrics;
use super::telemetry::outage::Outage;
use crate::domain::Rejection;
use batch::{BatchOutcome, write};
use entry::{PendingEntry, Responder};
pub(crate) use entry::{StoredEvent, SubmitResult};
use queue::EntryQueue;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::{Id, JoinError, JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep_until};

/// Maximum number of locked rooms that are waited for in the database at the same time. Each occupies a connection.
const MAX_LOCK_WAITERS: usize = 2;

/// Time after which an entry that is not in a batch yet is rejected.
const SUBMIT_TIMEOUT: Duration = Duration::from_secs(10);

/// Interval of checking for such entries.
const EXPIRY_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The name of the writer among the background tasks.
pub(crate) const WRITER: &str = "journal";

/// Cheap-to-clone handle to the writer.
#[derive(Clone)]
pub(crate) struct Journal {
    queue: EntryQueue,
    /// Wakes the writer, and keeps it running while there is a handle.
    wake: mpsc::Sender<()>,
    hub: Hub,
}

impl Journal {
    /// Starts the writer. It ends, after writing every entry, when the last [`Journal`] is dropped.
    pub(crate) fn start(store: Store, hub: Hub, relay: Relay, health: Health) -> (Self, JoinHandle<()>) {
        let (wake, woken) = mpsc::channel(1);
        let (queue, woken) = (EntryQueue::default(), Arc::new(Mutex::new(woken)));
        let failing = Outage::new("Writing the log failed", "Writing the log works again");
        let context = WriteContext { store, hub: hub.clone(), relay, failing: Arc::new(failing) };
        let writer = {
            let queue = queue.clone();
            keep_running(WRITER, health, move || {
                let (queue, woken) = (queue.clone(), woken.clone());
                // After a panic, no batch of the previous writer is in flight.
                queue.release_all();
                let writer =
                    Writer { queue, batches: JoinSet::new(), running: HashMap::new(), context: context.clone() };
                async move { writer.run(&mut *woken.lock().await).await }
            })
        };
        (Self { queue, wake, hub }, tokio::spawn(writer))
    }

    /// Submits an entry without waiting. Entries of one author are written in the order of these calls. The entry is
    /// rejected immediately if the queue of its room, or of all rooms together, is full.
    pub(crate) fn submit(&self, entry: AppendRequest) -> oneshot::Receiver<SubmitResult> {
        let (sender, outcome) = oneshot::channel();
        let in_flight = self.hub.track_in_flight(entry.room_id);
        metrics::record_submitted();
        match self.queue.push(entry, Responder::new(sender, in_flight)) {
            // A full channel is fine: a running writer checks the queue again before it sleeps.
            Ok(()) => drop(self.wake.try_send(())),
            Err(sender) => sender.respond(Err(Rejection::unavailable())),
        }
        outcome
    }
}

/// The parts of the server that a batch needs; cheap to clone.
#[derive(Clone)]
struct WriteContext {
    store: Store,
    hub: Hub,
    relay: Relay,
    failing: Arc<Outage>,
}

struct Writer {
    queue: EntryQueue,
    batches: JoinSet<BatchOutcome>,
    running: HashMap<Id, Running>,
    context: WriteContext,
}

/// A batch that is being written.
struct Running {
    rooms: HashSet<i64>,
    locking: Locking,
}

impl Writer {
    async fn run(mut self, woken: &mut mpsc::Receiver<()>) {
        let mut sweep = interval(EXPIRY_CHECK_INTERVAL);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut open = true;
        loop {
            self.begin();
            if !open && self.running.is_empty() && self.queue.is_empty() {
                return;
            }
            // While every writer is busy, the end of a batch wakes this loop.
            let has_writer = self.count(Locking::Skip) < self.context.store.writers();
            let due = if has_writer { self.queue.next_due() } else { None };
            let due = async { if let Some(due) = due { sleep_until(due).await } else { std::future::pending().await } };
            tokio::select! {
                wake = woken.recv(), if open => open = wake.is_some(),
                Some(ended) = self.batches.join_next_with_id() => self.ended(ended),
                () = due => {}
                _ = sweep.tick() => self.reject_expired(),
            }
        }
    }

    /// Starts as many batches as may be written concurrently, and waits for rooms that stay locked: for few of them,
    /// and for each separately.
    fn begin(&mut self) {
        while self.count(Locking::Skip) < self.context.store.writers() {
            let batch = self.queue.take();
            if batch.is_empty() {
                break;
            }
            self.write(batch, Locking::Skip);
        }
        while self.count(Locking::Wait) < MAX_LOCK_WAITERS {
            let batch = self.queue.take_locked();
            if batch.is_empty() {
                break;
            }
            self.write(batch, Locking::Wait);
        }
    }

    fn count(&self, locking: Locking) -> usize {
        self.running.values().filter(|running| running.locking == locking).count()
    }

    fn write(&mut self, batch: Vec<PendingEntry>, locking: Locking) {
        let rooms = batch.iter().map(|pending| pending.entry.room_id).collect();
        let task = self.batches.spawn(write(batch, locking, self.context.clone()));
        self.running.insert(task.id(), Running { rooms, locking });
    }

    /// Releases the rooms of a batch that has ended. Locked rooms are retried later, so that the other rooms of the
    /// batch do not wait too.
    fn ended(&mut self, ended: Result<(Id, BatchOutcome), JoinError>) {
        let (id, locked) = match ended {
            Ok((id, written)) => (id, written.locked),
            Err(error) => {
                let id = error.id();
                // Its senders were answered when the batch was dropped.
                tracing::error!(panic = panic_message(error), "A batch could not be written");
                let rooms = self.running.get(&id).into_iter().flat_map(|running| &running.rooms);
                rooms.for_each(|room| self.context.hub.notify_subscribers(*room));
                // The batch may have been committed: a comparison delivers its events to readers.
                self.context.hub.request_reconcile();
                (id, Vec::new())
            }
        };
        let Some(mut running) = self.running.remove(&id) else { return };
        for pending in &locked {
            running.rooms.remove(&pending.entry.room_id);
        }
        self.queue.release(running.rooms);
        self.queue.put_back(locked);
    }

    /// Rejects entries that have waited too long for a batch, because the log cannot be written or not quickly enough.
    fn reject_expired(&mut self) {
        for PendingEntry { entry, responder } in self.queue.overdue(SUBMIT_TIMEOUT) {
            responder.respond(Err(Rejection::unavailable()));
            self.context.hub.notify_subscribers(entry.room_id);
        }
    }
}
