//! Memberships in a transaction: mutes, bans, admission to locked rooms, and ownership.

use super::slow_mode::{self, is_slowed};
use crate::domain::moderation::{MAX_MUTE_SECONDS, MAX_SLOW_MODE_SECONDS, Moderation, ModerationAction};
use crate::domain::{Participant, Rejection, RejectionCode, RoomKey, Timestamp, Username};
use crate::server::auth::identity::{AuthorId, tag_of};
use crate::server::random;
use crate::server::store::database::chunks::{insert, select_pairs};
use crate::server::store::entity::standing::{Column, Entity, Model};
use crate::server::store::entity::{event, room};
use crate::server::store::{AppendRequest, NewEvent};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, Statement, sea_query::OnConflict};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Number of the newest events whose authors become members when a room is locked.
const MAX_SLOWED_AUTHORS: i64 = 1000;

/// End of the ban of an author who was removed from a private room, in UTC milliseconds: never.
pub(crate) const PERMANENT: i64 = i64::MAX;

type MemberKey = (i64, Vec<u8>);

/// A set of columns that a batch changes in a row. Only these are written, so that a concurrent admission is not
/// overwritten.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Columns(u8);

impl Columns {
    const MEMBER: Self = Self(1);
    const MUTED: Self = Self(2);
    const BANNED: Self = Self(4);
    const SPOKE: Self = Self(8);

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn names(self) -> Vec<Column> {
        let all = [
            (Self::MEMBER, Column::Member),
            (Self::MUTED, Column::MutedUntil),
            (Self::BANNED, Column::BannedUntil),
            (Self::SPOKE, Column::SpokeAt),
        ];
        all.into_iter().filter(|(one, _)| self.0 & one.0 != 0).map(|(_, column)| column).collect()
    }
}

/// The memberships that a transaction has read and changed, in rooms that it has locked.
#[derive(Default)]
pub(crate) struct Memberships {
    known: HashMap<MemberKey, Model>,
    changed: HashMap<MemberKey, Columns>,
    /// Rooms that this batch locks for members only, and the newest number of each.
    locked: Vec<(i64, i64)>,
}

