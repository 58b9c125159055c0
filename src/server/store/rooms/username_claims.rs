//! Username claims in a room: the identity that last used a name holds it, with all names that look alike, for 30 days.

use super::confusables::skeletons;
use crate::domain::timestamp::DAY_MS;
use crate::domain::{Rejection, Username};
use crate::server::auth::identity::AuthorId;
use crate::server::store::database::chunks::{chunked, insert, pair_in, select_pairs};
use crate::server::store::entity::name::{Column, Entity, Model};
use crate::server::store::{AppendRequest, MentionCandidates, NewEvent, Store, StoreError};
use crate::server::time::now_ms;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

/// Time for which a name is held after its last use, in milliseconds.
const CLAIM_TTL_MS: i64 = 30 * DAY_MS;

/// Maximum number of skeletons that one identity holds in a room. Those used longest ago are released.
const MAX_CLAIMS_PER_AUTHOR: usize = 20;

/// Maximum number of claims to remove per query, and per transaction.
const CLAIM_PURGE_PAGE: u64 = 10_000;
const CLAIM_PURGE_BATCH: usize = 250;

type NameKey = (i64, String);

/// A name that an author wanted in a room, where another author holds it.
#[derive(Clone, Debug)]
pub(crate) struct TakenName {
    pub(crate) room_id: i64,
    pub(crate) username: Username,
    pub(crate) author: AuthorId,
}

/// The claims that a transaction has read and changed, in rooms that it has locked.
pub(crate) struct UsernameClaims {
    now: i64,
    skeletons: HashMap<Username, Vec<String>>,
    held: HashMap<NameKey, Model>,
    changed: HashSet<NameKey>,
    /// Identities that claimed a further name in this transaction, with the room.
    claimed: HashSet<(i64, Vec<u8>)>,
}

impl UsernameClaims {
    /// Looks up the holders of the names in these entries: those of their authors, and those that they may mention.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn look_up(
        transaction: &impl ConnectionTrait,
        entries: impl Iterator<Item = &AppendRequest>,
        now: i64,
    ) -> Result<Self, DbErr> {
        let mut names = Self {
            now,
            skeletons: HashMap::new(),
            held: HashMap::new(),
            changed: HashSet::new(),
            claimed: HashSet::new(),
        };
        let mut used: HashSet<NameKey> = HashSet::new();
        for entry in entries {
            if let NewEvent::Message { username, .. } = &entry.new_event {
                if !names.skeletons.contains_key(username) {
                    names.skeletons.insert(username.clone(), skeletons(username));
                }
                used.extend(names.skeletons[username].iter().map(|skeleton| (entry.room_id, skeleton.clone())));
            }
            // In the query for the authors' names: a mention costs no further one.
            let mentioned = entry.new_event.mentions().into_iter().flat_map(MentionCandidates::skeletons);
            used.extend(mentioned.map(|skeleton| (entry.room_id, skeleton.clone())));
        }
        let used: Vec<NameKey> = used.into_iter().collect();
        let rows = select_pairs(transaction, || active_claims(now), [Column::RoomId, Column::Skeleton], &used).await?;
        names.held.extend(rows.into_iter().map(|row| ((row.room_id, row.skeleton.clone()), row)));
        Ok(names)
    }

    /// Claims a name for `author`; a guest may use a free name, but does not claim it. Returns `false` if another
    /// author holds the name.
    pub(crate) fn claim(&mut self, room_id: i64, username: &Username, author: &AuthorId) -> bool {
        let skeletons = self.skeletons.get(username).map(Vec::as_slice).unwrap_or_default();
        let keys = skeletons.iter().map(|skeleton| (room_id, skeleton.clone()));
        let own = |row: &Model| row.author == author.as_bytes();
        if keys.clone().any(|key| self.held.get(&key).is_some_and(|row| !own(row))) {
            return false;
        }
        if author.is_guest() {
            return true;
        }
        // Renewed once a day, so that an active author costs one write a day; or if the author writes the name in another
        // way.
        let is_current = |row: &Model| self.now - row.at < DAY_MS && row.username.as_deref() == Some(username.as_str());
        for key in keys.filter(|key| !self.held.get(key).is_some_and(is_current)).collect::<Vec<_>>() {
            let (skeleton, holder, name) = (key.1.clone(), author.as_bytes().to_vec(), username.to_string());
            let row = Model { room_id, skeleton, author: holder, at: self.now, username: Some(name) };
            if self.held.insert(key.clone(), row).is_none() {
                self.claimed.insert((room_id, author.as_bytes().to_vec()));
            }
            self.changed.insert(key);
        }
        true
    }

    /// Returns the claim to a name, or `None` if nobody holds it. Only names that were looked up are known.
    pub(crate) fn holder(&self, room_id: i64, skeleton: &str) -> Option<&Model> {
        self.held.get(&(room_id, skeleton.to_owned()))
    }

    /// Writes the changed claims.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn write(mut self, transaction: &impl ConnectionTrait) -> Result<(), DbErr> {
        let changed: Vec<Model> = self.changed.iter().filter_map(|key| self.held.remove(key)).collect();
        let renewed = OnConflict::columns([Column::RoomId, Column::Skeleton])
            .update_columns([Column::Author, Column::At, Column::Username])
            .to_owned();
        insert(transaction, &changed, Some(&renewed)).await?;
        self.release(transaction).await
    }

    /// Releases the least recently used names of authors who hold too many.
    async fn release(self, transaction: &impl ConnectionTrait) -> Result<(), DbErr> {
        let claimed: Vec<(i64, Vec<u8>)> = self.claimed.into_iter().collect();
        let mut rows = select_pairs(transaction, Entity::find, [Column::RoomId, Column::Author], &claimed).await?;
        rows.sort_unstable_by_key(|row| Reverse(row.at));
        let mut counts: HashMap<(i64, Vec<u8>), usize> = HashMap::new();
        rows.retain(|row| {
            let count = counts.entry((row.room_id, row.author.clone())).or_default();
            *count += 1;
            *count > MAX_CLAIMS_PER_AUTHOR
        });
        let released: Vec<NameKey> = rows.into_iter().map(|row| (row.room_id, row.skeleton)).collect();
        for chunk in chunked(transaction.get_database_backend(), &released) {
            Entity::delete_many().filter(pair_in([Column::RoomId, Column::Skeleton], chunk)).exec(transaction).await?;
        }
        Ok(())
    }
}

