//! Queries on the log: events for clients that resume, and messages for pages.

use super::mentions::with_mentions;
use crate::domain::history::{MAX_UNREAD_COUNT, PAGE_SIZE};
use crate::domain::moderation::{Moderation, ModerationAction};
use crate::domain::{
    Event, EventBody, EventId, HistoryCursor, HistoryPage, Message, Participant, Seq, Timestamp, Username,
};
use crate::server::auth::identity::{AuthorId, tag_of};
use crate::server::store::annotations::parse_reaction_text;
use crate::server::store::entity::event;
use crate::server::store::{RoomRecord, Store, StoreError};
use crate::server::telemetry::metrics::timed;
use event::{Column, Entity, Kind, Model};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Order, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};
use std::collections::{HashMap, HashSet};

/// Maximum number of the newest messages examined to count unread ones. It exceeds [`MAX_UNREAD_COUNT`] because own and
/// deleted messages do not count.
const MAX_EXAMINED: u64 = 10 * MAX_UNREAD_COUNT;

impl Store {
    /// Returns up to `limit` events with numbers above `after`, in order and without gaps.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Gap`] if the log does not reach back that far any more.
    pub(crate) async fn events_after(&self, room_id: i64, after: Seq, limit: u64) -> Result<Vec<Event>, StoreError> {
        let rows = log(room_id).filter(Column::Seq.gt(after)).order_by_asc(Column::Seq).limit(limit);
        let rows = timed("events", rows.all(&self.reader)).await?;
        if rows.first().is_some_and(|row| row.seq != after + 1) {
            return Err(StoreError::Gap { room_id, seq: after + 1 });
        }
        let rows = self.without_stray_texts(room_id, rows).await?;
        let mut mentions = self.mentions_in(room_id, rows.iter()).await?;
        let event = |row: Model| {
            let names = mentions.remove(&row.seq).unwrap_or_default();
            with_mentions(row.into(), names)
        };
        Ok(rows.into_iter().map(event).collect())
    }

    /// Blanks, in `rows`, the edits of and the reactions to messages that were deleted or have expired. Most are blank in the log already.
    async fn without_stray_texts(&self, room_id: i64, mut rows: Vec<Model>) -> Result<Vec<Model>, StoreError> {
        let shows = |row: &Model| matches!(row.kind, Kind::Edited | Kind::Reacted) && !row.text.is_empty();
        let mut targets: Vec<Seq> = rows.iter().filter(|row| shows(row)).filter_map(|row| row.target).collect();
        targets.sort_unstable();
        targets.dedup();
        if targets.is_empty() {
            return Ok(rows);
        }
        let kept = log(room_id).filter(Column::Seq.is_in(targets)).filter(Column::DeletedBy.is_null());
        let kept: HashSet<Seq> =
            kept.select_only().column(Column::Seq).into_tuple().all(&self.reader).await?.into_iter().collect();
        for row in rows.iter_mut().filter(|row| shows(row)) {
            if row.target.is_none_or(|target| !kept.contains(&target)) {
                row.text.clear();
            }
        }
        Ok(rows)
    }

