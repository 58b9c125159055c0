//! How people stand in a room: muted, banned, let in although it is locked; and who owns it.

use super::entity::standing::{Column, Entity, Model};
use super::runs::{among, insert};
use super::{Draft, Entry, Store, entity::event, entity::name, entity::room, now};
use crate::domain::moderation::{Action, MAX_SECONDS, MAX_SLOW_MODE, Moderation};
use crate::domain::{Key, Participant, Rejection, RejectionCode, Tag, Timestamp, Username};
use crate::server::identity::{Author, tag_of};
use crate::server::metrics::timed;
use crate::server::random;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
    Statement, sea_query::OnConflict,
};
use std::collections::{HashMap, HashSet};

/// Whoever wrote one of so many newest events counts as in the room when it is locked.
const RECENT: i64 = 1000;

/// Until when somebody stays away who was removed from a private room.
const FOR_GOOD: i64 = i64::MAX;

type Place = (i64, Vec<u8>);

/// How somebody stands in a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Whether they may come into a room that is locked or private.
    pub(crate) member: bool,
    /// Until when they stay away, in UTC milliseconds, if that is not over.
    pub(crate) banned_until: Option<i64>,
    /// Until when they say nothing, in UTC milliseconds; 0 if that is over. Owners are not asked for it.
    pub(crate) muted_until: i64,
}

impl Standing {
    /// Whether they were removed from a private room.
    pub(crate) fn is_removed(&self) -> bool {
        self.banned_until == Some(FOR_GOOD)
    }
}

/// What a transaction knows of how people stand in the rooms that it has locked.
#[derive(Default)]
pub(super) struct Standings {
    known: HashMap<Place, Model>,
    changed: HashSet<Place>,
    /// Rooms that were locked, and the newest number of each.
    locked: Vec<(i64, i64)>,
}

impl Standings {
    /// Looks up the authors of these entries, and of the messages that they are about, in rooms where anything is to be
    /// known.
    pub(super) async fn look_up(
        transaction: &DatabaseTransaction,
        entries: &[Entry],
        rooms: &HashMap<i64, room::Model>,
        targets: &HashMap<(i64, i64), event::Model>,
    ) -> Result<Self, DbErr> {
        let mut wanted: HashSet<Place> = HashSet::new();
        for entry in entries {
            let room = rooms.get(&entry.room_id);
            if room.is_some_and(|room| room.moderated) || matches!(entry.draft, Draft::Moderate { .. }) {
                let target = entry.draft.target().and_then(|target| targets.get(&(entry.room_id, target)));
                let subject = entry.draft.known_subject().map(|author| author.as_bytes().to_vec());
                let authors = [Some(entry.author.as_bytes().to_vec()), target.map(|row| row.author.clone()), subject];
                wanted.extend(authors.into_iter().flatten().map(|author| (entry.room_id, author)));
            }
        }
        let wanted: Vec<Place> = wanted.into_iter().collect();
        let mut standings = Self::default();
        let rows = among(transaction, Entity::find, [Column::RoomId, Column::Author], &wanted).await?;
        standings.known.extend(rows.into_iter().map(|row| ((row.room_id, row.author.clone()), row)));
        Ok(standings)
    }

    /// Whether the author may do this now.
    pub(super) fn may(&mut self, room: &room::Model, entry: &Entry, now: i64) -> Result<(), Rejection> {
        if !room.moderated || entry.author.is_host() {
            return Ok(());
        }
        // Nobody is kept from taking back what they said.
        if matches!(entry.draft, Draft::Delete { .. }) {
            return Ok(());
        }
        let standing = self.of(room.id, entry.author.as_bytes());
        if standing.banned_until > now {
            let removed = standing.banned_until == FOR_GOOD;
            let detail =
                if removed { "You were removed from this room." } else { "You are banned from this room for a while." };
            return Err(Rejection::new(RejectionCode::Forbidden, detail));
        }
        // The host may ban an owner. Nothing else is above one.
        if room.owner.as_deref() == Some(entry.author.as_bytes()) {
            return Ok(());
        }
        if standing.muted_until > now {
            return Err(Rejection::new(RejectionCode::Forbidden, "You are muted in this room for a while."));
        }
        if is_slowed(room, entry) {
            let again = standing.spoke_at + i64::from(room.slow_mode) * 1000;
            if again > now {
                let detail = format!("Slow mode: one message every {} seconds.", room.slow_mode);
                let wait = u32::try_from(again - now).unwrap_or(u32::MAX);
                let rejection = Rejection::new(RejectionCode::RateLimited, detail);
                return Err(Rejection { retry_after_ms: Some(wait), ..rejection });
            }
        }
        Ok(())
    }

