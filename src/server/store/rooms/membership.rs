//! Queries on memberships: lookup before admission, admission of members, and removal of outdated rows.

use super::members::{PERMANENT, new};
use crate::domain::AuthorTag;
use crate::domain::moderation::MAX_SLOW_MODE_SECONDS;
use crate::server::auth::identity::AuthorId;
use crate::server::store::database::chunks::insert;
use crate::server::store::database::clock;
use crate::server::store::entity::name;
use crate::server::store::entity::standing::{Column, Entity, Model};
use crate::server::store::{Store, StoreError};
use crate::server::telemetry::metrics::timed;
use crate::server::time::now_ms;
use sea_orm::{
    ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use std::collections::{HashMap, HashSet};

/// Maximum number of authors per query. For more authors, all memberships of the room are read instead, in pages of
/// [`MEMBERSHIP_PAGE`] rows.
const MAX_AUTHORS_PER_QUERY: usize = 500;
const MEMBERSHIP_PAGE: u64 = 10_000;

/// Maximum number of authors with a membership that are listed for the owner of a room.
const MAX_MARKED_AUTHORS: u64 = 500;

/// Maximum number of authors admitted per transaction.
const MEMBERS_PER_TRANSACTION: usize = 5000;

/// Maximum number of outdated rows per query, and per transaction.
const MEMBERSHIP_PURGE_PAGE: u64 = 10_000;
const MEMBERSHIP_PURGE_BATCH: usize = 250;

/// The membership of an author in a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Membership {
    /// Whether the author may enter a locked or private room.
    pub(crate) member: bool,
    /// End of a ban, in UTC milliseconds, or `None` if the author is not banned.
    pub(crate) banned_until: Option<i64>,
    /// End of a mute, in UTC milliseconds; 0 if the author is not muted. Does not apply to owners.
    pub(crate) muted_until: i64,
}

/// Columns of a row: whether the author is a member, and the ends of a ban and of a mute, in UTC milliseconds.
type StoredMembership = (bool, i64, i64);

impl Membership {
    /// Returns the membership that these rows of an author amount to at a time, in UTC milliseconds.
    fn at(now: i64, stored: &[StoredMembership]) -> Self {
        let banned_until = stored.iter().map(|stored| stored.1).max();
        let muted_until = stored.iter().map(|stored| stored.2).max();
        Self {
            member: stored.iter().any(|stored| stored.0),
            banned_until: banned_until.filter(|&until| until > now),
            muted_until: muted_until.filter(|&until| until > now).unwrap_or_default(),
        }
    }

    /// Returns whether the author was removed from a private room.
    pub(crate) fn is_removed(&self) -> bool {
        self.banned_until == Some(PERMANENT)
    }
}

