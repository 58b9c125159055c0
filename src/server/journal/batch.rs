//! Batches of entries, which are committed together, then announced and answered.

use super::WriteContext;
use super::entry::{PendingEntry, Responder, StoredEvent};
use crate::domain::{Event, Rejection, RejectionCode, Seq};
use crate::server::auth::identity::AuthorId;
use crate::server::hub::{EventFrame, Hub};
use crate::server::relay::Relay;
use crate::server::store::{
    AppendRequest, AppendResult, Locking, NewEvent, Store, StoreError, TakenName, with_timeout,
};
use crate::server::telemetry::logging;
use crate::server::telemetry::metrics::{self, timed};
use crate::server::telemetry::outage::Outage;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::sleep;

/// Maximum number of attempts for a batch whose outcome is unknown, and the delay between them.
const MAX_ATTEMPTS: u32 = 4;
const RETRY_DELAY: Duration = Duration::from_millis(250);

/// "An error occurred while doing I/O on some file" (sysexits.h).
const EX_IOERR: i32 = 74;

/// Outcome of a batch, besides the answers to its senders.
pub(super) struct BatchOutcome {
    /// Entries whose rooms another database session holds locked.
    pub(super) locked: Vec<PendingEntry>,
}

/// Writes a batch, announces its events and answers its senders.
pub(super) async fn write(batch: Vec<PendingEntry>, locking: Locking, context: WriteContext) -> BatchOutcome {
    let (entries, mut responders): (Vec<AppendRequest>, Vec<_>) =
        batch.into_iter().map(|pending| (pending.entry, pending.responder)).unzip();
    // Until the batch is announced, other tasks must not believe that the heads of its rooms are older.
    let snapshot = context.hub.head_snapshot(entries.iter().map(|entry| entry.room_id));
    let WriteContext { store, hub, relay, failing } = context;
    #[cfg(test)]
    super::tests::panic_if_asked(&entries);
    let (appended, attempts) = match append(&store, &entries, locking, &failing).await {
        Ok(appended) => appended,
        Err(error) => {
            tracing::debug!(%error, entries = entries.len(), "A batch failed; rejecting its entries");
            responders.into_iter().for_each(|responder| responder.respond(Err(Rejection::unavailable())));
            entries.iter().for_each(|entry| hub.notify_subscribers(entry.room_id));
            // The last attempt may have been committed after all: a comparison delivers its events to readers.
            hub.request_reconcile();
            return BatchOutcome { locked: Vec::new() };
        }
    };
    // From here on, the entries are either stored or will not be.
    responders.iter_mut().for_each(|responder| responder.in_flight = None);
    for (room_id, first) in first_new(&entries, &appended) {
        if let Some(outdated) = snapshot.outdated_by(room_id, first) {
            hub.rewind_detected(room_id, outdated, first - 1).await;
        }
    }
    publish(&entries, &appended, attempts > 1, &hub, &relay);
    drop(snapshot);
    let (mut locked, mut taken) = (Vec::new(), Vec::new());
    for ((entry, responder), appended) in entries.into_iter().zip(responders).zip(appended) {
        let outcome = match appended {
            AppendResult::Appended(event) => Ok(StoredEvent { event, duplicate: false, needless: false }),
            AppendResult::Duplicate(event) => Ok(StoredEvent { event, duplicate: true, needless: false }),
            AppendResult::Needless(event) if event.seq == 0 => {
                let (store, author) = (store.clone(), entry.author);
                tokio::spawn(find_event(store, entry.room_id, author, event, responder));
                continue;
            }
            AppendResult::Needless(event) => Ok(StoredEvent { event, duplicate: false, needless: true }),
            AppendResult::Rejected(rejection) => match taken_name(&entry, &rejection) {
                Some(name) => {
                    taken.push((name, responder));
                    continue;
                }
                None => Err(rejection),
            },
            AppendResult::RoomLocked => {
                locked.push(PendingEntry { entry, responder });
                continue;
            }
        };
        responder.respond(outcome);
    }
    if !taken.is_empty() {
        tokio::spawn(suggest(store, taken));
    }
    BatchOutcome { locked }
}

