//! Entries that are committed together: written, answered and announced.

use super::queue::QueueCharge;
use super::{StoredEvent, SubmitResult, WriteContext};
use crate::domain::{Rejection, RejectionCode, Seq};
use crate::server::hub::{EventFrame, Hub, InFlightGuard};
use crate::server::relay::Relay;
use crate::server::store::{
    AppendRequest, AppendResult, Locking, NewEvent, Store, TakenName, sync_failed, with_timeout,
};
use crate::server::telemetry::logging;
use crate::server::telemetry::metrics::{self, timed};
use crate::server::telemetry::outage::Outage;
use sea_orm::DbErr;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::sleep;

/// How often a batch is tried whose outcome is unknown, and how long between.
const MAX_ATTEMPTS: u32 = 4;
const RETRY_DELAY: Duration = Duration::from_millis(250);

/// "An error occurred while doing I/O on some file" (sysexits.h).
const EX_IOERR: i32 = 74;

/// An entry, and whom to answer.
pub(super) struct PendingEntry {
    pub(super) entry: AppendRequest,
    pub(super) responder: Responder,
}

/// Whom to answer, and since when it has been waiting. Dropped without an answer, as by a panic, it is refused.
pub(super) struct Responder {
    outcome: Option<oneshot::Sender<SubmitResult>>,
    pub(super) since: Instant,
    /// Until it is known what becomes of the entry, its room's readers may wait for it.
    expected: Option<InFlightGuard>,
    /// Its share in the bounds of the queue, until it is answered.
    pub(super) charge: Option<QueueCharge>,
}

impl Responder {
    pub(super) fn new(outcome: oneshot::Sender<SubmitResult>, expected: Option<InFlightGuard>) -> Self {
        Self { outcome: Some(outcome), since: Instant::now(), expected, charge: None }
    }

    pub(super) fn respond(mut self, outcome: SubmitResult) {
        self.settle(outcome);
    }

    fn settle(&mut self, outcome: SubmitResult) {
        if let Some(sender) = self.outcome.take() {
            metrics::record_acknowledged(self.since);
            // A sender who has gone does not wait for the answer.
            let _ = sender.send(outcome);
        }
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.settle(Err(Rejection::unavailable()));
    }
}

/// What became of a batch, besides what its senders were told.
pub(super) struct BatchOutcome {
    /// Entries whose rooms another session holds locked.
    pub(super) locked: Vec<PendingEntry>,
}

/// Writes a batch and tells everybody.
pub(super) async fn write(batch: Vec<PendingEntry>, locking: Locking, means: WriteContext) -> BatchOutcome {
    let (entries, mut senders): (Vec<AppendRequest>, Vec<_>) =
        batch.into_iter().map(|waiting| (waiting.entry, waiting.responder)).unzip();
    // Until it is announced, nobody else takes the heads of its rooms for older than they are.
    let stands = means.hub.head_snapshot(entries.iter().map(|entry| entry.room_id));
    let WriteContext { store, hub, relay, failing } = means;
    #[cfg(test)]
    super::tests::panic_if_asked(&entries);
    let (appended, tries) = match append(&store, &entries, locking, &failing).await {
        Ok(appended) => appended,
        Err(error) => {
            tracing::debug!(%error, entries = entries.len(), "a batch was given up");
            senders.into_iter().for_each(|sender| sender.respond(Err(Rejection::unavailable())));
            entries.iter().for_each(|entry| hub.notify_subscribers(entry.room_id));
            // The last try may have been committed after all: then its readers shall have it.
            hub.request_reconcile();
            return BatchOutcome { locked: Vec::new() };
        }
    };
    // From here on it is there, or will not be.
    senders.iter_mut().for_each(|sender| sender.expected = None);
    for (room_id, first) in first_new(&entries, &appended) {
        if let Some(outdated) = stands.outdated_by(room_id, first) {
            hub.rewind_detected(room_id, outdated, first - 1).await;
        }
    }
    publish(&entries, &appended, tries > 1, &hub, &relay);
    drop(stands);
    let (mut locked, mut taken) = (Vec::new(), Vec::new());
    for ((entry, sender), appended) in entries.into_iter().zip(senders).zip(appended) {
        let outcome = match appended {
            AppendResult::Appended(event) => Ok(StoredEvent { event, duplicate: false }),
            AppendResult::Duplicate(event) => Ok(StoredEvent { event, duplicate: true }),
            AppendResult::Rejected(rejection) => match taken_name(&entry, &rejection) {
                Some(name) => {
                    taken.push((name, sender));
                    continue;
                }
                None => Err(rejection),
            },
            AppendResult::RoomLocked => {
                locked.push(PendingEntry { entry, responder: sender });
                continue;
            }
        };
        sender.respond(outcome);
    }
    if !taken.is_empty() {
        tokio::spawn(suggest(store, taken));
    }
    BatchOutcome { locked }
}