    /// The author did so.
    pub(super) fn did(&mut self, room: &room::Model, entry: &Entry, now: i64) {
        if is_slowed(room, entry) {
            self.of(room.id, entry.author.as_bytes()).spoke_at = now;
            self.changed.insert((room.id, entry.author.as_bytes().to_vec()));
        }
    }

    /// Does what the owner or the host wants done, and says how everybody is told of it.
    pub(super) fn moderate(
        &mut self,
        room: &mut room::Model,
        entry: &Entry,
        (action, seconds): (Action, Option<u32>),
        subject: Option<(Vec<u8>, Username)>,
        now: i64,
    ) -> Result<Moderation, Rejection> {
        if room.owner.as_deref() != Some(entry.author.as_bytes()) && !entry.author.is_host() {
            return Err(Rejection::new(RejectionCode::Forbidden, "Only the owner of the room can do this."));
        }
        let renews = matches!(action, Action::Renew | Action::Remove);
        if renews && room.invitation.is_none() {
            let detail = "This room is not private: whoever has its address comes in.";
            return Err(Rejection::new(RejectionCode::Invalid, detail));
        }
        let mut moderation = Moderation { action, subject: None, until: None, seconds: None };
        if action.has_subject() {
            let not_found = || Rejection::new(RejectionCode::NotFound, "There is no such message.");
            let (author, username) = subject.ok_or_else(not_found)?;
            if author == entry.author.as_bytes() {
                return Err(Rejection::new(RejectionCode::Invalid, "This is you."));
            }
            if action == Action::HandOver && Author::from_stored(&author).is_none_or(|author| author.is_guest()) {
                let detail = "This is a guest, who will not be back: the room would belong to nobody.";
                return Err(Rejection::new(RejectionCode::Invalid, detail));
            }
            moderation.subject = Some(Participant { username, tag: tag_of(&author) });
            let seconds = seconds.filter(|seconds| (1..=MAX_SECONDS).contains(seconds));
            let until = seconds.map(|seconds| now + i64::from(seconds) * 1000);
            let missing = || Rejection::new(RejectionCode::Invalid, "`seconds` says for how long: 1 to 31536000.");
            let standing = self.of(room.id, &author);
            match action {
                Action::Mute => standing.muted_until = until.ok_or_else(missing)?,
                Action::Ban => standing.banned_until = until.ok_or_else(missing)?,
                Action::Remove => (standing.member, standing.banned_until) = (false, FOR_GOOD),
                Action::HandOver => {
                    (standing.member, standing.muted_until, standing.banned_until) = (true, 0, 0);
                    // Whoever gives a room away stays in it.
                    let before = room.owner.replace(author.clone()).unwrap_or_default();
                    self.of(room.id, &before).member = true;
                    self.changed.insert((room.id, before));
                }
                _ => (standing.muted_until, standing.banned_until) = (0, 0),
            }
            if matches!(action, Action::Mute | Action::Ban) {
                moderation.until = until.map(Timestamp);
            }
            self.changed.insert((room.id, author));
        }
        match action {
            Action::SlowMode => {
                let seconds = seconds.filter(|seconds| *seconds <= MAX_SLOW_MODE);
                let invalid = || Rejection::new(RejectionCode::Invalid, "`seconds` says how slow: 0 to 3600.");
                moderation.seconds = Some(seconds.ok_or_else(invalid)?);
                room.slow_mode = seconds.and_then(|seconds| i32::try_from(seconds).ok()).unwrap_or_default();
            }
            Action::Lock => {
                room.locked = true;
                // Into a private room nobody comes but its members anyway.
                if room.invitation.is_none() {
                    self.locked.push((room.id, room.head));
                }
            }
            Action::Unlock => room.locked = false,
            _ => {}
        }
        if renews {
            // Whoever was removed has the one from before.
            room.invitation = Some(Key::new(random::bits()).to_string());
        }
        room.moderated = true;
        Ok(moderation)
    }