impl Store {
    /// Returns the membership of each author in the room, in order, with few queries for any number of authors.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn memberships(&self, room_id: i64, authors: &[AuthorId]) -> Result<Vec<Membership>, StoreError> {
        // Guests share the membership of their network.
        let wanted: HashSet<[u8; 16]> = authors.iter().flat_map(AuthorId::standings).collect();
        let rows = if wanted.len() > MAX_AUTHORS_PER_QUERY {
            timed("standings", self.all_memberships(room_id, &wanted)).await?
        } else {
            let wanted = wanted.iter().map(|author| author.to_vec());
            let found = Entity::find().filter(Column::RoomId.eq(room_id)).filter(Column::Author.is_in(wanted));
            let found = timed("standings", found.all(&self.reader)).await?;
            found.into_iter().map(|row| (row.author, (row.member, row.banned_until, row.muted_until))).collect()
        };
        let now = now_ms();
        let stored = |author: &AuthorId| -> Vec<StoredMembership> {
            author.standings().filter_map(|author| rows.get(&author[..]).copied()).collect()
        };
        Ok(authors.iter().map(|author| Membership::at(now, &stored(author))).collect())
    }

    /// Returns the membership of an author in each of these rooms, with one query. Leaves out rooms without one.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn memberships_of(
        &self,
        author: &AuthorId,
        rooms: &[i64],
    ) -> Result<HashMap<i64, Membership>, StoreError> {
        let wanted = author.standings().map(|author| author.to_vec());
        let of_rooms = Column::RoomId.is_in(rooms.iter().copied());
        let found = Entity::find().filter(of_rooms).filter(Column::Author.is_in(wanted));
        let mut stored: HashMap<i64, Vec<StoredMembership>> = HashMap::new();
        for row in timed("standings", found.all(&self.reader)).await? {
            stored.entry(row.room_id).or_default().push((row.member, row.banned_until, row.muted_until));
        }
        let now = now_ms();
        Ok(stored.into_iter().map(|(room_id, stored)| (room_id, Membership::at(now, &stored))).collect())
    }

    /// Reads all memberships of the room, and returns those of the authors in `wanted`.
    async fn all_memberships(
        &self,
        room_id: i64,
        wanted: &HashSet<[u8; 16]>,
    ) -> Result<HashMap<Vec<u8>, StoredMembership>, DbErr> {
        let (mut rows, mut after) = (HashMap::new(), Vec::new());
        loop {
            let page: Vec<(Vec<u8>, bool, i64, i64)> = Entity::find()
                .select_only()
                .columns([Column::Author, Column::Member, Column::BannedUntil, Column::MutedUntil])
                .filter(Column::RoomId.eq(room_id).and(Column::Author.gt(after)))
                .order_by_asc(Column::Author)
                .limit(MEMBERSHIP_PAGE)
                .into_tuple()
                .all(&self.reader)
                .await?;
            let is_last = (page.len() as u64) < MEMBERSHIP_PAGE;
            after = page.last().map(|(author, ..)| author.clone()).unwrap_or_default();
            let wanted = page.into_iter().filter(|(author, ..)| wanted.contains(author.as_slice()));
            rows.extend(wanted.map(|(author, member, banned, muted)| (author, (member, banned, muted))));
            if is_last {
                return Ok(rows);
            }
        }
    }

    /// Returns the authors with this tag who have a membership in the room, or hold a name in it.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn tagged(&self, room_id: i64, tag: &AuthorTag) -> Result<Vec<AuthorId>, StoreError> {
        let Some(first) = tag.bytes() else { return Ok(Vec::new()) };
        // Between the least and above the greatest 16 bytes with this prefix.
        let (least, above) = ([&first[..], &[0; 14]].concat(), [&first[..], &[0xff; 15]].concat());
        let membership_of = Entity::find()
            .select_only()
            .column(Column::Author)
            .filter(Column::RoomId.eq(room_id))
            .filter(Column::Author.between(least.clone(), above.clone()));
        let named = name::Entity::find()
            .select_only()
            .column(name::Column::Author)
            .filter(name::Column::RoomId.eq(room_id))
            .filter(name::Column::Author.between(least, above));
        let mut authors: Vec<Vec<u8>> = membership_of.into_tuple().all(&self.reader).await?;
        authors.extend(named.into_tuple::<Vec<u8>>().all(&self.reader).await?);
        let authors = authors.iter().filter_map(|author| AuthorId::from_stored(author));
        Ok(authors.filter(|author| !author.is_of_network()).collect())
    }

    /// Returns authors who are members of a room, or muted or banned in it.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn marked_authors(&self, room_id: i64) -> Result<Vec<AuthorId>, StoreError> {
        use Column::{Author, BannedUntil, Member, MutedUntil, RoomId};
        let now = self.now().await?;
        let marked = Condition::any().add(BannedUntil.gt(now)).add(MutedUntil.gt(now)).add(Member.eq(true));
        // Bans and mutes first: they are few, and no other list shows them.
        let rows = Entity::find()
            .select_only()
            .column(Author)
            .filter(RoomId.eq(room_id))
            .filter(marked)
            .order_by_desc(BannedUntil)
            .order_by_desc(MutedUntil)
            .limit(MAX_MARKED_AUTHORS);
        let authors: Vec<Vec<u8>> = timed("people", rows.into_tuple().all(&self.reader)).await?;
        Ok(authors.iter().filter_map(|author| AuthorId::from_stored(author)).collect())
    }

    /// Makes these authors members, who may enter the room although it is locked or private. Locks the room's row
    /// first, as every writer does. Does nothing if there is no such room.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn add_members(&self, room_id: i64, authors: &[AuthorId]) -> Result<(), StoreError> {
        let member = OnConflict::columns([Column::RoomId, Column::Author]).update_column(Column::Member).to_owned();
        for chunk in authors.chunks(MEMBERS_PER_TRANSACTION) {
            let row = |author: &AuthorId| Model { member: true, ..new(room_id, author.as_bytes().to_vec()) };
            let rows: Vec<Model> = chunk.iter().map(row).collect();
            let written = async {
                // A deleted room has no members.
                let Some(transaction) = self.begin_in(room_id).await? else { return Ok(()) };
                insert(&transaction, &rows, Some(&member)).await?;
                transaction.commit().await
            };
            self.writer.with_timeout(written).await?;
        }
        Ok(())
    }

    /// Removes outdated rows: those of authors who are neither members nor muted nor banned, and who are not in a slow
    /// mode interval. Returns the number of rows.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn purge_memberships(&self) -> Result<u64, StoreError> {
        let now = self.now().await?;
        let spoke = Condition::any()
            .add(Column::SpokeAt.lt(now - i64::from(MAX_SLOW_MODE_SECONDS) * 1000))
            .add(Column::SpokeAt.gt(now + clock::MAX_AHEAD_MS));
        let over = Condition::all()
            .add(Column::Member.eq(false))
            .add(Column::MutedUntil.lte(now))
            .add(Column::BannedUntil.lte(now))
            .add(spoke);
        let mut gone = 0;
        loop {
            let found = self.standings_that(over.clone()).await?;
            for chunk in in_rooms(&found) {
                let Some(transaction) = self.begin_in(chunk[0].0).await? else { continue };
                let removed = Entity::delete_many().filter(these(chunk)).filter(over.clone()).exec(&transaction);
                gone += removed.await?.rows_affected;
                transaction.commit().await?;
            }
            if (found.len() as u64) < MEMBERSHIP_PURGE_PAGE {
                return Ok(gone);
            }
        }
    }

    /// Removes an author's memberships in all rooms, except for a mute or a ban that is in force: its end is kept,
    /// under the author's hash, until it is over.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn forget_memberships_of(&self, author: &AuthorId) -> Result<(), StoreError> {
        let now = self.now().await?;
        for chunk in in_rooms(&self.standings_that(Condition::all().add(Column::Author.eq(author.as_bytes()))).await?) {
            let Some(transaction) = self.begin_in(chunk[0].0).await? else { continue };
            let goes_on = || Column::MutedUntil.gt(now).or(Column::BannedUntil.gt(now));
            Entity::delete_many().filter(these(chunk)).filter(goes_on().not()).exec(&transaction).await?;
            Entity::update_many()
                .col_expr(Column::Member, Expr::value(false))
                .col_expr(Column::SpokeAt, Expr::value(0_i64))
                .filter(these(chunk))
                .exec(&transaction)
                .await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// Returns up to one page of the rows that match `condition`, ordered by room.
    async fn standings_that(&self, condition: Condition) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let found = Entity::find().select_only().columns([Column::RoomId, Column::Author]).filter(condition);
        Ok(found.order_by_asc(Column::RoomId).limit(MEMBERSHIP_PURGE_PAGE).into_tuple().all(&self.reader).await?)
    }
}

/// Splits rows into chunks of one room each, small enough for one transaction.
fn in_rooms(rows: &[(i64, Vec<u8>)]) -> impl Iterator<Item = &[(i64, Vec<u8>)]> {
    rows.chunk_by(|one, other| one.0 == other.0).flat_map(|room| room.chunks(MEMBERSHIP_PURGE_BATCH))
}

/// Returns the condition that selects these rows, which must be of one room.
fn these(rows: &[(i64, Vec<u8>)]) -> Expr {
    let authors = rows.iter().map(|(_, author)| author.clone());
    Column::RoomId.eq(rows[0].0).and(Column::Author.is_in(authors))
}