/// Returns the first number that each room's log was given.
fn first_new(entries: &[AppendRequest], appended: &[AppendResult]) -> HashMap<i64, Seq> {
    let mut first = HashMap::new();
    for (entry, appended) in entries.iter().zip(appended) {
        if let AppendResult::Appended(event) = appended {
            first.entry(entry.room_id).or_insert(event.seq);
        }
    }
    first
}

/// The name that was refused because somebody else holds it.
fn taken_name(entry: &AppendRequest, rejection: &Rejection) -> Option<TakenName> {
    match &entry.draft {
        NewEvent::Message { username, .. } if rejection.code == RejectionCode::UsernameTaken => {
            Some(TakenName { room_id: entry.room_id, username: username.clone(), author: entry.author })
        }
        _ => None,
    }
}

/// Answers those whose names are taken, once it is known which are free. The next batch does not wait for that.
async fn suggest(store: Store, taken: Vec<(TakenName, Responder)>) {
    let (names, senders): (Vec<TakenName>, Vec<Responder>) = taken.into_iter().unzip();
    let rejections = store.suggest(&names).await;
    senders.into_iter().zip(rejections).for_each(|(sender, rejection)| sender.respond(Err(rejection)));
}

/// An error leaves the outcome open: perhaps it was committed. Every entry has an id, so it is simply tried again. Also
/// returns how often.
async fn append(
    store: &Store,
    entries: &[AppendRequest],
    locking: Locking,
    failing: &Outage,
) -> Result<(Vec<AppendResult>, u32), DbErr> {
    for attempt in 1.. {
        match with_timeout(timed("append", store.append(entries, locking))).await {
            Err(error) if sync_failed(&error) => exit_on_sync_failure(&error),
            Err(error) => {
                failing.failed(&error);
                if attempt == MAX_ATTEMPTS {
                    return Err(error);
                }
                tracing::debug!(attempt, "a batch could not be written; trying again");
                sleep(RETRY_DELAY * attempt).await;
            }
            Ok(appended) => {
                // One that has found all of its rooms locked says nothing about the database.
                if !appended.iter().all(|appended| matches!(appended, AppendResult::RoomLocked)) {
                    failing.over();
                }
                return Ok((appended, attempt));
            }
        }
    }
    unreachable!("the last attempt returns")
}

/// A disk that does not sync leaves nothing to rely on. The process ends without answering anybody; the next one
/// recovers what is there, and senders try again by their ids.
fn exit_on_sync_failure(error: &DbErr) -> ! {
    tracing::error!(%error, "the disk does not sync; ending, to recover from what it holds");
    logging::flush();
    std::process::exit(EX_IOERR)
}

/// Tells this node's connections and the other nodes what is new, room by room, in the order of the log.
///
/// A repeated entry is announced as wanted: an earlier try may have stored it and failed to say so. To the other nodes,
/// too, if it was this server's.
fn publish(entries: &[AppendRequest], appended: &[AppendResult], tried_before: bool, hub: &Hub, relay: &Relay) {
    let mut new: HashMap<i64, Vec<EventFrame>> = HashMap::new();
    for (entry, appended) in entries.iter().zip(appended) {
        match appended {
            AppendResult::Appended(event) => {
                metrics::record_event(&event.body);
                new.entry(entry.room_id).or_default().push(EventFrame::from(event.clone()));
            }
            AppendResult::Duplicate(event) => {
                hub.catch_up_to(entry.room_id, event.seq);
                if tried_before {
                    relay.publish(entry.room_id, hub.epoch(entry.room_id), event.seq, &[]);
                }
                hub.notify_subscribers(entry.room_id);
            }
            AppendResult::Rejected(_) | AppendResult::RoomLocked => hub.notify_subscribers(entry.room_id),
        }
    }
    for (room_id, frames) in new {
        relay.publish(room_id, hub.epoch(room_id), frames.last().map_or(0, |frame| frame.seq), &frames);
        hub.publish(room_id, frames);
    }
}
