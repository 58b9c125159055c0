//! Quotes of messages, as they read now.

use super::history::{PageDirection, messages};
use crate::domain::quote::MAX_QUOTES;
use crate::domain::{Message, Quote, Seq};
use crate::server::store::entity::event::Column;
use crate::server::store::{Store, StoreError};
use crate::server::telemetry::metrics::timed;
use sea_orm::ColumnTrait;

impl Store {
    /// Returns quotes of the messages with these numbers, up to [`MAX_QUOTES`], oldest first. A number that is no message,
    /// or that the log no longer holds, has none.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn quotes(&self, room_id: i64, mut seqs: Vec<Seq>) -> Result<Vec<Quote>, StoreError> {
        seqs.sort_unstable();
        seqs.dedup();
        seqs.truncate(MAX_QUOTES);
        if seqs.is_empty() {
            return Ok(Vec::new());
        }
        let rows = messages(room_id, Column::Seq.is_in(seqs), PageDirection::Forward, MAX_QUOTES as u64);
        let rows = timed("quotes", rows.all(&self.reader)).await?;
        Ok(self.apply_latest_edits(room_id, rows).await?.iter().map(Quote::from).collect())
    }

    /// Returns quotes of the messages that these reply to, as far as they are not among these.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn quotes_for(&self, room_id: i64, page: &[Message]) -> Result<Vec<Quote>, StoreError> {
        let is_shown = |seq: &Seq| page.binary_search_by_key(seq, |message| message.seq).is_ok();
        let wanted = page.iter().filter(|message| !message.is_deleted()).filter_map(|message| message.reply_to);
        self.quotes(room_id, wanted.filter(|seq| !is_shown(seq)).collect()).await
    }
}
