//! Deletes expired messages, names without a holder, and expired mutes and bans. It works periodically and in small
//! batches, so that it does not slow down the chat.

use super::hub::Hub;
use super::store::{ExpiringRoom, Store, StoreError};
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Interval of retention. It can be long, because retention is configured in days.
const SWEEP_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// Interval of looking for mentions, reactions and pins without a message, which nodes of the previous release leave. It
/// reads all.
const STRAY_SWEEP_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// Delay between two batches, which leaves the database to other queries.
const BATCH_DELAY: Duration = Duration::from_millis(50);

/// Number of consecutive failing rooms after which the database counts as unavailable. The remaining rooms are left for
/// the next run.
const MAX_FAILURES: u32 = 5;

/// Runs retention for as long as the server lives. `default` is the site's number of days, for rooms without their own;
/// a change takes effect at once.
pub(super) async fn run_retention(store: Store, hub: Hub, mut default: watch::Receiver<Option<NonZeroU32>>) {
    let mut ticks = interval(SWEEP_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut strays = interval(STRAY_SWEEP_INTERVAL);
    strays.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            Ok(()) = default.changed() => {}
            _ = strays.tick() => {
                sweep_strays(&store).await;
                continue;
            }
        }
        let days = *default.borrow_and_update();
        match sweep(&store, &hub, days).await {
            0 => {}
            events => tracing::info!(events, "Purged expired messages"),
        }
    }
}

/// Deletes expired data of all rooms once, and returns the number of deleted events. An error is logged and does not
/// stop the others.
async fn sweep(store: &Store, hub: &Hub, default: Option<NonZeroU32>) -> u64 {
    let failed = |error: StoreError, what: &str| tracing::warn!(%error, "Purging {what} failed");
    let purged = sweep_rooms(store, hub, default).await;
    let mut others = 0;
    match store.purge_username_claims().await {
        Ok(names) => others += names,
        Err(error) => failed(error, "old names"),
    }
    match store.purge_memberships().await {
        Ok(memberships) => others += memberships,
        Err(error) => failed(error, "bans and the like that are over"),
    }
    match store.purge_tokens().await {
        Ok(tokens) => others += tokens,
        Err(error) => failed(error, "revoked tokens"),
    }
    match store.purge_hooks().await {
        Ok(hooks) => others += hooks,
        Err(error) => failed(error, "webhooks that have ended"),
    }
    if let Err(error) = store.redact_pending().await {
        failed(error, "texts of messages that have gone");
    }
    if purged + others > 0 {
        store.schedule_checkpoint();
    }
    purged
}

async fn sweep_strays(store: &Store) {
    match store.purge_mentions().await {
        Ok(0) => {}
        Ok(_) => store.schedule_checkpoint(),
        Err(error) => tracing::warn!(%error, "Purging mentions of removed messages failed"),
    }
    match store.purge_stray_annotations().await {
        Ok(true) => store.schedule_checkpoint(),
        Ok(false) => {}
        Err(error) => tracing::warn!(%error, "Purging reactions and pins of messages that have gone failed"),
    }
}

async fn sweep_rooms(store: &Store, hub: &Hub, default: Option<NonZeroU32>) -> u64 {
    let (mut purged, mut after, mut failures) = (0, i64::MIN, 0);
    loop {
        let rooms = match store.rooms_with_retention(after, default).await {
            Ok(rooms) => rooms,
            Err(error) => {
                tracing::warn!(%error, "Listing rooms with expired messages failed");
                return purged;
            }
        };
        let Some(last) = rooms.last() else { return purged };
        after = last.room_id;
        for expiring in rooms {
            match sweep_room(store, hub, expiring, &mut purged).await {
                Ok(()) => failures = 0,
                Err(error) => {
                    tracing::warn!(room = expiring.room_id, %error, "Purging expired messages failed");
                    failures += 1;
                }
            }
            if failures == MAX_FAILURES {
                tracing::warn!("Purging failed for several rooms; leaving the rest for the next run");
                return purged;
            }
        }
    }
}

/// Deletes the expired events of one room, and adds their number to `purged`.
async fn sweep_room(store: &Store, hub: &Hub, expiring: ExpiringRoom, purged: &mut u64) -> Result<(), StoreError> {
    loop {
        match store.purge_expired(expiring).await? {
            0 => break,
            events => *purged += events,
        }
        sleep(BATCH_DELAY).await;
    }
    // Evicted from memory even if another node has deleted them.
    hub.evict_purged(expiring.room_id).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EventId, MessageText, RoomName, Username};
    use crate::server::auth::identity::IdentitySigner;
    use crate::server::store::{AppendRequest, AppendResult, Locking, NewEvent};

    #[tokio::test]
    async fn purged_events_leave_memory() {
        let directory = std::env::temp_dir().join(format!("parlour-{}", uuid::Uuid::new_v4()));
        let store = Store::open(&format!("sqlite://{}/parlour.db", directory.display())).await.unwrap();
        let (hub, _changes) = Hub::new(store.clone());
        let room = store.create_room(&RoomName::parse("harbour").unwrap()).await.unwrap().room;
        let live = hub.enter(&room).await.unwrap();
        for n in 1..=3 {
            let new_event = NewEvent::message(Username::anonymous(), MessageText::parse("x").unwrap());
            let id = EventId::parse(&n.to_string()).unwrap();
            let entry =
                AppendRequest { room_id: room.id, begins: None, author: IdentitySigner::guest(), id, new_event };
            let appended = store.append(&[entry], Locking::Wait).await.unwrap();
            let Some(AppendResult::Appended(event)) = appended.into_iter().next() else { panic!("a new event") };
            hub.publish(room.id, vec![event.into()]);
        }
        assert_eq!(live.buffered_events(), 3);
        store.age(room.id, 2).await;
        assert_eq!(sweep(&store, &hub, NonZeroU32::new(7)).await, 2);
        assert_eq!((live.buffered_events(), live.head()), (1, 3));
        store.age(room.id, 3).await;
        assert_eq!(sweep(&store, &hub, NonZeroU32::new(7)).await, 1);
        assert_eq!((live.buffered_events(), live.head()), (0, 3));
        std::fs::remove_dir_all(directory).unwrap();
    }
}
