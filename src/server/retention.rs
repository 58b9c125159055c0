//! Lets go of messages that are older than their rooms keep them, and of names that nobody holds any more: now and then,
//! a little at a time, so that whoever talks does not notice.

use super::hub::Hub;
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
pub(super) async fn keep_to_it(store: Store, hub: Hub, default: Option<NonZeroU32>) {
    let mut often = interval(OFTEN);
    loop {
        often.tick().await;
        match sweep(&store, &hub, default).await {
            Ok(0) => {}
            Ok(events) => tracing::info!(events, "what was too old is gone"),
            Err(error) => tracing::warn!(%error, "old messages cannot be removed just now"),
        }
    }
}

/// Goes through all rooms once; returns how many events went.
async fn sweep(store: &Store, hub: &Hub, default: Option<NonZeroU32>) -> Result<u64, DbErr> {
    let (mut gone, mut after) = (0, i64::MIN);
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
            // Also where another node has removed them.
            hub.forget_oldest(keeping.room_id).await?;
        }
    }
    let names = store.forget_names().await?;
    if gone + names > 0 {
        store.forget_deleted();
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EventId, MessageText, RoomName, Username};
    use crate::server::identity::Identities;
    use crate::server::store::{Appended, Draft, Entry, Locking};

    #[tokio::test]
    async fn what_has_gone_from_the_log_has_gone_from_memory() {
        let directory = std::env::temp_dir().join(format!("parlour-{}", uuid::Uuid::new_v4()));
        let store = Store::open(&format!("sqlite://{}/parlour.db", directory.display())).await.unwrap();
        let (hub, _changes) = Hub::new(store.clone());
        let room = store.create_room(&RoomName::parse("harbour").unwrap()).await.unwrap().room;
        let live = hub.enter(&room).await.unwrap();
        for n in 1..=3 {
            let draft = Draft::Message { username: Username::anonymous(), text: MessageText::parse("x").unwrap() };
            let id = EventId::parse(&n.to_string()).unwrap();
            let entry = Entry { room_id: room.id, begins: None, author: Identities::guest(), id, draft };
            let appended = store.append(&[entry], Locking::Wait).await.unwrap();
            let Some(Appended::New(event)) = appended.into_iter().next() else { panic!("a new event") };
            hub.publish(room.id, vec![event.into()]);
        }
        assert_eq!(live.remembered(), 3);
        store.age(room.id, 2).await;
        assert_eq!(sweep(&store, &hub, NonZeroU32::new(7)).await.unwrap(), 2);
        assert_eq!((live.remembered(), live.head()), (1, 3));
        store.age(room.id, 3).await;
        assert_eq!(sweep(&store, &hub, NonZeroU32::new(7)).await.unwrap(), 1);
        assert_eq!((live.remembered(), live.head()), (0, 3));
        std::fs::remove_dir_all(directory).unwrap();
    }
}
