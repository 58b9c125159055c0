//! The newest message of a room, for previews.

use super::history::{PageDirection, messages};
use crate::domain::history::MAX_UNREAD_COUNT;
use crate::domain::{Message, Seq};
use crate::server::store::entity::event::{Column, Model};
use crate::server::store::{Store, StoreError};
use crate::server::telemetry::metrics::timed;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Order, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, QuerySelect, QueryTrait};

/// Maximum number of the newest messages among which one that is not deleted is looked for: as many as are examined for
/// unread ones.
const MAX_DELETED_NEWEST: u64 = 10 * MAX_UNREAD_COUNT;

impl Store {
    /// Returns the newest message that is not deleted, and its author as stored. Returns `None` if there is none among
    /// the newest [`MAX_DELETED_NEWEST`].
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn newest_message(&self, room_id: i64) -> Result<Option<(Vec<u8>, Message)>, StoreError> {
        let newest = messages(room_id, Column::Seq.gt(0), PageDirection::Back, 1).one(&self.reader);
        let mut row: Option<Model> = timed("newest", newest).await?;
        if row.as_ref().is_some_and(|row| row.deleted_by.is_some()) {
            row = match self.newest_kept(room_id).await? {
                Some(seq) => messages(room_id, Column::Seq.eq(seq), PageDirection::Back, 1).one(&self.reader).await?,
                None => None,
            };
        }
        let Some(row) = row else { return Ok(None) };
        let author = row.author.clone();
        Ok(self.apply_latest_edits(room_id, vec![row]).await?.pop().map(|message| (author, message)))
    }

    /// Returns the number of the newest message that is not deleted, among the newest ones.
    async fn newest_kept(&self, room_id: i64) -> Result<Option<Seq>, StoreError> {
        let newest = messages(room_id, Column::Seq.gt(0), PageDirection::Back, MAX_DELETED_NEWEST);
        let newest = newest.select_only().columns([Column::Seq, Column::DeletedBy]).into_query();
        let kept = Query::select()
            .column(Column::Seq)
            .from_subquery(newest, Alias::new("newest"))
            .and_where(Expr::col(Column::DeletedBy).is_null())
            .order_by(Column::Seq, Order::Desc)
            .limit(1)
            .take();
        let found = timed("newest", self.reader.query_one(&kept)).await?;
        Ok(found.map(|row| row.try_get_by_index(0)).transpose()?)
    }
}
