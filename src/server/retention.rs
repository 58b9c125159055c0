//! Lets go of messages that are older than their rooms keep them: now and then, a little at a time, so that whoever
//! talks does not notice.

use super::store::Store;
use sea_orm::DbErr;
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::time::{interval, sleep};

/// How often rooms are looked through. Days are what people count in.
const OFTEN: Duration = Duration::from_secs(10 * 60);

/// How long others have the database to themselves between two batches.
const PAUSE: Duration = Duration::from_millis(50);

/// Keeps to it; `default` is the site's number of days, for rooms that have none of their own.
pub(super) async fn keep_to_it(store: Store, default: Option<NonZeroU32>) {
    let mut often = interval(OFTEN);
    loop {
        often.tick().await;
        match sweep(&store, default).await {
            Ok(0) => {}
            Ok(events) => tracing::info!(events, "what was too old is gone"),
            Err(error) => tracing::warn!(%error, "old messages cannot be removed just now"),
        }
    }
}

/// Goes through all rooms once; returns how many events went.
async fn sweep(store: &Store, default: Option<NonZeroU32>) -> Result<u64, DbErr> {
    let (mut gone, mut after) = (0, 0);
    loop {
        let rooms = store.keeping(after, default).await?;
        let Some(last) = rooms.last() else { break };
        after = last.room_id;
        for keeping in rooms {
            loop {
                match store.forget_oldest(keeping).await? {
                    0 => break,
                    events => gone += events,
                }
                sleep(PAUSE).await;
            }
        }
    }
    if gone > 0 {
        store.forget_deleted().await;
    }
    Ok(gone)
}
