//! Entries that are committed together: written, answered and announced.

use super::{Outcome, Stored};
use crate::domain::{Rejection, RejectionCode};
use crate::server::hub::{Expected, Frame, Hub};
use crate::server::metrics::{self, timed};
use crate::server::relay::Relay;
use crate::server::store::{Appended, Draft, Entry, Locking, Store, TakenName, in_time, sync_failed};
use sea_orm::DbErr;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::sleep;

/// How often a batch is tried whose outcome is unknown, and how long between.
const TRIES: u32 = 4;
const RETRY: Duration = Duration::from_millis(250);

/// "An error occurred while doing I/O on some file" (sysexits.h).
const EX_IOERR: i32 = 74;

/// An entry, and whom to answer.
pub(super) struct Waiting {
    pub(super) entry: Entry,
    pub(super) sender: Sender,
}

/// Whom to answer, and since when it has been waiting.
pub(super) struct Sender {
    pub(super) outcome: oneshot::Sender<Outcome>,
    pub(super) since: Instant,
    /// Until it is known what becomes of the entry, its room's readers may wait for it.
    pub(super) expected: Option<Expected>,
}

impl Sender {
    pub(super) fn answer(self, outcome: Outcome) {
        metrics::answered(self.since);
        // A sender who has gone does not wait for the answer.
        let _ = self.outcome.send(outcome);
    }
}

/// What became of a batch.
#[derive(Default)]
pub(super) struct Written {
    /// Its rooms, but for those that were locked.
    pub(super) rooms: HashSet<i64>,
    pub(super) locked: Vec<Waiting>,
    /// Whether it was given up.
    pub(super) failed: bool,
}

/// Nothing was written of a batch.
pub(super) fn refuse(batch: Vec<Waiting>, hub: &Hub) -> Written {
    let mut rooms = HashSet::new();
    for Waiting { entry, sender } in batch {
        sender.answer(Err(Rejection::unavailable()));
        hub.expect_no_more(entry.room_id);
        rooms.insert(entry.room_id);
    }
    Written { rooms, locked: Vec::new(), failed: true }
}

/// Writes a batch and tells everybody.
pub(super) async fn write(batch: Vec<Waiting>, locking: Locking, store: Store, hub: Hub, relay: Relay) -> Written {
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
    let (mut locked, mut taken) = (Vec::new(), Vec::new());
    for ((entry, sender), appended) in entries.into_iter().zip(senders).zip(appended) {
        let outcome = match appended {
            Appended::New(event) => Ok(Stored { event, repeated: false }),
            Appended::Repeated(event) => Ok(Stored { event, repeated: true }),
            Appended::Rejected(rejection) => match taken_name(&entry, &rejection) {
                Some(name) => {
                    taken.push((name, sender));
                    continue;
                }
                None => Err(rejection),
            },
            Appended::Locked => {
                locked.push(Waiting { entry, sender });
                continue;
            }
        };
        sender.answer(outcome);
    }
    if !taken.is_empty() {
        tokio::spawn(suggest(store.clone(), taken));
    }
    Some(locked)
}

/// The name that was refused because somebody else holds it.
fn taken_name(entry: &Entry, rejection: &Rejection) -> Option<TakenName> {
    match &entry.draft {
        Draft::Message { username, .. } if rejection.code == RejectionCode::UsernameTaken => {
            Some(TakenName { room_id: entry.room_id, username: username.clone(), author: entry.author })
        }
        _ => None,
    }
}

/// Answers those whose names are taken, once it is known which are free. The next batch does not wait for that.
async fn suggest(store: Store, taken: Vec<(TakenName, Sender)>) {
    let (names, senders): (Vec<TakenName>, Vec<Sender>) = taken.into_iter().unzip();
    let rejections = store.suggest(&names).await;
    senders.into_iter().zip(rejections).for_each(|(sender, rejection)| sender.answer(Err(rejection)));
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
