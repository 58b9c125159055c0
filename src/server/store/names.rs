//! Names in a room: each is held by the identity that last used it there, for a while, with all that look alike.

use super::entity::name::{Column, Entity, Model};
use super::runs::{among, are_among, insert, runs};
use super::skeleton::skeletons;
use super::{Draft, Entry, Store, now};
use crate::domain::{Rejection, RejectionCode, Username};
use crate::server::identity::Author;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect,
    sea_query::OnConflict,
};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// How long a name is held after it was last used.
const HELD_MS: i64 = 30 * DAY_MS;

/// Maximum number of skeletons that one identity holds in a room. Those used longest ago are released.
const MAX_HELD: usize = 20;

/// Numbers that are tried to find a free name: small ones, and then what nobody will have taken on purpose.
const SMALL: std::ops::RangeInclusive<u16> = 2..=20;
const BY_CHANCE: usize = 4;

type Key = (i64, String);

/// What a transaction knows of the names that it uses, in rooms that it has locked.
pub(super) struct Names {
    now: i64,
    skeletons: HashMap<Username, Vec<String>>,
    held: HashMap<Key, Model>,
    changed: HashSet<Key>,
    /// Identities that hold a name which they did not hold before, with the room.
    claimed: HashSet<(i64, Vec<u8>)>,
}

impl Names {
    /// Looks up who holds the names of these entries.
    pub(super) async fn look_up(
        transaction: &DatabaseTransaction,
        entries: impl Iterator<Item = &Entry>,
        now: i64,
    ) -> Result<Self, DbErr> {
        let mut names = Self {
            now,
            skeletons: HashMap::new(),
            held: HashMap::new(),
            changed: HashSet::new(),
            claimed: HashSet::new(),
        };
        let mut used: HashSet<Key> = HashSet::new();
        for entry in entries {
            if let Draft::Message { username, .. } = &entry.draft {
                if !names.skeletons.contains_key(username) {
                    names.skeletons.insert(username.clone(), skeletons(username));
                }
                used.extend(names.skeletons[username].iter().map(|skeleton| (entry.room_id, skeleton.clone())));
            }
        }
        let used: Vec<Key> = used.into_iter().collect();
        let rows = among(transaction, || held(now), [Column::RoomId, Column::Skeleton], &used).await?;
        names.held.extend(rows.into_iter().map(|row| ((row.room_id, row.skeleton.clone()), row)));
        Ok(names)
    }

    /// Lets `author` use a name, and hold it from now on; a guest holds nothing. False where somebody else holds it.
    pub(super) fn claim(&mut self, room_id: i64, username: &Username, author: &Author) -> bool {
        let skeletons = self.skeletons.get(username).map(Vec::as_slice).unwrap_or_default();
        let keys = skeletons.iter().map(|skeleton| (room_id, skeleton.clone()));
        let own = |row: &Model| row.author == author.as_bytes();
        if keys.clone().any(|key| self.held.get(&key).is_some_and(|row| !own(row))) {
            return false;
        }
        if author.is_guest() {
            return true;
        }
        // Whoever goes on talking costs a write a day.
        for key in
            keys.filter(|key| self.held.get(key).is_none_or(|row| self.now - row.at >= DAY_MS)).collect::<Vec<_>>()
        {
            let row = Model { room_id, skeleton: key.1.clone(), author: author.as_bytes().to_vec(), at: self.now };
            if self.held.insert(key.clone(), row).is_none() {
                self.claimed.insert((room_id, author.as_bytes().to_vec()));
            }
            self.changed.insert(key);
        }
        true
    }

    pub(super) async fn write(mut self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        let changed: Vec<Model> = self.changed.iter().filter_map(|key| self.held.remove(key)).collect();
        let renewed = OnConflict::columns([Column::RoomId, Column::Skeleton])
            .update_columns([Column::Author, Column::At])
            .to_owned();
        insert(transaction, &changed, Some(&renewed)).await?;
        self.release(transaction).await
    }

