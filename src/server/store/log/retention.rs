//! Message retention. Expired events are removed for good, oldest first, so that the rest of the log has no gaps.

use super::mentions::forget_mentions_until;
use super::redaction::redact_edits;
use crate::domain::timestamp::DAY_MS;
use crate::domain::{RoomName, Seq};
use crate::server::store::annotations::removal::forget_counts_and_pins;
use crate::server::store::database::clock;
use crate::server::store::entity::{event, room};
use crate::server::store::{Store, StoreError};
use event::Kind;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use std::num::NonZeroU32;

/// Maximum number of events removed per transaction: other writers wait a few milliseconds for it.
pub(crate) const PURGE_BATCH: u64 = 250;

/// Maximum number of rooms per query.
const RETENTION_PAGE_ROOMS: u64 = 500;

/// The time for which a room keeps its messages, as the host has set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetentionPolicy {
    /// The site's setting applies.
    Default,
    Forever,
    Days(NonZeroU32),
}

impl RetentionPolicy {
    fn column(self) -> Option<i32> {
        match self {
            Self::Default => None,
            Self::Forever => Some(0),
            Self::Days(days) => Some(i32::try_from(days.get()).unwrap_or(i32::MAX)),
        }
    }

    /// Returns the number of days if the site's is `default`, or `None` without a limit.
    pub(crate) fn days(self, default: Option<NonZeroU32>) -> Option<NonZeroU32> {
        match self {
            Self::Days(days) => Some(days),
            Self::Default => default,
            Self::Forever => None,
        }
    }

    pub(crate) fn from_column(days: Option<i32>) -> Self {
        match days.map(|days| NonZeroU32::new(days.unsigned_abs())) {
            None => Self::Default,
            Some(None) => Self::Forever,
            Some(Some(days)) => Self::Days(days),
        }
    }
}

/// A room with events that may expire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExpiringRoom {
    pub(crate) room_id: i64,
    /// Events before this time expire, in UTC milliseconds.
    before: i64,
}

impl ExpiringRoom {
    /// Returns a cutoff that expires all events of a room, because the room is to be deleted.
    pub(crate) fn nothing(room_id: i64) -> Self {
        Self { room_id, before: i64::MAX }
    }
}