    /// Returns a page of messages, with quotes of those that they reply to, and moderation events between them. Costs no
    /// query for the latter if the room has had none.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn messages(&self, found: &RoomRecord, cursor: HistoryCursor) -> Result<HistoryPage, StoreError> {
        let room_id = found.room.id;
        let page = self.page_of(room_id, cursor, PAGE_SIZE).await?;
        let quotes = self.quotes_for(room_id, &page.messages).await?;
        let notes = if found.moderated { self.notes_for(room_id, cursor, &page).await? } else { Vec::new() };
        Ok(HistoryPage { quotes, notes, ..page })
    }

    /// Returns a page of up to `limit` messages. Unlike [`messages`](Self::messages), it knows whether there are further
    /// ones in the direction away from the cursor, too, and has messages alone.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn messages_page(
        &self,
        room_id: i64,
        cursor: HistoryCursor,
        limit: u64,
    ) -> Result<HistoryPage, StoreError> {
        let mut page = self.page_of(room_id, cursor, limit).await?;
        let ends = page.messages.first().zip(page.messages.last()).map(|(first, last)| (first.seq, last.seq));
        if let Some((first, last)) = ends.filter(|_| cursor != HistoryCursor::Newest) {
            page.more_before = page.more_before || self.has_messages(room_id, Column::Seq.lt(first)).await?;
            page.more_after = page.more_after || self.has_messages(room_id, Column::Seq.gt(last)).await?;
        }
        Ok(page)
    }

    async fn has_messages(&self, room_id: i64, range: Expr) -> Result<bool, StoreError> {
        let (found, _) = self.page_query(room_id, range, PageDirection::Back, 1).await?;
        Ok(!found.is_empty())
    }

    async fn page_of(&self, room_id: i64, cursor: HistoryCursor, limit: u64) -> Result<HistoryPage, StoreError> {
        // Limits before the cursor, and from the cursor on.
        let (back, from, on) = match cursor {
            HistoryCursor::Newest => (limit, Seq::MAX, 0),
            HistoryCursor::Before(seq) => (limit, seq, 0),
            HistoryCursor::After(seq) => (0, seq.saturating_add(1), limit),
            HistoryCursor::Around(seq) => (limit / 2, seq, limit.div_ceil(2)),
        };
        let (mut rows, more_before) = self.page_query(room_id, Column::Seq.lt(from), PageDirection::Back, back).await?;
        rows.reverse();
        let (mut later, more_after) =
            self.page_query(room_id, Column::Seq.gte(from), PageDirection::Forward, on).await?;
        rows.append(&mut later);
        let messages = self.apply_latest_edits(room_id, rows).await?;
        Ok(HistoryPage { messages, more_before, more_after, ..HistoryPage::default() })
    }

    /// Returns one message, or `None` if no message has this number.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn message(&self, room_id: i64, seq: Seq) -> Result<Option<Message>, StoreError> {
        let (rows, _) = self.page_query(room_id, Column::Seq.eq(seq), PageDirection::Back, 1).await?;
        Ok(self.apply_latest_edits(room_id, rows).await?.pop())
    }

    /// Returns the number of messages after `read` by authors other than `author`, up to [`MAX_UNREAD_COUNT`], among
    /// the newest [`MAX_EXAMINED`] messages.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn count_unread(&self, room_id: i64, read: Seq, author: &AuthorId) -> Result<u64, StoreError> {
        let counted = timed("unread", self.reader.query_all(&unread(room_id, read, author))).await?;
        Ok(counted.len() as u64)
    }

    /// Returns up to `limit` messages of a range, starting at one of its ends, and whether there are more.
    async fn page_query(
        &self,
        room_id: i64,
        range: Expr,
        direction: PageDirection,
        limit: u64,
    ) -> Result<(Vec<Model>, bool), StoreError> {
        if limit == 0 {
            return Ok((Vec::new(), false));
        }
        let rows = messages(room_id, range, direction, limit + 1);
        let mut rows = timed("page", rows.all(&self.reader)).await?;
        let more = rows.len() as u64 > limit;
        rows.truncate(limit as usize);
        Ok((rows, more))
    }

    /// Returns the messages with their newest texts, in the order of `rows`.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn apply_latest_edits(&self, room_id: i64, rows: Vec<Model>) -> Result<Vec<Message>, StoreError> {
        let is_removed = |row: &Model| row.deleted_by.is_some();
        let edits: Vec<Seq> = rows.iter().filter(|row| !is_removed(row)).filter_map(|row| row.edited_by).collect();
        let mut newest: Vec<Model> = Vec::new();
        if !edits.is_empty() {
            newest = log(room_id).filter(Column::Seq.is_in(edits)).all(&self.reader).await?;
        }
        let mut mentions = self.mentions_in(room_id, rows.iter().chain(&newest)).await?;
        let mut texts: HashMap<Seq, String> = newest.into_iter().map(|row| (row.seq, row.text)).collect();
        let read = |row: Model| {
            let newest = row.edited_by.and_then(|seq| Some((seq, texts.remove(&seq)?)));
            let shown = newest.as_ref().map_or(row.seq, |(seq, _)| *seq);
            Message {
                seq: row.seq,
                tag: tag_of(&row.author),
                edited: newest.is_some() || is_removed(&row) && row.edited_by.is_some(),
                mentions: mentions.remove(&shown).unwrap_or_default(),
                text: newest.map_or(row.text, |(_, text)| text),
                reply_to: row.target,
                sent_at: Timestamp(row.at),
                id: EventId::from_trusted(row.id),
                username: Username::from_trusted(row.username),
                reactions: Vec::new(),
                pinned: false,
            }
        };
        Ok(rows.into_iter().map(read).collect())
    }
}