/// Returns the first number that was assigned in each room's log.
fn first_new(entries: &[AppendRequest], appended: &[AppendResult]) -> HashMap<i64, Seq> {
    let mut first = HashMap::new();
    for (entry, appended) in entries.iter().zip(appended) {
        if let AppendResult::Appended(event) = appended {
            first.entry(entry.room_id).or_insert(event.seq);
        }
    }
    first
}

/// Returns the name that was rejected because another author holds it.
fn taken_name(entry: &AppendRequest, rejection: &Rejection) -> Option<TakenName> {
    match &entry.new_event {
        NewEvent::Message { username, .. } if rejection.code == RejectionCode::UsernameTaken => {
            Some(TakenName { room_id: entry.room_id, username: username.clone(), author: entry.author })
        }
        _ => None,
    }
}

/// Answers entries whose names are taken with free names. The next batch does not wait for that.
async fn suggest(store: Store, taken: Vec<(TakenName, Responder)>) {
    let (names, responders): (Vec<TakenName>, Vec<Responder>) = taken.into_iter().unzip();
    let rejections = store.suggest(&names).await;
    responders.into_iter().zip(rejections).for_each(|(responder, rejection)| responder.respond(Err(rejection)));
}

/// Answers an entry that changes nothing with the event that made the state as it is. The next batch does not wait for
/// that.
async fn find_event(store: Store, room_id: i64, author: AuthorId, wanted: Event, responder: Responder) {
    let found = store.event_that_made(room_id, &author, wanted).await;
    let found = found.map(|event| StoredEvent { event, duplicate: false, needless: true });
    responder.respond(found.map_err(Rejection::from));
}

/// Appends a batch, and also returns the number of attempts. After an error the outcome is unknown. Every entry has an
/// id, so the batch is retried safely.
async fn append(
    store: &Store,
    entries: &[AppendRequest],
    locking: Locking,
    failing: &Outage,
) -> Result<(Vec<AppendResult>, u32), StoreError> {
    for attempt in 1.. {
        match with_timeout(timed("append", store.append(entries, locking))).await {
            Err(error @ StoreError::SyncFailed(_)) => exit_on_sync_failure(&error),
            Err(error) => {
                failing.failed(&error);
                if attempt == MAX_ATTEMPTS {
                    return Err(error);
                }
                tracing::debug!(attempt, "A batch could not be written; retrying");
                sleep(RETRY_DELAY * attempt).await;
            }
            Ok(appended) => {
                // A batch that found all of its rooms locked says nothing about the health of the database.
                if !appended.iter().all(|appended| matches!(appended, AppendResult::RoomLocked)) {
                    failing.over();
                }
                return Ok((appended, attempt));
            }
        }
    }
    unreachable!("the last attempt returns")
}

/// Exits the process without answering if the disk fails to sync, because nothing can be relied on then. The next
/// process recovers the log, and senders retry by their ids.
fn exit_on_sync_failure(error: &StoreError) -> ! {
    tracing::error!(%error, "fsync failed; exiting, to recover from the stored data");
    logging::flush();
    std::process::exit(EX_IOERR)
}

/// Delivers new events to this node's subscribers and to the other nodes, room by room, in the order of the log.
///
/// A duplicate entry makes the room catch up: an earlier attempt may have stored it without announcing it. Other nodes
/// are informed too if that attempt was this server's.
fn publish(entries: &[AppendRequest], appended: &[AppendResult], tried_before: bool, hub: &Hub, relay: &Relay) {
    let mut new: HashMap<i64, Vec<EventFrame>> = HashMap::new();
    for (entry, appended) in entries.iter().zip(appended) {
        match appended {
            AppendResult::Appended(event) => {
                metrics::record_event(&event.body);
                new.entry(entry.room_id).or_default().push(EventFrame::from(event.clone()));
            }
            // Its number is 0 if nothing was ever stored.
            AppendResult::Duplicate(event) | AppendResult::Needless(event) => {
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
