//! Fills gaps in a live room: events that the room knows of but has not delivered yet are read from the log.

use super::{EventFrame, LiveRoom};
use crate::server::store::StoreError;
use crate::server::sync::lock;
use std::sync::Weak;
use std::time::Duration;

/// Maximum number of events per read of the log: with the longest messages, they fill the tail buffer.
const BACKFILL_BATCH: u64 = 64;

/// Delay before retrying after the database did not answer.
const BACKFILL_RETRY_DELAY: Duration = Duration::from_millis(250);

/// Reads the log until the room has reached its `target_seq`.
pub(super) async fn backfill(live: Weak<LiveRoom>) {
    while let Some(live) = live.upgrade() {
        tokio::task::coop::consume_budget().await;
        let after = {
            let mut tail = lock(&live.tail);
            if tail.target_seq <= tail.head {
                tail.catching_up = false;
                return;
            }
            tail.head
        };
        let caught_up = match live.hub.store.events_after(live.room.id, after, BACKFILL_BATCH).await {
            // The announced number does not exist in the log.
            Ok(events) if events.is_empty() => {
                let mut tail = lock(&live.tail);
                tail.target_seq = tail.head;
                Ok(())
            }
            Ok(events) => {
                live.publish(events.into_iter().map(EventFrame::from).collect());
                Ok(())
            }
            Err(StoreError::Gap { .. }) => live.skip().await,
            Err(error) => Err(error),
        };
        if caught_up.is_ok() {
            live.hub.reconciliation.reading.over();
        }
        if let Err(error) = caught_up {
            live.hub.reconciliation.reading.failed(&error);
            drop(live);
            tokio::time::sleep(BACKFILL_RETRY_DELAY).await;
        }
    }
}
