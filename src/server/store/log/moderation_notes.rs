//! The moderation events of a room, as its pages show them.

use super::history::{log, moderation};
use crate::domain::history::PAGE_SIZE;
use crate::domain::{EventNote, HistoryCursor, HistoryPage, Seq, Timestamp};
use crate::server::store::entity::event::{Column, Entity, Model};
use crate::server::store::{Store, StoreError};
use crate::server::telemetry::metrics::timed;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect, Select};

impl Store {
    /// Returns the moderation events that belong to a page of messages: those between its messages, and up to the page
    /// that it continues. Of more than [`PAGE_SIZE`], the newest ones.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(super) async fn notes_for(
        &self,
        room_id: i64,
        cursor: HistoryCursor,
        page: &HistoryPage,
    ) -> Result<Vec<EventNote>, StoreError> {
        let first = page.messages.first().filter(|_| page.more_before).map_or(0, |first| first.seq);
        let last = page.messages.last().filter(|_| page.more_after).map_or(Seq::MAX, |last| last.seq);
        let (after, before) = match cursor {
            HistoryCursor::Before(seq) => (first, seq),
            HistoryCursor::After(seq) => (seq, last),
            HistoryCursor::Newest | HistoryCursor::Around(_) => (first, last),
        };
        let rows = timed("moderations", moderations(room_id, after, before).all(&self.reader)).await?;
        let note = |row: Model| EventNote { seq: row.seq, at: Timestamp(row.at), moderation: moderation(&row) };
        Ok(rows.into_iter().rev().map(note).collect())
    }
}

/// Returns a query for the moderation events between two numbers, newest first. The literal 3 repeats the condition of
/// the partial index, because query planners do not match it against a bound value.
pub(crate) fn moderations(room_id: i64, after: Seq, before: Seq) -> Select<Entity> {
    let is_moderation = Expr::col(Column::Kind).eq(Expr::cust("3"));
    let range = Column::Seq.gt(after).and(Column::Seq.lt(before));
    log(room_id).filter(is_moderation).filter(range).order_by_desc(Column::Seq).limit(PAGE_SIZE)
}