#[derive(Clone, Copy)]
pub(crate) enum PageDirection {
    Back,
    Forward,
}

/// Returns a query for up to `limit` messages of a range, starting at one of its ends.
pub(crate) fn messages(room_id: i64, range: Expr, direction: PageDirection, limit: u64) -> Select<Entity> {
    let order = match direction {
        PageDirection::Back => Order::Desc,
        PageDirection::Forward => Order::Asc,
    };
    log(room_id).filter(is_message()).filter(range).order_by(Column::Seq, order).limit(limit)
}

/// Returns a query with one row for each message that [`Store::count_unread`] counts.
pub(crate) fn unread(room_id: i64, read: Seq, author: &AuthorId) -> SelectStatement {
    let newest = messages(room_id, Column::Seq.gt(read), PageDirection::Back, MAX_EXAMINED);
    let newest = newest.select_only().columns([Column::Author, Column::DeletedBy]).into_query();
    Query::select()
        .expr(Expr::value(1))
        .from_subquery(newest, Alias::new("newest"))
        .and_where(Expr::col(Column::Author).ne(author.as_bytes().to_vec()))
        .and_where(Expr::col(Column::DeletedBy).is_null())
        .limit(MAX_UNREAD_COUNT)
        .take()
}

/// Returns the condition that a row is a message. The literal 0 repeats the condition of the partial index, because
/// query planners do not match it against a bound value.
pub(crate) fn is_message() -> Expr {
    Expr::col(Column::Kind).eq(Expr::cust("0"))
}

pub(crate) fn log(room_id: i64) -> Select<Entity> {
    Entity::find().filter(Column::RoomId.eq(room_id))
}

/// Parses a stored moderation action. An action whose text was erased becomes [`ModerationAction::Other`]. The name of
/// the owner is in the row, not in the text; rows of earlier releases have none.
pub(crate) fn moderation(row: &Model) -> Moderation {
    let done = serde_json::from_str(&row.text).unwrap_or_else(|_| Moderation::new(ModerationAction::Other));
    let username = Username::from_trusted(row.username.clone());
    let by = (!row.username.is_empty()).then(|| Participant { username, tag: tag_of(&row.author) });
    Moderation { by, ..done }
}

/// Mentions are added by [`with_mentions`].
impl From<Model> for Event {
    fn from(row: Model) -> Self {
        let target = row.target.unwrap_or_default();
        let body = match row.kind {
            Kind::Message => EventBody::Message {
                tag: tag_of(&row.author),
                username: Username::from_trusted(row.username),
                text: row.text,
                reply_to: row.target,
                mentions: Vec::new(),
            },
            Kind::Edited => EventBody::Edited { target, text: row.text, mentions: Vec::new() },
            Kind::Deleted => EventBody::Deleted { target },
            Kind::Moderated => EventBody::Moderated(moderation(&row)),
            Kind::Reacted => match parse_reaction_text(&row.text) {
                Some((emoji, on)) => {
                    let (username, tag) = (Username::from_trusted(row.username), tag_of(&row.author));
                    EventBody::Reacted { target, emoji, on, username, tag }
                }
                // Its message or its author was removed.
                None => EventBody::Other { target: row.target },
            },
            Kind::Other(_) => EventBody::Other { target: row.target },
        };
        Event { seq: row.seq, id: EventId::from_trusted(row.id), at: Timestamp(row.at), body }
    }
}