    /// Releases the names used longest ago of those who hold too many.
    async fn release(self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        let claimed: Vec<(i64, Vec<u8>)> = self.claimed.into_iter().collect();
        let mut rows = among(transaction, Entity::find, [Column::RoomId, Column::Author], &claimed).await?;
        rows.sort_unstable_by_key(|row| Reverse(row.at));
        let mut counts: HashMap<(i64, Vec<u8>), usize> = HashMap::new();
        rows.retain(|row| {
            let count = counts.entry((row.room_id, row.author.clone())).or_default();
            *count += 1;
            *count > MAX_HELD
        });
        let released: Vec<Key> = rows.into_iter().map(|row| (row.room_id, row.skeleton)).collect();
        for some in runs(transaction.get_database_backend(), &released) {
            Entity::delete_many().filter(are_among([Column::RoomId, Column::Skeleton], some)).exec(transaction).await?;
        }
        Ok(())
    }
}

impl Store {
    /// Whether somebody else than `author` holds this name in the room.
    pub(crate) async fn is_taken(&self, room_id: i64, username: &Username, author: &Author) -> Result<bool, DbErr> {
        let skeletons = skeletons(username);
        Ok(!held_by_others(&self.reader, room_id, skeletons, author).await?.is_empty())
    }

    /// Removes the names that nobody holds any more. How many these were.
    pub(crate) async fn forget_names(&self) -> Result<u64, DbErr> {
        let old = || Column::At.lte(now() - HELD_MS);
        // Rooms are looked for by a reader: whoever writes does not wait for it.
        let rooms = Entity::find().select_only().column(Column::RoomId).distinct().filter(old());
        let mut gone = 0;
        for room_id in rooms.into_tuple::<i64>().all(&self.reader).await? {
            let of_room = Entity::delete_many().filter(Column::RoomId.eq(room_id)).filter(old());
            gone += of_room.exec(&self.writer).await?.rows_affected;
        }
        Ok(gone)
    }

    /// Why `author` cannot use a name that is taken, and which is free.
    pub(crate) async fn taken(&self, room_id: i64, username: &Username, author: &Author) -> Result<Rejection, DbErr> {
        taken(&self.reader, room_id, username, author).await
    }
}

/// The same, inside a transaction.
pub(super) async fn taken(
    connection: &impl ConnectionTrait,
    room_id: i64,
    username: &Username,
    author: &Author,
) -> Result<Rejection, DbErr> {
    let by_chance = uuid::Uuid::new_v4().into_bytes();
    let by_chance = by_chance.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]]) | 1 << 10);
    let candidates = SMALL.chain(by_chance.take(BY_CHANCE)).map(|number| username.numbered(number));
    let candidates: Vec<(Username, Vec<String>)> = candidates.map(|name| (name.clone(), skeletons(&name))).collect();
    let all = candidates.iter().flat_map(|(_, skeletons)| skeletons.clone()).collect();
    let others = held_by_others(connection, room_id, all, author).await?;
    let free = candidates.iter().find(|(_, skeletons)| !skeletons.iter().any(|skeleton| others.contains(skeleton)));
    let advice = free.map_or_else(|| "Choose another.".to_owned(), |(name, _)| format!("{name} is free."));
    Ok(Rejection::new(RejectionCode::UsernameTaken, format!("{username} is in use in this room. {advice}")))
}

/// Those of these skeletons that somebody else than `author` holds in the room.
async fn held_by_others(
    connection: &impl ConnectionTrait,
    room_id: i64,
    skeletons: Vec<String>,
    author: &Author,
) -> Result<HashSet<String>, DbErr> {
    if skeletons.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = held(now())
        .filter(Column::RoomId.eq(room_id))
        .filter(Column::Skeleton.is_in(skeletons))
        .filter(Column::Author.ne(author.as_bytes()))
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| row.skeleton).collect())
}

/// The names that are held, of all rooms.
fn held(now: i64) -> sea_orm::Select<Entity> {
    Entity::find().filter(Column::At.gt(now - HELD_MS))
}
