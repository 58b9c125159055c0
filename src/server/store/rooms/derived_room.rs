//! Rooms without a row. Viewing a room stores nothing; its first message creates the row.
//!
//! Until then every node derives the room's id and epoch from its name, with a key of the site (HMAC-SHA-256), and the
//! row gets the same values. So a live room, its presence and its first message refer to the same room on every node,
//! before and after. Derived ids are negative, unlike ids that the database assigns. The hash includes the number of
//! rooms that were deleted at the address, so that a room never gets the id or the epoch of an earlier one.

use super::room::{RoomRecord, RoomRef, new};
use crate::domain::{Epoch, RoomName};
use crate::server::store::database::chunks::chunked;
use crate::server::store::entity::site::{DERIVATION_KEY, RESTORED_KEY};
use crate::server::store::entity::{deleted_room, room, site};
use crate::server::store::{AppendRequest, Store, StoreError};
use crate::server::telemetry::metrics::timed;
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use sha2::Sha256;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// The site's key for ids and epochs, read at the first use; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct RoomDerivation(Arc<OnceCell<DerivationKey>>);

#[derive(Clone)]
pub(crate) struct DerivationKey {
    key: Hmac<Sha256>,
    /// Whether a history that clients have seen may be lost.
    restored: bool,
}

impl DerivationKey {
    fn hash(&self, purpose: &[u8], name: &RoomName, times: i64) -> [u8; 32] {
        let mac = self.key.clone().chain_update(purpose).chain_update(times.to_be_bytes());
        mac.chain_update(name.as_str()).finalize().into_bytes().into()
    }

    /// Returns the key under which deletions at an address are counted.
    fn address(&self, name: &RoomName) -> Vec<u8> {
        self.hash(b"deleted", name, 0)[..16].to_vec()
    }

    /// Derives the room of this name, after `times` earlier rooms were deleted.
    fn room(&self, name: &RoomName, times: i64) -> RoomRef {
        let hash = self.hash(b"room", name, times);
        let id = i64::from_be_bytes(std::array::from_fn(|index| hash[index])) | i64::MIN;
        let epoch = hash[8..12].iter().map(|byte| format!("{byte:02x}")).collect();
        RoomRef { id, name: name.clone(), epoch: Epoch(epoch) }
    }

    /// Stores the rows of the rooms that these entries begin, in the transaction that stores the entries. Skips a room
    /// that was deleted in the meantime, or whose address leads to another one: its entries find no row.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::RoomGone`] if a room is deleted at the same time.
    pub(crate) async fn begin_rooms(
        &self,
        transaction: &impl ConnectionTrait,
        entries: &[AppendRequest],
    ) -> Result<(), StoreError> {
        let begins = entries.iter().filter_map(|entry| Some((entry.begins.as_ref()?, entry.room_id)));
        // In a fixed order, which prevents deadlocks between two batches.
        let begins: BTreeMap<&str, (&RoomName, i64)> = begins.map(|begin| (begin.0.as_str(), begin)).collect();
        for (name, id) in begins.into_values() {
            let times = deletions(self.address(name)).one(transaction).await?;
            let room = self.room(name, times.unwrap_or_default());
            if room.id != id {
                continue;
            }
            let row = room::ActiveModel { id: Set(id), epoch: Set(room.epoch.0), ..new(name) };
            let at_most_once = OnConflict::column(room::Column::Name).do_nothing().to_owned();
            room::Entity::insert(row).on_conflict(at_most_once).exec_without_returning(transaction).await?;
            // The insert may have waited for a deletion, after which this id must not be used again.
            if deletions(self.address(name)).one(transaction).await? != times {
                return Err(StoreError::RoomGone(id));
            }
        }
        Ok(())
    }
}

impl RoomRef {
    /// Returns whether the id was derived: the room may have no row yet.
    pub(crate) fn is_derived(&self) -> bool {
        self.id < 0
    }
}

/// The room that an address leads to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AddressedRoom {
    pub(crate) id: i64,
    pub(crate) has_row: bool,
}

