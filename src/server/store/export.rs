//! Everything a room holds, or one author has written, piece by piece; and the removal of the latter.

use super::entity::{event, name, room};
use super::{Appended, Draft, Entry, Found, Locking, Store};
use crate::domain::moderation::Moderation;
use crate::domain::{Message, RoomName, Seq, Username};
use crate::server::identity::Author;
use crate::server::random;
use event::{Column, Kind};
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Alias, Expr, ExprTrait, Query},
};

/// How many messages are read, or removed, at once.
const PIECE: u64 = 500;
const REMOVED: usize = 100;

impl Store {
    /// Who wrote this message; `None` if there is none.
    pub(crate) async fn author_of(&self, room: &RoomName, seq: Seq) -> Result<Option<Author>, DbErr> {
        let Some(Found { room, .. }) = self.room(room).await? else { return Ok(None) };
        let row = event::Entity::find_by_id((room.id, seq)).one(&self.reader).await?;
        Ok(row.filter(|row| row.kind == Kind::Message).and_then(|row| Author::from_stored(&row.author)))
    }

    /// The rooms in which an author has written, by their names.
    pub(crate) async fn rooms_of(&self, author: &Author) -> Result<Vec<(i64, RoomName)>, DbErr> {
        let ids: Vec<i64> = event::Entity::find()
            .select_only()
            .column(Column::RoomId)
            .distinct()
            .filter(Column::Author.eq(author.as_bytes()))
            .into_tuple()
            .all(&self.reader)
            .await?;
        let mut rooms = Vec::new();
        for id in ids {
            let found = room::Entity::find_by_id(id).one(&self.reader).await?;
            rooms.extend(found.map(|row| (row.id, RoomName::from_stored(row.name))));
        }
        rooms.sort_by(|(_, one), (_, other)| one.as_str().cmp(other.as_str()));
        Ok(rooms)
    }

    /// The next messages of a room after a number, as they read now, of one author or all; and the number up to which
    /// that is everything, if there may be more. Removed ones are left out.
    pub(crate) async fn piece(
        &self,
        room_id: i64,
        author: Option<&Author>,
        after: Seq,
    ) -> Result<(Vec<Message>, Option<Seq>), DbErr> {
        let mut rows = event::Entity::find()
            .filter(Column::RoomId.eq(room_id).and(Column::Kind.eq(Kind::Message)).and(Column::Seq.gt(after)))
            .filter(Column::DeletedBy.is_null());
        if let Some(author) = author {
            rows = rows.filter(Column::Author.eq(author.as_bytes()));
        }
        let rows = rows.order_by_asc(Column::Seq).limit(PIECE).all(&self.reader).await?;
        let more = rows.last().filter(|_| rows.len() as u64 == PIECE).map(|row| row.seq);
        Ok((self.as_they_read_now(room_id, rows).await?, more))
    }

    /// Removes everything an author has written, as the author would: each message by an event of the log, its text
    /// blanked. The names under which it stood go first, so that whatever is shown after those events is without them, and
    /// once more at the end: somebody may be talking meanwhile. How many messages these were.
    pub(crate) async fn erase(&self, author: &Author) -> Result<u64, DbErr> {
        let mut removed = 0;
        self.make_anonymous(author).await?;
        for (room_id, _) in self.rooms_of(author).await? {
            let mut after = 0;
            loop {
                let (messages, more) = self.piece(room_id, Some(author), after).await?;
                for some in messages.chunks(REMOVED) {
                    removed += self.remove(room_id, author, some).await?;
                }
                match more {
                    Some(seq) => after = seq,
                    None => break,
                }
            }
        }
        self.make_anonymous(author).await?;
        self.blank_stray_edits(author).await?;
        name::Entity::delete_many().filter(name::Column::Author.eq(author.as_bytes())).exec(&self.writer).await?;
        self.forget_deleted_now().await;
        Ok(removed)
    }

    async fn make_anonymous(&self, author: &Author) -> Result<(), DbErr> {
        let nobody = Expr::value(Username::anonymous().as_str());
        let of_author = Column::Author.eq(author.as_bytes()).and(Column::Kind.eq(Kind::Message));
        event::Entity::update_many().col_expr(Column::Username, nobody).filter(of_author).exec(&self.writer).await?;
        self.name_nobody_in_acts(author).await
    }

    /// Takes the author's name out of what was done about them, of which everybody is told who comes later. Acts know
    /// people by their tag: whoever has the same by chance is named no more either.
    async fn name_nobody_in_acts(&self, author: &Author) -> Result<(), DbErr> {
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

    /// Blanks what was edited into messages that the room does not keep any more: no removal reaches it.
    async fn blank_stray_edits(&self, author: &Author) -> Result<(), DbErr> {
        let message = Alias::new("message");
        let own = |column| Expr::col((event::Entity, column));
        let kept = Query::select()
            .expr(Expr::value(1))
            .from_as(event::Entity, message.clone())
            .and_where(Expr::col((message.clone(), Column::RoomId)).eq(own(Column::RoomId)))
            .and_where(Expr::col((message, Column::Seq)).eq(own(Column::Target)))
            .take();
        let blank = event::Entity::update_many()
            .col_expr(Column::Text, Expr::value(""))
            .filter(Column::Author.eq(author.as_bytes()).and(Column::Kind.eq(Kind::Edited)))
            .filter(Expr::exists(kept).not());
        blank.exec(&self.writer).await?;
        Ok(())
    }

    async fn remove(&self, room_id: i64, author: &Author, messages: &[Message]) -> Result<u64, DbErr> {
        let entry = |message: &Message| {
            let draft = Draft::Delete { target: message.seq };
            Entry { room_id, begins: None, author: *author, id: random::event_id(), draft }
        };
        let entries: Vec<Entry> = messages.iter().map(entry).collect();
        let appended = self.append(&entries, Locking::Wait).await?;
        Ok(appended.iter().filter(|appended| matches!(appended, Appended::New(_))).count() as u64)
    }
}