impl Memberships {
    /// Looks up the authors of these entries, and the subjects of moderation, in rooms that have memberships.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn look_up(
        transaction: &impl ConnectionTrait,
        entries: &[AppendRequest],
        rooms: &HashMap<i64, room::Model>,
        targets: &HashMap<(i64, i64), event::Model>,
        now: i64,
    ) -> Result<Self, DbErr> {
        let mut wanted: HashSet<MemberKey> = HashSet::new();
        for entry in entries {
            let room = rooms.get(&entry.room_id);
            if room.is_some_and(|room| room.moderated) || matches!(entry.new_event, NewEvent::Moderate { .. }) {
                let target = entry.new_event.target().and_then(|target| targets.get(&(entry.room_id, target)));
                let subject = entry.new_event.known_subject().map(|author| author.as_bytes().to_vec());
                let subjects = [target.map(|row| row.author.clone()), subject].into_iter().flatten();
                let authors = subjects.flat_map(|author| [kept_under(&author), author]);
                let own = entry.author.standings().chain(entry.author.newcomers(now));
                let authors = authors.chain(own.map(|author| author.to_vec()));
                wanted.extend(authors.map(|author| (entry.room_id, author)));
            }
        }
        let wanted: Vec<MemberKey> = wanted.into_iter().collect();
        let mut standings = Self::default();
        let rows = select_pairs(transaction, Entity::find, [Column::RoomId, Column::Author], &wanted).await?;
        standings.known.extend(rows.into_iter().map(|row| ((row.room_id, row.author.clone()), row)));
        Ok(standings)
    }

    /// Checks that the author may append this entry now.
    ///
    /// # Errors
    ///
    /// Returns a rejection if not.
    pub(crate) fn authorize(&mut self, room: &room::Model, entry: &AppendRequest, now: i64) -> Result<(), Rejection> {
        if !room.moderated || entry.author.is_host() {
            return Ok(());
        }
        // Authors may always delete their own messages, and the host ends the reactions of those who are erased.
        if matches!(&entry.new_event, NewEvent::Delete { .. })
            || matches!(&entry.new_event, NewEvent::React(reaction) if reaction.is_erasure)
        {
            return Ok(());
        }
        let standings: Vec<Model> = entry.author.standings().map(|author| self.of(room.id, &author).clone()).collect();
        let latest = |of: fn(&Model) -> i64| standings.iter().map(of).max().unwrap_or_default();
        let banned_until = latest(|standing| standing.banned_until);
        if banned_until > now {
            let removed = banned_until == PERMANENT;
            let detail =
                if removed { "You were removed from this room." } else { "You’re banned from this room for now." };
            return Err(Rejection::new(RejectionCode::Forbidden, detail));
        }
        // The host may ban an owner. No other restriction applies to owners.
        if room.owner.as_deref() == Some(entry.author.as_bytes()) {
            return Ok(());
        }
        if latest(|standing| standing.muted_until) > now {
            return Err(Rejection::new(RejectionCode::Forbidden, "You’re muted in this room for now."));
        }
        if is_slowed(room, entry) {
            let newcomers = entry.author.newcomers(now).map(|author| self.of(room.id, &author).spoke_at);
            let wait = slow_mode::wait_ms(room, latest(|standing| standing.spoke_at), newcomers, now);
            if wait > 0 {
                let detail = format!("Slow mode: one message every {} seconds.", room.slow_mode);
                let wait = u32::try_from(wait).unwrap_or(u32::MAX);
                let rejection = Rejection::new(RejectionCode::RateLimited, detail);
                return Err(Rejection { retry_after_ms: Some(wait), ..rejection });
            }
        }
        Ok(())
    }

    /// Records the time of a message for slow mode.
    pub(crate) fn record_activity(&mut self, room: &room::Model, entry: &AppendRequest, now: i64) {
        if is_slowed(room, entry) {
            for author in entry.author.standings() {
                self.of(room.id, &author).spoke_at = now;
                self.change(room.id, author.to_vec(), Columns::SPOKE);
            }
            // The owner is exempt from slow mode, and uses up no quota of the network.
            let is_owner = room.owner.as_deref() == Some(entry.author.as_bytes());
            if let Some(author) = entry.author.newcomers(now).filter(|_| !is_owner) {
                let standing = self.of(room.id, &author);
                standing.spoke_at = slow_mode::newcomer_spoke(room, standing.spoke_at, now);
                self.change(room.id, author.to_vec(), Columns::SPOKE);
            }
        }
    }

    /// Applies a moderation action, and returns the event's content.
    ///
    /// # Errors
    ///
    /// Returns a rejection if the author is neither the owner nor the host, or if the request is invalid.
    pub(crate) fn moderate(
        &mut self,
        room: &mut room::Model,
        entry: &AppendRequest,
        (action, seconds): (ModerationAction, Option<u32>),
        subject: Option<(Vec<u8>, Username)>,
        now: i64,
    ) -> Result<Moderation, Rejection> {
        if room.owner.as_deref() != Some(entry.author.as_bytes()) && !entry.author.is_host() {
            return Err(Rejection::new(RejectionCode::Forbidden, "Only the owner of the room can do this."));
        }
        let renews = matches!(action, ModerationAction::Renew | ModerationAction::Remove);
        if renews && room.invitation.is_none() {
            let detail = "This room is not private: whoever has its address comes in.";
            return Err(Rejection::new(RejectionCode::Invalid, detail));
        }
        let mut moderation = Moderation::new(action);
        if action.has_subject() {
            let not_found = || Rejection::new(RejectionCode::NotFound, "There is no such message.");
            let (author, username) = subject.ok_or_else(not_found)?;
            if author == entry.author.as_bytes() {
                return Err(Rejection::new(RejectionCode::Invalid, "This is you."));
            }
            if action == ModerationAction::HandOver
                && AuthorId::from_stored(&author).is_none_or(|author| author.is_guest() || author.is_hook())
            {
                let detail = "This is a guest or a webhook: the room would belong to nobody.";
                return Err(Rejection::new(RejectionCode::Invalid, detail));
            }
            moderation.subject = Some(Participant { username, tag: tag_of(&author) });
            let seconds = seconds.filter(|seconds| (1..=MAX_MUTE_SECONDS).contains(seconds));
            let until = seconds.map(|seconds| now + i64::from(seconds) * 1000);
            let missing = || Rejection::new(RejectionCode::Invalid, "`seconds` says for how long: 1 to 31536000.");
            let network = kept_under(&author);
            let standing = self.of(room.id, &network);
            let columns = match action {
                ModerationAction::Mute => {
                    standing.muted_until = until.ok_or_else(missing)?;
                    Columns::MUTED
                }
                ModerationAction::Ban => {
                    standing.banned_until = until.ok_or_else(missing)?;
                    Columns::BANNED
                }
                ModerationAction::Remove => {
                    (standing.member, standing.banned_until) = (false, PERMANENT);
                    Columns::MEMBER.and(Columns::BANNED)
                }
                ModerationAction::HandOver => {
                    (standing.member, standing.muted_until, standing.banned_until) = (true, 0, 0);
                    // The previous owner stays a member.
                    let before = room.owner.replace(author.clone()).unwrap_or_default();
                    self.of(room.id, &before).member = true;
                    self.change(room.id, before, Columns::MEMBER);
                    Columns::MEMBER.and(Columns::MUTED).and(Columns::BANNED)
                }
                _ => {
                    (standing.muted_until, standing.banned_until) = (0, 0);
                    Columns::MUTED.and(Columns::BANNED)
                }
            };
            if matches!(action, ModerationAction::Mute | ModerationAction::Ban) {
                moderation.until = until.map(Timestamp);
            }
            if network != author {
                // Nodes of the previous release look up the guest, not the network.
                let Model { muted_until, banned_until, .. } = *self.of(room.id, &network);
                let guest = self.of(room.id, &author);
                (guest.muted_until, guest.banned_until) = (muted_until, banned_until);
                self.change(room.id, network, columns);
            }
            self.change(room.id, author, columns);
        }
        match action {
            ModerationAction::SlowMode => {
                let seconds = seconds.filter(|seconds| *seconds <= MAX_SLOW_MODE_SECONDS);
                let invalid = || Rejection::new(RejectionCode::Invalid, "`seconds` says how slow: 0 to 3600.");
                moderation.seconds = Some(seconds.ok_or_else(invalid)?);
                room.slow_mode = seconds.and_then(|seconds| i32::try_from(seconds).ok()).unwrap_or_default();
            }
            ModerationAction::Lock => {
                room.locked = true;
                // Private rooms admit only members anyway.
                if room.invitation.is_none() {
                    self.locked.push((room.id, room.head));
                }
            }
            ModerationAction::Unlock => room.locked = false,
            _ => {}
        }
        if renews {
            // A removed member still knows the previous invitation.
            room.invitation = Some(RoomKey::new(random::bits()).to_string());
        }
        room.moderated = true;
        Ok(moderation)
    }

    fn of(&mut self, room_id: i64, author: &[u8]) -> &mut Model {
        self.known.entry((room_id, author.to_vec())).or_insert_with(|| new(room_id, author.to_vec()))
    }

    fn change(&mut self, room_id: i64, author: Vec<u8>, columns: Columns) {
        let changed = self.changed.entry((room_id, author)).or_insert(columns);
        *changed = changed.and(columns);
    }

    /// Writes the changed memberships.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn write(mut self, transaction: &impl ConnectionTrait) -> Result<(), DbErr> {
        let mut changed: BTreeMap<Columns, Vec<Model>> = BTreeMap::new();
        for (key, columns) in &self.changed {
            changed.entry(*columns).or_default().extend(self.known.remove(key));
        }
        for (columns, rows) in changed {
            let renewed =
                OnConflict::columns([Column::RoomId, Column::Author]).update_columns(columns.names()).to_owned();
            insert(transaction, &rows, Some(&renewed)).await?;
        }
        for (room_id, head) in self.locked {
            let members = "INSERT INTO standings (room_id, author, member, muted_until, banned_until, spoke_at) \
                           SELECT DISTINCT room_id, author, true, 0, 0, 0 FROM events WHERE room_id = $1 AND seq > $2 \
                           ON CONFLICT (room_id, author) DO UPDATE SET member = true";
            let values = [room_id.into(), (head - MAX_SLOWED_AUTHORS).into()];
            let backend = transaction.get_database_backend();
            transaction.execute_raw(Statement::from_sql_and_values(backend, members, values)).await?;
        }
        Ok(())
    }
}

/// Returns the stored author whose row holds the membership of `author`: for a guest, the network's.
fn kept_under(author: &[u8]) -> Vec<u8> {
    AuthorId::from_stored(author).map_or_else(|| author.to_vec(), |author| author.standing().to_vec())
}

pub(crate) fn new(room_id: i64, author: Vec<u8>) -> Model {
    Model { room_id, author, member: false, muted_until: 0, banned_until: 0, spoke_at: 0 }
}
