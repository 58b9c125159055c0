//! The table of mentions: rows for the texts of messages and edits. A text that is blanked or removed loses them in the
//! transaction that does so.

use crate::domain::history::MAX_UNREAD_COUNT;
use crate::domain::{Event, EventBody, Seq, Username};
use crate::server::auth::identity::AuthorId;
use crate::server::store::database::chunks::chunked;
use crate::server::store::entity::event::{self, Kind};
use crate::server::store::entity::mention::{Column, Entity, Model};
use crate::server::store::{Store, StoreError};
use crate::server::telemetry::metrics::timed;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Order, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use std::collections::HashMap;

/// Maximum number of the newest mentions examined to count unread ones. It exceeds [`MAX_UNREAD_COUNT`] because own
/// messages, and texts that were edited since, do not count.
const MAX_EXAMINED_MENTIONS: u64 = 10 * MAX_UNREAD_COUNT;

/// Maximum number of mentions to remove per query, and of events per transaction.
const MENTION_PURGE_PAGE: u64 = 10_000;
const MENTION_PURGE_BATCH: usize = 250;

/// The names that events mention, by the number of the event.
pub(crate) type MentionedNames = HashMap<Seq, Vec<Username>>;

/// Returns whether the text of an event may mention somebody. All others need no look-up.
pub(crate) fn may_mention(row: &event::Model) -> bool {
    matches!(row.kind, Kind::Message | Kind::Edited) && row.text.contains('@')
}

/// Returns the names of rows that are sorted by event and position, by the room and the number of the event.
pub(crate) fn by_event(rows: Vec<Model>) -> HashMap<(i64, Seq), Vec<Username>> {
    let mut names: HashMap<(i64, Seq), Vec<Username>> = HashMap::new();
    for row in rows {
        names.entry((row.room_id, row.seq)).or_default().push(Username::from_trusted(row.username));
    }
    names
}

/// Returns the event with these mentions, if it has a text that can mention somebody.
pub(crate) fn with_mentions(mut event: Event, names: Vec<Username>) -> Event {
    if let EventBody::Message { mentions, .. } | EventBody::Edited { mentions, .. } = &mut event.body {
        *mentions = names;
    }
    event
}

/// Removes the mentions of these events.
///
/// # Errors
///
/// Returns an error if the database cannot be written.
pub(crate) async fn forget_mentions(
    transaction: &impl ConnectionTrait,
    room_id: i64,
    seqs: &[Seq],
) -> Result<(), DbErr> {
    for seqs in chunked(transaction.get_database_backend(), seqs) {
        let these = Column::RoomId.eq(room_id).and(Column::Seq.is_in(seqs.iter().copied()));
        Entity::delete_many().filter(these).exec(transaction).await?;
    }
    Ok(())
}

/// Removes the mentions of all events of a room up to `last`.
///
/// # Errors
///
/// Returns an error if the database cannot be written.
pub(crate) async fn forget_mentions_until(
    transaction: &impl ConnectionTrait,
    room_id: i64,
    last: Seq,
) -> Result<(), DbErr> {
    let old = Column::RoomId.eq(room_id).and(Column::Seq.lte(last));
    Entity::delete_many().filter(old).exec(transaction).await.map(|_| ())
}