impl Store {
    /// Returns a room's retention policy, or `None` if there is no such room.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn retention(&self, name: &RoomName) -> Result<Option<RetentionPolicy>, StoreError> {
        let row = room::Entity::find().filter(room::Column::Name.eq(name.as_str())).one(&self.reader).await?;
        Ok(row.map(|row| RetentionPolicy::from_column(row.keep_days)))
    }

    /// Sets a room's retention policy. Returns `false` if there is no such room.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn set_retention(&self, name: &RoomName, keep: RetentionPolicy) -> Result<bool, StoreError> {
        let set = room::Entity::update_many()
            .col_expr(room::Column::KeepDays, Expr::value(keep.column()))
            .filter(room::Column::Name.eq(name.as_str()));
        Ok(set.exec(&self.writer).await?.rows_affected > 0)
    }

    /// Returns the next rooms with ids above `after` whose events may expire, in the order of their ids.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn rooms_with_retention(
        &self,
        after: i64,
        default: Option<NonZeroU32>,
    ) -> Result<Vec<ExpiringRoom>, StoreError> {
        let own = Condition::any().add(room::Column::KeepDays.gt(0)).add(room::Column::Retention.gt(0));
        let kept = if default.is_some() { own.add(room::Column::KeepDays.is_null()) } else { own };
        let rows = room::Entity::find()
            .filter(room::Column::Id.gt(after).and(room::Column::Head.gt(0)))
            .filter(kept)
            .order_by_asc(room::Column::Id)
            .limit(RETENTION_PAGE_ROOMS)
            .all(&self.reader)
            .await?;
        let now = self.now().await?;
        let expiring = |row: room::Model| {
            let host = RetentionPolicy::from_column(row.keep_days).days(default);
            let owner = row.retention.and_then(|days| u32::try_from(days).ok()).and_then(NonZeroU32::new);
            // The owner may shorten what the host allows.
            let days = host.into_iter().chain(owner).min();
            days.map(|days| ExpiringRoom { room_id: row.id, before: now - i64::from(days.get()) * DAY_MS })
        };
        Ok(rows.into_iter().filter_map(expiring).collect())
    }

    /// Removes one batch of a room's oldest expired events with their reactions and pins, and blanks later edits of and
    /// reactions to the removed messages. Returns the
    /// number of removed events.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn purge_expired(&self, expiring: ExpiringRoom) -> Result<u64, StoreError> {
        use event::Column;
        let of_room = || Column::RoomId.eq(expiring.room_id);
        let Some(last) = self.last_to_forget(expiring).await? else { return Ok(0) };
        let removed = async {
            let Some(transaction) = self.begin_in(expiring.room_id).await? else {
                return Ok::<_, StoreError>((0, false));
            };
            let old = of_room().and(Column::Seq.lte(last));
            let mut has_rest = false;
            if expiring.before != i64::MAX {
                let edited = event::Entity::find().select_only().column(Column::Seq).filter(old.clone());
                let edited = edited.filter(Column::EditedBy.is_not_null()).filter(Column::DeletedBy.is_null());
                let edited: Vec<Seq> = edited.into_tuple().all(&transaction).await?;
                let reacted = event::Entity::find().select_only().column(Column::Target).distinct();
                let reacted = reacted.filter(of_room().and(Column::Target.between(last - PURGE_BATCH as Seq, last)));
                // The literal 0 repeats the condition of the partial index.
                let reacted = reacted.filter(Expr::col(Column::Kind).ne(Expr::cust("0")));
                let reacted = reacted.filter(Column::Kind.eq(Kind::Reacted).and(Column::Seq.gt(last)));
                let reacted: Vec<Seq> = reacted.into_tuple().all(&transaction).await?;
                has_rest = redact_edits(&transaction, expiring.room_id, &[edited, reacted].concat()).await?;
            }
            forget_counts_and_pins(&transaction, expiring.room_id, last).await?;
            forget_mentions_until(&transaction, expiring.room_id, last).await?;
            let purged = event::Entity::delete_many().filter(old).exec(&transaction).await?;
            transaction.commit().await?;
            Ok((purged.rows_affected, has_rest))
        };
        let (purged, has_rest) = self.writer.with_timeout(removed).await?;
        self.forget_reactions_up_to(expiring.room_id, last).await?;
        if has_rest {
            self.schedule_redaction();
        }
        Ok(purged)
    }

    /// Returns the number of the last event that the next batch removes, or `None` if no event has expired.
    async fn last_to_forget(&self, expiring: ExpiringRoom) -> Result<Option<Seq>, StoreError> {
        use event::Column;
        let Some(first) = self.oldest(expiring.room_id).await? else { return Ok(None) };
        let end = first.saturating_add(PURGE_BATCH as Seq - 1);
        if expiring.before == i64::MAX {
            return Ok(Some(end));
        }
        // An event stamped by a clock that was ahead counts as old as its neighbors.
        let latest = self.now().await? + clock::MAX_AHEAD_MS;
        let stamped: Vec<(Seq, i64)> = event::Entity::find()
            .select_only()
            .columns([Column::Seq, Column::At])
            .filter(Column::RoomId.eq(expiring.room_id).and(Column::At.lte(latest)))
            .order_by_asc(Column::Seq)
            .limit(PURGE_BATCH)
            .into_tuple()
            .all(&self.reader)
            .await?;
        Ok(last_before(&stamped, expiring.before).map(|last| Ord::min(last, end)))
    }

    /// Makes the messages up to `seq` 30 days older.
    #[cfg(test)]
    pub(crate) async fn age(&self, room_id: i64, seq: Seq) {
        use event::Column::{At, RoomId, Seq};
        let older = event::Entity::update_many().col_expr(At, Expr::col(At).sub(30 * DAY_MS));
        older.filter(RoomId.eq(room_id).and(Seq.lte(seq))).exec(&self.writer).await.expect("the database answers");
    }

    /// Returns the oldest number that a room's log still holds, or `None` if the log is empty.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn oldest(&self, room_id: i64) -> Result<Option<Seq>, StoreError> {
        self.next(room_id, 0).await
    }

    /// Returns the number of the first event after `after` that the log holds, or `None` if there is none.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn next(&self, room_id: i64, after: Seq) -> Result<Option<Seq>, StoreError> {
        let seqs = event::Entity::find().select_only().column(event::Column::Seq).order_by_asc(event::Column::Seq);
        let of_room = seqs.filter(event::Column::RoomId.eq(room_id)).filter(event::Column::Seq.gt(after));
        Ok(of_room.into_tuple().one(&self.reader).await?)
    }

    /// Returns whether a room's log still holds this number.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn holds(&self, room_id: i64, seq: Seq) -> Result<bool, StoreError> {
        let found = event::Entity::find_by_id((room_id, seq)).select_only().column(event::Column::Seq);
        Ok(found.into_tuple::<Seq>().one(&self.reader).await?.is_some())
    }
}

/// Returns the last event older than `before`, or `None`. An event with an earlier time than one in front of it was
/// stamped by a clock that was behind, and does not count as older than that one.
fn last_before(stamped: &[(Seq, i64)], before: i64) -> Option<Seq> {
    stamped.iter().take_while(|&&(_, at)| at < before).last().map(|&(seq, _)| seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purge_ends_before_the_first_kept_event() {
        assert_eq!(last_before(&[(3, 10), (4, 20), (5, 30)], 25), Some(4));
        assert_eq!(
            last_before(&[(3, 10), (4, 40), (5, 1)], 25),
            Some(3),
            "a clock that was behind makes nothing older"
        );
        assert_eq!(last_before(&[(3, 10), (9, 20)], 25), Some(9), "what stands between bears no time that can be");
        assert_eq!(last_before(&[(3, 25)], 25), None);
        assert_eq!(last_before(&[], 25), None);
    }
}
