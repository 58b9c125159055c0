//! The newest message of a room, for previews.

use super::history::{PageDirection, messages};
use crate::domain::Message;
use crate::server::store::entity::event::{Column, Model};
use crate::server::store::{Store, StoreError};
use crate::server::telemetry::metrics::timed;
use sea_orm::ColumnTrait;

/// Maximum number of the newest messages among which one that is not deleted is looked for.
const MAX_DELETED: u64 = 50;

impl Store {
    /// Returns the newest message that is not deleted, and its author as stored. Returns `None` if there is none among
    /// the newest [`MAX_DELETED`].
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn newest_message(&self, room_id: i64) -> Result<Option<(Vec<u8>, Message)>, StoreError> {
        let newest = |limit| messages(room_id, Column::Seq.gt(0), PageDirection::Back, limit).all(&self.reader);
        let mut rows: Vec<Model> = timed("newest", newest(1)).await?;
        if rows.first().is_some_and(|row| row.deleted_by.is_some()) {
            rows = timed("newest", newest(MAX_DELETED)).await?;
        }
        let Some(row) = rows.into_iter().find(|row| row.deleted_by.is_none()) else { return Ok(None) };
        let author = row.author.clone();
        Ok(self.apply_latest_edits(room_id, vec![row]).await?.pop().map(|message| (author, message)))
    }
}
