//! Which messages a room keeps. What it does not keep goes for good, oldest first, so that the rest of the log stays
//! without gaps.

use super::redaction::redact_edits;
use crate::domain::{RoomName, Seq};
use crate::server::store::Store;
use crate::server::store::database::clock;
use crate::server::store::entity::{event, room};
use sea_orm::{
    ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use std::num::NonZeroU32;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// How many events go in one transaction: a few milliseconds, in which others wait.
pub(crate) const PURGE_BATCH: u64 = 250;

/// How many rooms are looked at in one query.
const RETENTION_PAGE_ROOMS: u64 = 500;

/// How long a room keeps its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetentionPolicy {
    /// As the site's setting says.
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

    pub(crate) fn from_column(days: Option<i32>) -> Self {
        match days.map(|days| NonZeroU32::new(days.unsigned_abs())) {
            None => Self::Default,
            Some(None) => Self::Forever,
            Some(Some(days)) => Self::Days(days),
        }
    }
}

/// A room that does not keep everything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExpiringRoom {
    pub(crate) room_id: i64,
    /// Events before this moment go, in UTC milliseconds.
    before: i64,
}

impl ExpiringRoom {
    /// Of a room that goes with everything in it.
    pub(crate) fn nothing(room_id: i64) -> Self {
        Self { room_id, before: i64::MAX }
    }
}

impl Store {
    /// How long a room keeps its messages; `None` if there is no such room.
    pub(crate) async fn retention(&self, name: &RoomName) -> Result<Option<RetentionPolicy>, DbErr> {
        let row = room::Entity::find().filter(room::Column::Name.eq(name.as_str())).one(&self.reader).await?;
        Ok(row.map(|row| RetentionPolicy::from_column(row.keep_days)))
    }

    /// Sets it. Whether there is such a room.
    pub(crate) async fn set_retention(&self, name: &RoomName, keep: RetentionPolicy) -> Result<bool, DbErr> {
        let set = room::Entity::update_many()
            .col_expr(room::Column::KeepDays, Expr::value(keep.column()))
            .filter(room::Column::Name.eq(name.as_str()));
        Ok(set.exec(&self.writer).await?.rows_affected > 0)
    }

    /// Some of the rooms with ids above `after` that do not keep everything, in the order of their ids.
    pub(crate) async fn rooms_with_retention(
        &self,
        after: i64,
        default: Option<NonZeroU32>,
    ) -> Result<Vec<ExpiringRoom>, DbErr> {
        let own = Condition::any().add(room::Column::KeepDays.gt(0));
        let kept = if default.is_some() { own.add(room::Column::KeepDays.is_null()) } else { own };
        let rows = room::Entity::find()
            .filter(room::Column::Id.gt(after).and(room::Column::Head.gt(0)))
            .filter(kept)
            .order_by_asc(room::Column::Id)
            .limit(RETENTION_PAGE_ROOMS)
            .all(&self.reader)
            .await?;
        let now = self.now().await?;
        let keeping = |row: room::Model| {
            let days = match RetentionPolicy::from_column(row.keep_days) {
                RetentionPolicy::Days(days) => Some(days),
                RetentionPolicy::Default => default,
                RetentionPolicy::Forever => None,
            };
            days.map(|days| ExpiringRoom { room_id: row.id, before: now - i64::from(days.get()) * DAY_MS })
        };
        Ok(rows.into_iter().filter_map(keeping).collect())
    }

    /// Removes the oldest events of a room that are not to be kept, one batch of them, with what was edited into them
    /// later. How many these were.
    pub(crate) async fn purge_expired(&self, keeping: ExpiringRoom) -> Result<u64, DbErr> {
        use event::Column;
        let of_room = || Column::RoomId.eq(keeping.room_id);
        let Some(last) = self.last_to_forget(keeping).await? else { return Ok(0) };
        let removed = async {
            let Some(transaction) = self.begin_in(keeping.room_id).await? else { return Ok((0, false)) };
            let old = of_room().and(Column::Seq.lte(last));
            let mut has_rest = false;
            if keeping.before != i64::MAX {
                let edited = event::Entity::find().select_only().column(Column::Seq).filter(old.clone());
                let edited = edited.filter(Column::EditedBy.is_not_null()).filter(Column::DeletedBy.is_null());
                let edited: Vec<Seq> = edited.into_tuple().all(&transaction).await?;
                has_rest = redact_edits(&transaction, keeping.room_id, &edited).await?;
            }
            let gone = event::Entity::delete_many().filter(old).exec(&transaction).await?;
            transaction.commit().await?;
            Ok((gone.rows_affected, has_rest))
        };
        let (gone, has_rest) = self.writer.with_timeout(removed).await?;
        if has_rest {
            self.schedule_redaction();
        }
        Ok(gone)
    }

    /// The last of the events that the next batch removes.
    async fn last_to_forget(&self, keeping: ExpiringRoom) -> Result<Option<Seq>, DbErr> {
        use event::Column;
        let Some(first) = self.oldest(keeping.room_id).await? else { return Ok(None) };
        let end = first.saturating_add(PURGE_BATCH as Seq - 1);
        if keeping.before == i64::MAX {
            return Ok(Some(end));
        }
        // What a clock has stamped that was ahead is as old as what stands around it.
        let latest = self.now().await? + clock::MAX_AHEAD_MS;
        let stamped: Vec<(Seq, i64)> = event::Entity::find()
            .select_only()
            .columns([Column::Seq, Column::At])
            .filter(Column::RoomId.eq(keeping.room_id).and(Column::At.lte(latest)))
            .order_by_asc(Column::Seq)
            .limit(PURGE_BATCH)
            .into_tuple()
            .all(&self.reader)
            .await?;
        Ok(last_before(&stamped, keeping.before).map(|last| Ord::min(last, end)))
    }

    /// Makes the messages up to `seq` a month older.
    #[cfg(test)]
    pub(crate) async fn age(&self, room_id: i64, seq: Seq) {
        use event::Column::{At, RoomId, Seq};
        let older = event::Entity::update_many().col_expr(At, Expr::col(At).sub(30 * DAY_MS));
        older.filter(RoomId.eq(room_id).and(Seq.lte(seq))).exec(&self.writer).await.expect("the database answers");
    }

    /// The oldest number that the log of a room still holds; `None` if it is empty.
    pub(crate) async fn oldest(&self, room_id: i64) -> Result<Option<Seq>, DbErr> {
        self.next(room_id, 0).await
    }

    /// The number of the first event after this one that the log holds.
    pub(crate) async fn next(&self, room_id: i64, after: Seq) -> Result<Option<Seq>, DbErr> {
        let seqs = event::Entity::find().select_only().column(event::Column::Seq).order_by_asc(event::Column::Seq);
        let of_room = seqs.filter(event::Column::RoomId.eq(room_id)).filter(event::Column::Seq.gt(after));
        of_room.into_tuple().one(&self.reader).await
    }

    /// Whether the log of a room still holds this number.
    pub(crate) async fn holds(&self, room_id: i64, seq: Seq) -> Result<bool, DbErr> {
        let found = event::Entity::find_by_id((room_id, seq)).select_only().column(event::Column::Seq);
        Ok(found.into_tuple::<Seq>().one(&self.reader).await?.is_some())
    }
}

/// The last event that is older than `before`. One that bears an earlier time than some before it, of a clock that was
/// behind, is not older than those.
fn last_before(stamped: &[(Seq, i64)], before: i64) -> Option<Seq> {
    stamped.iter().take_while(|&&(_, at)| at < before).last().map(|&(seq, _)| seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_removed_ends_before_the_first_that_is_kept() {
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