impl Store {
    /// Returns the names that the texts of these events of a room mention. Costs no query if no text has an `@`.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn mentions_in(
        &self,
        room_id: i64,
        rows: impl Iterator<Item = &event::Model>,
    ) -> Result<MentionedNames, StoreError> {
        let seqs: Vec<Seq> = rows.filter(|row| may_mention(row)).map(|row| row.seq).collect();
        if seqs.is_empty() {
            return Ok(MentionedNames::new());
        }
        let found = Entity::find().filter(Column::RoomId.eq(room_id).and(Column::Seq.is_in(seqs)));
        let found = found.order_by_asc(Column::Seq).order_by_asc(Column::Position);
        let found = by_event(timed("mentions", found.all(&self.reader)).await?);
        Ok(found.into_iter().map(|((_, seq), names)| (seq, names)).collect())
    }

    /// Returns the number of messages after `read` that mention `author` as they read now, up to [`MAX_UNREAD_COUNT`],
    /// among the newest [`MAX_EXAMINED_MENTIONS`] mentions. Own messages do not count.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn count_mentions(&self, room_id: i64, read: Seq, author: &AuthorId) -> Result<u64, StoreError> {
        let counted = timed("mentions", self.reader.query_all(&unread_mentions(room_id, read, author))).await?;
        Ok(counted.len() as u64)
    }

    /// Returns the rooms in which an author is mentioned.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn rooms_mentioning(&self, author: &AuthorId) -> Result<Vec<i64>, StoreError> {
        let rooms = Entity::find().select_only().column(Column::RoomId).distinct();
        Ok(rooms.filter(Column::Author.eq(author.as_bytes())).into_tuple().all(&self.reader).await?)
    }

    /// Removes all mentions of an author, whose names are then in no message's mentions any more. Returns the number of
    /// mentions.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn forget_mentions_of(&self, author: &AuthorId) -> Result<u64, StoreError> {
        self.forget_mentions_that(|| Column::Author.eq(author.as_bytes()).into()).await
    }

    /// Removes mentions of texts that are gone: a node of the previous release, which does not know the table, may have
    /// removed them. Returns the number of mentions.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn purge_mentions(&self) -> Result<u64, StoreError> {
        self.forget_mentions_that(|| {
            let of_mention = |column| Expr::col((Entity, column));
            let text = Query::select()
                .expr(Expr::value(1))
                .from(event::Entity)
                .and_where(Expr::col((event::Entity, event::Column::RoomId)).eq(of_mention(Column::RoomId)))
                .and_where(Expr::col((event::Entity, event::Column::Seq)).eq(of_mention(Column::Seq)))
                .and_where(Expr::col((event::Entity, event::Column::Text)).ne(""))
                .take();
            Condition::all().add(Expr::exists(text).not())
        })
        .await
    }

    /// Removes the mentions that match `apply`. Finds them with a reader and removes them in small transactions, room by
    /// room, so that other writers do not wait.
    async fn forget_mentions_that(&self, apply: impl Fn() -> Condition) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let found = Entity::find().select_only().columns([Column::RoomId, Column::Seq]).filter(apply());
            let found: Vec<(i64, Seq)> =
                found.order_by_asc(Column::RoomId).limit(MENTION_PURGE_PAGE).into_tuple().all(&self.reader).await?;
            for events in found.chunk_by(|one, other| one.0 == other.0).flat_map(|it| it.chunks(MENTION_PURGE_BATCH)) {
                let seqs = events.iter().map(|(_, seq)| *seq);
                let mentions = Column::RoomId.eq(events[0].0).and(Column::Seq.is_in(seqs));
                let mentions = Entity::delete_many().filter(mentions).filter(apply());
                // A room that is gone has no row to lock, and no other writer.
                gone += match self.begin_in(events[0].0).await? {
                    Some(transaction) => {
                        let removed = mentions.exec(&transaction).await?.rows_affected;
                        transaction.commit().await?;
                        removed
                    }
                    None => mentions.exec(&self.writer).await?.rows_affected,
                };
            }
            if (found.len() as u64) < MENTION_PURGE_PAGE {
                return Ok(gone);
            }
        }
    }
}

/// Returns a query with one row for each message that [`Store::count_mentions`] counts.
pub(crate) fn unread_mentions(room_id: i64, read: Seq, author: &AuthorId) -> SelectStatement {
    let newest = Entity::find()
        .filter(Column::Author.eq(author.as_bytes()).and(Column::RoomId.eq(room_id)).and(Column::Message.gt(read)))
        .order_by(Column::Message, Order::Desc)
        .limit(MAX_EXAMINED_MENTIONS)
        .select_only()
        .columns([Column::Message, Column::Seq])
        .into_query();
    let (newest_alias, message) = (Alias::new("newest"), Alias::new("message"));
    let of_newest = |column| Expr::col((newest_alias.clone(), column));
    let of_message = |column| Expr::col((message.clone(), column));
    use event::Column::{Author, DeletedBy, EditedBy, RoomId, Seq as MessageSeq};
    // Edits leave the first text in its row: only the newest text counts.
    let newest_text = Expr::expr(of_message(EditedBy)).if_null(of_message(MessageSeq));
    Query::select()
        .distinct()
        .expr(of_message(MessageSeq))
        .from_subquery(newest, newest_alias.clone())
        .join_as(
            sea_orm::sea_query::JoinType::InnerJoin,
            event::Entity,
            message.clone(),
            of_message(RoomId).eq(room_id).and(of_message(MessageSeq).eq(of_newest(Column::Message))),
        )
        .and_where(of_message(DeletedBy).is_null())
        .and_where(of_message(Author).ne(author.as_bytes().to_vec()))
        .and_where(newest_text.eq(of_newest(Column::Seq)))
        .limit(MAX_UNREAD_COUNT)
        .take()
}