impl Store {
    /// Returns whether an author other than `author` holds this name in the room.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn is_taken(
        &self,
        room_id: i64,
        username: &Username,
        author: &AuthorId,
    ) -> Result<bool, StoreError> {
        let skeletons = skeletons(username);
        Ok(!held_by_others(&self.reader, room_id, skeletons, author).await?.is_empty())
    }

    /// Removes expired claims. Returns the number of removed rows.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn purge_username_claims(&self) -> Result<u64, StoreError> {
        let until = self.now().await? - CLAIM_TTL_MS;
        self.forget_names_that(|| Column::At.lte(until)).await
    }

    /// Removes an author's claims. Returns the number of removed rows.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn forget_names_of(&self, author: &AuthorId) -> Result<u64, StoreError> {
        self.forget_names_that(|| Column::Author.eq(author.as_bytes())).await
    }

    /// Removes all claims in a room. Returns the number of removed rows.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn forget_names_in(&self, room_id: i64) -> Result<u64, StoreError> {
        self.forget_names_that(|| Column::RoomId.eq(room_id)).await
    }

    /// Removes the claims that match `apply`. Finds them with a reader and removes them in small transactions, room by
    /// room, so that other writers do not wait. Returns the number of removed rows.
    async fn forget_names_that(&self, apply: impl Fn() -> Expr) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let found = Entity::find().select_only().columns([Column::RoomId, Column::Skeleton]).filter(apply());
            let found: Vec<NameKey> =
                found.order_by_asc(Column::RoomId).limit(CLAIM_PURGE_PAGE).into_tuple().all(&self.reader).await?;
            for names in found.chunk_by(|one, other| one.0 == other.0).flat_map(|room| room.chunks(CLAIM_PURGE_BATCH)) {
                let Some(transaction) = self.begin_in(names[0].0).await? else { continue };
                let skeletons = names.iter().map(|(_, skeleton)| skeleton.clone());
                let claims = Column::RoomId.eq(names[0].0).and(Column::Skeleton.is_in(skeletons)).and(apply());
                gone += Entity::delete_many().filter(claims).exec(&transaction).await?.rows_affected;
                transaction.commit().await?;
            }
            if (found.len() as u64) < CLAIM_PURGE_PAGE {
                return Ok(gone);
            }
        }
    }

    /// Returns the rejection of a taken name, with a free name as a suggestion if one was found.
    pub(crate) async fn taken(&self, room_id: i64, username: &Username, author: &AuthorId) -> Option<Rejection> {
        self.suggest(&[TakenName { room_id, username: username.clone(), author: *author }]).await.pop()
    }
}

/// Returns those of `skeletons` that an author other than `author` holds in the room.
async fn held_by_others(
    connection: &impl ConnectionTrait,
    room_id: i64,
    skeletons: Vec<String>,
    author: &AuthorId,
) -> Result<HashSet<String>, DbErr> {
    if skeletons.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = active_claims(now_ms())
        .filter(Column::RoomId.eq(room_id))
        .filter(Column::Skeleton.is_in(skeletons))
        .filter(Column::Author.ne(author.as_bytes()))
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| row.skeleton).collect())
}

/// Returns a query for the claims in force, of all rooms.
pub(crate) fn active_claims(now: i64) -> sea_orm::Select<Entity> {
    Entity::find().filter(Column::At.gt(now - CLAIM_TTL_MS))
}