impl Store {
    /// Returns the room of this name as it is before its first message.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn vacant(&self, name: &RoomName) -> Result<RoomRecord, StoreError> {
        let site = self.derivation().await?;
        let (reader, address) = (self.reader.clone(), site.address(name));
        let query = move || {
            let (reader, deletions) = (reader.clone(), deletions(address.clone()));
            async move { Ok(timed("deletions", deletions.one(&reader)).await?) }
        };
        let times = self.vacated.try_run(name, query).await?;
        Ok(RoomRecord::vacant(site.room(name, times.unwrap_or_default())))
    }

    /// Returns whether the present room is the only history that its address has ever shown. Then a number alone
    /// identifies a client's position; otherwise the epoch is needed, too.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn is_only_history(&self, name: &RoomName) -> Result<bool, StoreError> {
        let site = self.derivation().await?;
        Ok(!site.restored && deletions(site.address(name)).one(&self.reader).await?.is_none())
    }

    /// Returns the rooms that these addresses lead to now.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn addressed(&self, names: &[RoomName]) -> Result<HashMap<RoomName, AddressedRoom>, StoreError> {
        let site = self.derivation().await?;
        let (texts, addresses): (Vec<&str>, Vec<Vec<u8>>) =
            names.iter().map(|name| (name.as_str(), site.address(name))).unzip();
        let mut times: HashMap<Vec<u8>, i64> = HashMap::new();
        for chunk in chunked(self.reader.get_database_backend(), &addresses) {
            let rows = deleted_room::Entity::find().filter(deleted_room::Column::Address.is_in(chunk.to_vec()));
            times.extend(rows.all(&self.reader).await?.into_iter().map(|row| (row.address, row.times)));
        }
        let derived = |(name, address): (&RoomName, Vec<u8>)| {
            let id = site.room(name, times.get(&address).copied().unwrap_or_default()).id;
            (name.clone(), AddressedRoom { id, has_row: false })
        };
        let mut addressed: HashMap<_, _> = names.iter().zip(addresses.clone()).map(derived).collect();
        for chunk in chunked(self.reader.get_database_backend(), &texts) {
            let rows = room::Entity::find()
                .select_only()
                .columns([room::Column::Name, room::Column::Id])
                .filter(room::Column::Name.is_in(chunk.iter().copied()))
                .into_tuple::<(String, i64)>();
            let rows = rows.all(&self.reader).await?.into_iter();
            addressed
                .extend(rows.map(|(name, id)| (RoomName::from_trusted(name), AddressedRoom { id, has_row: true })));
        }
        Ok(addressed)
    }

    /// Counts a deletion at the room's address, in the transaction that deletes the room.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn note_deletion(
        &self,
        transaction: &impl ConnectionTrait,
        name: &RoomName,
    ) -> Result<(), StoreError> {
        let address = self.derivation().await?.address(name);
        let row = deleted_room::ActiveModel { address: Set(address), times: Set(1) };
        let once_more = Expr::col((deleted_room::Entity, deleted_room::Column::Times)).add(1);
        let counted =
            OnConflict::column(deleted_room::Column::Address).value(deleted_room::Column::Times, once_more).to_owned();
        deleted_room::Entity::insert(row).on_conflict(counted).exec_without_returning(transaction).await?;
        Ok(())
    }

    /// Lets a room's address lead to a new room from now on, if it still leads to this one. Called when the room's row
    /// is missing although its log had events.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn abandon(&self, room: &RoomRef) -> Result<(), StoreError> {
        let site = self.derivation().await?;
        let transaction = self.begin().await?;
        let times = deletions(site.address(&room.name)).one(&transaction).await?.unwrap_or_default();
        if site.room(&room.name, times).id == room.id {
            tracing::error!(room = room.id, "The database went back in time; this address now begins another room");
            self.note_deletion(&transaction, &room.name).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Returns the site's key for derived ids and epochs.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read or written.
    pub(crate) async fn derivation(&self) -> Result<&DerivationKey, StoreError> {
        let read = async {
            let key = self.get_or_create_secret(DERIVATION_KEY).await?;
            let key = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
            let restored = site::Entity::find_by_id(RESTORED_KEY).one(&self.reader).await?.is_some();
            Ok(DerivationKey { key, restored })
        };
        self.derivation.0.get_or_try_init(|| read).await
    }
}

/// Returns a query for the number of rooms that were deleted at an address. It yields no row if none was.
fn deletions(address: Vec<u8>) -> sea_orm::Selector<sea_orm::SelectGetableTuple<i64>> {
    let of_address = deleted_room::Entity::find_by_id(address);
    of_address.select_only().column(deleted_room::Column::Times).into_tuple()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RejectionCode;
    use crate::server::auth::identity::AuthorId;
    use crate::server::random::event_id;
    use crate::server::store::{AppendResult, Locking, NewEvent};

    #[tokio::test]
    async fn no_room_gets_the_id_or_the_epoch_of_one_before_it() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/parlour.db", directory.path().display());
        let store = Store::open(&url).await.unwrap();
        let name = RoomName::parse("harbour").unwrap();
        let mut seen = Vec::new();
        for _ in 0..3 {
            let vacant = store.vacant(&name).await.unwrap();
            let stored = store.create_room(&name).await.unwrap();
            assert_eq!((stored.room.clone(), stored.head), (vacant.room, 0));
            assert!(stored.room.is_derived());
            assert_eq!(store.is_only_history(&name).await.unwrap(), seen.is_empty());
            store.delete_room(stored.room.id).await.unwrap();
            seen.push(stored.room);
        }
        let now = store.addressed(std::slice::from_ref(&name)).await.unwrap()[&name];
        assert!(!now.has_row && seen.iter().all(|room| room.id != now.id), "{now:?}");
        assert!(seen[0].epoch != seen[1].epoch && seen[1].epoch != seen[2].epoch && seen[0].epoch != seen[2].epoch);
        // A late message for an earlier room does not recreate that room.
        let late = AppendRequest {
            room_id: seen[0].id,
            begins: Some(name.clone()),
            author: AuthorId::HOST,
            id: event_id(),
            new_event: NewEvent::Delete { target: 1 },
        };
        let appended = store.append(&[late], Locking::Wait).await.unwrap();
        let [AppendResult::Rejected(rejection)] = &appended[..] else { panic!("{appended:?}") };
        assert_eq!(rejection.code, RejectionCode::Unavailable, "it is to be sent again");
        assert_eq!(store.room(&name).await.unwrap(), None);
    }

    #[tokio::test]
    async fn sites_and_names_derive_rooms_of_their_own() {
        let directory = tempfile::tempdir().unwrap();
        let mut ids = std::collections::BTreeSet::new();
        for site in ["one", "two"] {
            let url = format!("sqlite://{}/{site}.db", directory.path().display());
            let store = Store::open(&url).await.unwrap();
            for name in ["harbour", "tavern", "harbour"] {
                let room = store.vacant(&RoomName::parse(name).unwrap()).await.unwrap().room;
                assert_eq!(room.epoch.0.len(), 8);
                ids.insert(room.id);
            }
        }
        assert_eq!(ids.len(), 4);
    }
}