    fn of(&mut self, room_id: i64, author: &[u8]) -> &mut Model {
        self.known.entry((room_id, author.to_vec())).or_insert_with(|| new(room_id, author.to_vec()))
    }

    pub(super) async fn write(mut self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        let changed: Vec<Model> = self.changed.iter().filter_map(|key| self.known.remove(key)).collect();
        let renewed = OnConflict::columns([Column::RoomId, Column::Author])
            .update_columns([Column::Member, Column::MutedUntil, Column::BannedUntil, Column::SpokeAt])
            .to_owned();
        insert(transaction, &changed, Some(&renewed)).await?;
        for (room_id, head) in self.locked {
            let members = "INSERT INTO standings (room_id, author, member, muted_until, banned_until, spoke_at) \
                           SELECT DISTINCT room_id, author, true, 0, 0, 0 FROM events WHERE room_id = $1 AND seq > $2 \
                           ON CONFLICT (room_id, author) DO UPDATE SET member = true";
            let values = [room_id.into(), (head - RECENT).into()];
            let backend = transaction.get_database_backend();
            transaction.execute_raw(Statement::from_sql_and_values(backend, members, values)).await?;
        }
        Ok(())
    }
}

impl Store {
    /// How each of these authors stands in the room, in their order.
    pub(crate) async fn standings(&self, room_id: i64, authors: &[Author]) -> Result<Vec<Standing>, DbErr> {
        let mut rows = HashMap::new();
        for some in authors.chunks(500) {
            let found = Entity::find()
                .filter(Column::RoomId.eq(room_id))
                .filter(Column::Author.is_in(some.iter().map(|author| author.as_bytes().to_vec())));
            rows.extend(
                timed("standings", found.all(&self.reader)).await?.into_iter().map(|row| (row.author.clone(), row)),
            );
        }
        let now = now();
        let standing = |row: &Model| Standing {
            member: row.member,
            banned_until: Some(row.banned_until).filter(|&until| until > now),
            muted_until: Some(row.muted_until).filter(|&until| until > now).unwrap_or_default(),
        };
        Ok(authors.iter().map(|author| rows.get(author.as_bytes()).map(standing).unwrap_or_default()).collect())
    }

    /// Those with this tag who stand in the room in any way, or hold a name in it.
    pub(crate) async fn tagged(&self, room_id: i64, tag: &Tag) -> Result<Vec<Author>, DbErr> {
        let Some(first) = tag.bytes() else { return Ok(Vec::new()) };
        // Between the least and something above the greatest 16 bytes that begin so.
        let (least, above) = ([&first[..], &[0; 14]].concat(), [&first[..], &[0xff; 15]].concat());
        let standing = Entity::find()
            .select_only()
            .column(Column::Author)
            .filter(Column::RoomId.eq(room_id))
            .filter(Column::Author.between(least.clone(), above.clone()));
        let named = name::Entity::find()
            .select_only()
            .column(name::Column::Author)
            .filter(name::Column::RoomId.eq(room_id))
            .filter(name::Column::Author.between(least, above));
        let mut authors: Vec<Vec<u8>> = standing.into_tuple().all(&self.reader).await?;
        authors.extend(named.into_tuple::<Vec<u8>>().all(&self.reader).await?);
        Ok(authors.iter().filter_map(|author| Author::from_stored(author)).collect())
    }

    /// Makes these authors members: they come into the room although it is locked or private.
    pub(crate) async fn let_in(&self, room_id: i64, authors: &[Author]) -> Result<(), DbErr> {
        let member = OnConflict::columns([Column::RoomId, Column::Author]).update_column(Column::Member).to_owned();
        for some in authors.chunks(500) {
            let rows = some
                .iter()
                .map(|author| Model { member: true, ..new(room_id, author.as_bytes().to_vec()) }.into_active_model());
            Entity::insert_many(rows).on_conflict(member.clone()).exec_without_returning(&self.writer).await?;
        }
        Ok(())
    }
}

fn is_slowed(room: &room::Model, entry: &Entry) -> bool {
    room.slow_mode > 0 && matches!(entry.draft, Draft::Message { .. })
}

fn new(room_id: i64, author: Vec<u8>) -> Model {
    Model { room_id, author, member: false, muted_until: 0, banned_until: 0, spoke_at: 0 }
}
