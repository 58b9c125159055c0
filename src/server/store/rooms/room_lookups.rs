//! Results of room look-ups, valid until something is committed. Only for SQLite: its state can be read without a query.
//! Only of public rooms: the time of a response must not tell whether a private room exists.

use super::room::RoomRecord;
use crate::domain::RoomName;
use crate::server::store::database::wal_index::{DatabaseState, WalIndex};
use crate::server::sync::lock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Maximum number of results.
const MAX_LOOKUPS: usize = 1024;

/// A cheap-to-clone handle on the results.
#[derive(Clone)]
pub(crate) struct RoomLookups {
    index: Option<Arc<WalIndex>>,
    known: Arc<Mutex<KnownRooms>>,
}

/// Rooms as they are in one state of the database; `None` if there is no such room.
#[derive(Default)]
struct KnownRooms {
    state: Option<DatabaseState>,
    rooms: HashMap<RoomName, Option<RoomRecord>>,
}

impl RoomLookups {
    /// Returns no results. Without an index, there never are any.
    pub(crate) fn new(index: Option<WalIndex>) -> Self {
        Self { index: index.map(Arc::new), known: Arc::default() }
    }

    /// Returns the current state of the database, to pass to [`put`](Self::put). Must be called before the query.
    pub(crate) fn state(&self) -> Option<DatabaseState> {
        self.index.as_ref()?.state()
    }

    /// Returns the result of the latest look-up of this name, or `None` if something was committed since.
    pub(crate) fn get(&self, name: &RoomName) -> Option<Option<RoomRecord>> {
        let state = self.state()?;
        let known = lock(&self.known);
        known.rooms.get(name).filter(|_| known.state == Some(state)).cloned()
    }

    /// Keeps the result of a look-up that began in this state.
    pub(crate) fn put(&self, name: &RoomName, state: Option<DatabaseState>, found: &Option<RoomRecord>) {
        if state.is_none() {
            return;
        }
        let known = &mut *lock(&self.known);
        if known.state != state || known.rooms.len() >= MAX_LOOKUPS {
            *known = KnownRooms { state, rooms: HashMap::new() };
        }
        known.rooms.insert(name.clone(), found.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::auth::identity::AuthorId;
    use crate::server::store::Store;
    use crate::server::store::database::sqlite::{connect_to_read, connect_to_write, migrate};
    use crate::server::store::database::timeout::TimeoutConnection;
    use sea_orm::ConnectionTrait;
    use std::path::Path;

    fn url(path: &Path) -> String {
        format!("sqlite://{}", path.display())
    }

    /// Opens a store that commits nothing in the background.
    async fn open(path: &Path) -> Store {
        migrate(&url(path)).await.unwrap().close().await.unwrap();
        let writer = connect_to_write(&url(path)).await.unwrap();
        let reader = TimeoutConnection::unlimited(connect_to_read(&url(path), 2).await.unwrap());
        Store { lookups: RoomLookups::new(Some(WalIndex::new(path))), ..Store::new(writer, reader, None) }
    }

    #[tokio::test]
    async fn a_look_up_is_reused_until_something_is_committed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("parlour.db");
        let store = open(&path).await;
        let name = RoomName::parse("harbour").unwrap();
        assert_eq!(store.room(&name).await.unwrap(), None);
        assert_eq!(store.lookups.get(&name), Some(None), "that there is none is a result");
        let created = store.create_room(&name).await.unwrap();
        for _ in 0..2 {
            assert_eq!(store.room(&name).await.unwrap(), Some(created.clone()));
            assert!(store.lookups.get(&name).is_some());
        }
        let other = connect_to_write(&url(&path)).await.unwrap();
        for head in 1..9 {
            other.execute_unprepared(&format!("UPDATE rooms SET head = {head}")).await.unwrap();
            assert_eq!(store.lookups.get(&name), None);
            assert_eq!(store.room(&name).await.unwrap().unwrap().head, head);
        }
    }

    #[tokio::test]
    async fn a_private_room_is_looked_up_each_time() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory.path().join("parlour.db")).await;
        let title = RoomName::parse("club").unwrap();
        let name = store.create_private_room(&title, None, &AuthorId::HOST).await.unwrap();
        assert!(store.room(&name).await.unwrap().is_some());
        assert_eq!(store.lookups.get(&name), None);
    }

    #[tokio::test]
    async fn a_result_of_an_earlier_state_is_not_kept_for_a_later_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("parlour.db");
        let store = open(&path).await;
        let name = RoomName::parse("harbour").unwrap();
        let before = store.lookups.state();
        let created = store.create_room(&name).await.unwrap();
        assert_eq!(store.lookups.get(&name), Some(Some(created)));
        store.lookups.put(&name, before, &None);
        assert_eq!(store.lookups.get(&name), None);
        assert!(store.room(&name).await.unwrap().is_some());
        store.lookups.put(&name, None, &None);
        assert!(store.lookups.get(&name).flatten().is_some(), "a state that could not be told");
        for number in 0..2 * MAX_LOOKUPS {
            let name = RoomName::parse(&format!("room{number}")).unwrap();
            store.lookups.put(&name, store.lookups.state(), &None);
            assert!(lock(&store.lookups.known).rooms.len() <= MAX_LOOKUPS);
        }
    }
}
