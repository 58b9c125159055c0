//! Paged export of a room's or one author's messages, and erasure of an author's messages.

use crate::domain::moderation::Moderation;
use crate::domain::{Message, RoomName, Seq, Username};
use crate::server::auth::identity::AuthorId;
use crate::server::random;
use crate::server::store::entity::{event, room};
use crate::server::store::log::history::{PageDirection, messages};
use crate::server::store::{AppendRequest, AppendResult, Locking, NewEvent, RoomRecord, Store, StoreError};
use event::{Column, Kind};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Alias, Expr, ExprTrait, Query},
};

/// Maximum number of messages per query, and per erasing batch.
const EXPORT_PAGE_SIZE: u64 = 500;
const ERASE_BATCH: usize = 100;

impl Store {
    /// Returns the author of a message, or `None` if there is no such message.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn author_of(&self, room: &RoomName, seq: Seq) -> Result<Option<AuthorId>, StoreError> {
        let Some(RoomRecord { room, .. }) = self.room(room).await? else { return Ok(None) };
        let row = event::Entity::find_by_id((room.id, seq)).one(&self.reader).await?;
        Ok(row.filter(|row| row.kind == Kind::Message).and_then(|row| AuthorId::from_stored(&row.author)))
    }

    /// Returns the rooms in which an author has written, or whose title or topic is by the author, sorted by name.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn rooms_of(&self, author: &AuthorId) -> Result<Vec<(i64, RoomName)>, StoreError> {
        let mut ids: Vec<i64> = event::Entity::find()
            .select_only()
            .column(Column::RoomId)
            .distinct()
            .filter(Column::Author.eq(author.as_bytes()))
            .into_tuple()
            .all(&self.reader)
            .await?;
        ids.extend(self.rooms_described_by(author).await?);
        ids.sort_unstable();
        ids.dedup();
        let mut rooms = Vec::new();
        for id in ids {
            let found = room::Entity::find_by_id(id).one(&self.reader).await?;
            rooms.extend(found.map(|row| (row.id, RoomName::from_trusted(row.name))));
        }
        rooms.sort_by(|(_, one), (_, other)| one.as_str().cmp(other.as_str()));
        Ok(rooms)
    }

    /// Returns the next messages of a room after `after`, with their newest texts, of one author or of all. Leaves out
    /// deleted messages. Also returns the value of `after` for the next page, or `None` if this is the last page.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn export_page(
        &self,
        room_id: i64,
        author: Option<&AuthorId>,
        after: Seq,
    ) -> Result<(Vec<Message>, Option<Seq>), StoreError> {
        let mut rows = messages(room_id, Column::Seq.gt(after), PageDirection::Forward, EXPORT_PAGE_SIZE)
            .filter(Column::DeletedBy.is_null());
        if let Some(author) = author {
            rows = rows.filter(Column::Author.eq(author.as_bytes()));
        }
        let rows = rows.all(&self.reader).await?;
        let more = rows.last().filter(|_| rows.len() as u64 == EXPORT_PAGE_SIZE).map(|row| row.seq);
        Ok((self.apply_latest_edits(room_id, rows).await?, more))
    }

    /// Erases all messages of an author, as the author would delete them: each by an event of the log, with its text
    /// blanked. The author's token ends. The author's names are removed first, so that pages shown after those events lack them, and once more
    /// at the end, because the author may write in the meantime. Returns the number of messages.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written. The erasure can then be started again.
    pub(crate) async fn erase(&self, author: &AuthorId) -> Result<u64, StoreError> {
        let mut removed = 0;
        // Where the author has written or is mentioned; the latter is not known any more afterwards.
        let mut rooms: Vec<i64> = self.rooms_of(author).await?.into_iter().map(|(room_id, _)| room_id).collect();
        rooms.extend(self.rooms_mentioning(author).await?);
        self.anonymize_messages(author).await?;
        for (room_id, _) in self.rooms_of(author).await? {
            let mut after = 0;
            loop {
                let (messages, more) = self.export_page(room_id, Some(author), after).await?;
                for chunk in messages.chunks(ERASE_BATCH) {
                    removed += self.remove(room_id, author, chunk).await?;
                }
                match more {
                    Some(seq) => after = seq,
                    None => break,
                }
            }
            self.end_reactions(room_id, author).await?;
        }
        self.anonymize_messages(author).await?;
        self.redact_pending().await?;
        self.redact_strays(author).await?;
        self.remove_descriptions_by(author).await?;
        self.forget_names_of(author).await?;
        self.forget_mentions_of(author).await?;
        self.forget_tokens_of(author).await?;
        self.forget_memberships_of(author).await?;
        self.forget_hooks_of(author).await?;
        self.count_erasure(&rooms).await?;
        self.checkpoint_now().await;
        Ok(removed)
    }

    /// Counts an erasure in these rooms, so that no page and no entity tag from before it is valid any more, on any node.
    async fn count_erasure(&self, rooms: &[i64]) -> Result<(), StoreError> {
        let once_more = Expr::col(room::Column::Erasures).add(1);
        for rooms in rooms.chunks(ERASE_BATCH) {
            let count = room::Entity::update_many().col_expr(room::Column::Erasures, once_more.clone());
            count.filter(room::Column::Id.is_in(rooms.iter().copied())).exec(&self.writer).await?;
        }
        Ok(())
    }

    /// Replaces the author's name in every message. Finds messages with a reader and changes them in small
    /// transactions, so that senders do not wait.
    async fn anonymize_messages(&self, author: &AuthorId) -> Result<(), StoreError> {
        for (room_id, _) in self.rooms_of(author).await? {
            let mut after = 0;
            loop {
                let named: Vec<Seq> =
                    messages(room_id, Column::Seq.gt(after), PageDirection::Forward, EXPORT_PAGE_SIZE)
                        .filter(Column::Author.eq(author.as_bytes()))
                        .filter(Column::Username.ne(Username::anonymous().as_str()))
                        .select_only()
                        .column(Column::Seq)
                        .into_tuple()
                        .all(&self.reader)
                        .await?;
                let Some(last) = named.last() else { break };
                after = *last;
                let Some(transaction) = self.begin_in(room_id).await? else { break };
                event::Entity::update_many()
                    .col_expr(Column::Username, Expr::value(Username::anonymous().as_str()))
                    .filter(Column::RoomId.eq(room_id).and(Column::Seq.is_in(named)))
                    .exec(&transaction)
                    .await?;
                transaction.commit().await?;
            }
            let unknown = Column::Author.eq(author.as_bytes()).and(Column::Kind.is_not_in(Kind::KNOWN));
            event::Entity::update_many()
                .col_expr(Column::Username, Expr::value(Username::anonymous().as_str()))
                .filter(Column::RoomId.eq(room_id).and(Column::Username.ne("")).and(unknown))
                .exec(&self.writer)
                .await?;
        }
        // The actions that the author took remain, without a name.
        let own = Column::Author.eq(author.as_bytes()).and(Column::Kind.eq(Kind::Moderated));
        event::Entity::update_many()
            .col_expr(Column::Username, Expr::value(""))
            .filter(own.and(Column::Username.ne("")))
            .exec(&self.writer)
            .await?;
        self.anonymize_moderation_events(author).await
    }

    /// Replaces the author's name in moderation events, which later visitors see. These events identify participants by
    /// tag, so another participant whose tag collides loses the name, too.
    async fn anonymize_moderation_events(&self, author: &AuthorId) -> Result<(), StoreError> {
        let tag = author.tag();
        let acts = event::Entity::find()
            .filter(Column::Kind.eq(Kind::Moderated))
            .filter(Column::Text.contains(tag.as_str()))
            .all(&self.reader)
            .await?;
        for act in acts {
            let Ok(mut moderation) = serde_json::from_str::<Moderation>(&act.text) else { continue };
            let Some(subject) = moderation.subject.as_mut().filter(|subject| subject.tag == tag) else { continue };
            subject.username = Username::anonymous();
            let text = serde_json::to_string(&moderation).expect("an act is plain data");
            let of_act = Column::RoomId.eq(act.room_id).and(Column::Seq.eq(act.seq));
            let rewrite = event::Entity::update_many().col_expr(Column::Text, Expr::value(text));
            rewrite.filter(of_act).exec(&self.writer).await?;
        }
        Ok(())
    }

    /// Blanks the author's texts that no deletion reaches: reactions, edits of messages that have expired, if they were not
    /// blanked with the message, and events of unknown kinds.
    async fn redact_strays(&self, author: &AuthorId) -> Result<(), StoreError> {
        let message = Alias::new("message");
        let own = |column| Expr::col((event::Entity, column));
        let kept = Query::select()
            .expr(Expr::value(1))
            .from_as(event::Entity, message.clone())
            .and_where(Expr::col((message.clone(), Column::RoomId)).eq(own(Column::RoomId)))
            .and_where(Expr::col((message, Column::Seq)).eq(own(Column::Target)))
            .take();
        let strays: Vec<(i64, Seq)> = event::Entity::find()
            .select_only()
            .columns([Column::RoomId, Column::Seq])
            .filter(Column::Author.eq(author.as_bytes()))
            .filter(Column::Text.ne("").or(Column::Kind.eq(Kind::Reacted).and(Column::Username.ne(""))))
            .filter(
                (Column::Kind.eq(Kind::Edited).and(Expr::exists(kept).not()))
                    .or(Column::Kind.eq(Kind::Reacted))
                    .or(Column::Kind.is_not_in(Kind::KNOWN)),
            )
            .order_by_asc(Column::RoomId)
            .into_tuple()
            .all(&self.reader)
            .await?;
        for room in strays.chunk_by(|(one, _), (other, _)| one == other) {
            let seqs: Vec<Seq> = room.iter().map(|(_, seq)| *seq).collect();
            self.blank_in_steps(room[0].0, &seqs).await?;
        }
        Ok(())
    }

    async fn remove(&self, room_id: i64, author: &AuthorId, messages: &[Message]) -> Result<u64, StoreError> {
        let entry = |message: &Message| {
            let new_event = NewEvent::Delete { target: message.seq };
            AppendRequest { room_id, begins: None, author: *author, id: random::event_id(), new_event }
        };
        let entries: Vec<AppendRequest> = messages.iter().map(entry).collect();
        let appended = self.append(&entries, Locking::Wait).await?;
        Ok(appended.iter().filter(|appended| matches!(appended, AppendResult::Appended(_))).count() as u64)
    }
}
