//! Queries on reactions and pins.

use super::reaction_text;
use crate::domain::emoji::MAX_SHOWN_REACTORS;
use crate::domain::{
    Emoji, Event, EventBody, Message, MessageReactions, Participant, Quote, ReactionCount, ReactionsPage, Reactors,
    Seq, Timestamp, Username,
};
use crate::server::auth::identity::{AuthorId, tag_of};
use crate::server::store::database::chunks::chunked;
use crate::server::store::entity::{event, pin, reaction, reaction_count, room};
use crate::server::store::{RoomRecord, Store, StoreError};
use crate::server::telemetry::metrics::timed;
use event::Kind;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Order, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Maximum number of emoji whose counts are read for the messages in one window.
const MAX_COUNTS: u64 = 6000;

/// Maximum number of events of a message among which the one that made a state is looked for.
const MAX_EXAMINED_CHANGES: u64 = 2000;

impl Store {
    /// Adds the reactions and the pins to the messages of a room, if it has any.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn annotate(&self, found: &RoomRecord, messages: &mut [Message]) -> Result<(), StoreError> {
        let shown: Vec<Seq> = messages.iter().filter(|it| !it.is_deleted()).map(|it| it.seq).collect();
        if !found.annotated || shown.is_empty() {
            return Ok(());
        }
        use reaction_count::Column::{FirstSeq, RoomId, Target};
        let mut reactions: HashMap<Seq, Vec<ReactionCount>> = HashMap::new();
        for shown in chunked(self.reader.get_database_backend(), &shown) {
            let rows = reaction_count::Entity::find()
                .filter(RoomId.eq(found.room.id).and(Target.is_in(shown.iter().copied())))
                .order_by_asc(FirstSeq);
            for row in timed("reactions", rows.all(&self.reader)).await? {
                reactions.entry(row.target).or_default().push(count(&row, false));
            }
        }
        let pins: HashSet<Seq> = self.pin_rows(found.room.id).await?.into_iter().map(|pin| pin.seq).collect();
        for message in messages.iter_mut().filter(|message| !message.is_deleted()) {
            message.reactions = reactions.remove(&message.seq).unwrap_or_default();
            message.pinned = pins.contains(&message.seq);
        }
        Ok(())
    }

    /// Returns the reactions to the messages from `first` to `last`, as this author sees them. Messages without reactions
    /// are left out.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn reactions_between(
        &self,
        room_id: i64,
        (first, last): (Seq, Seq),
        author: &AuthorId,
    ) -> Result<ReactionsPage, StoreError> {
        use reaction_count::Column::{Count, Emoji as Symbol, FirstSeq, RoomId, Target};
        // One statement, so that the counts are those of the head.
        let of_range = Expr::col((reaction_count::Entity, RoomId))
            .equals((room::Entity, room::Column::Id))
            .and(Expr::col((reaction_count::Entity, Target)).between(first, last));
        let query = Query::select()
            .column((room::Entity, room::Column::Head))
            .columns([Target, Symbol, Count, FirstSeq].map(|column| (reaction_count::Entity, column)))
            .from(room::Entity)
            .left_join(reaction_count::Entity, of_range)
            .and_where(Expr::col((room::Entity, room::Column::Id)).eq(room_id))
            .order_by((reaction_count::Entity, Target), Order::Desc)
            .order_by((reaction_count::Entity, FirstSeq), Order::Asc)
            .limit(MAX_COUNTS)
            .take();
        let counts = timed("reactions", self.reader.query_all(&query)).await?;
        let own = reaction::Entity::find()
            .select_only()
            .columns([reaction::Column::Target, reaction::Column::Emoji])
            .filter(reaction::Column::Author.eq(author.as_bytes()).and(reaction::Column::RoomId.eq(room_id)))
            .filter(reaction::Column::Target.between(first, last))
            .limit(MAX_COUNTS);
        let own: HashSet<(Seq, String)> = own.into_tuple().all(&self.reader).await?.into_iter().collect();
        let mut head = 0;
        let mut messages: BTreeMap<Seq, Vec<ReactionCount>> = BTreeMap::new();
        for row in counts {
            head = row.try_get_by_index(0)?;
            let Some(target) = row.try_get_by_index::<Option<i64>>(1)? else { continue };
            let (emoji, counted): (String, i32) = (row.try_get_by_index(2)?, row.try_get_by_index(3)?);
            let is_own = own.contains(&(target, emoji.clone()));
            let (emoji, count) = (Emoji::from_trusted(emoji), counted.try_into().unwrap_or_default());
            messages.entry(target).or_default().push(ReactionCount { emoji, count, own: is_own });
        }
        let message = |(seq, reactions)| MessageReactions { seq, reactions };
        Ok(ReactionsPage { head, messages: messages.into_iter().map(message).collect() })
    }

    /// Returns the people who reacted to a message, by emoji. Their number is bounded.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn reactors(&self, room_id: i64, message: Seq) -> Result<Vec<Reactors>, StoreError> {
        use reaction::Column::{Emoji, RoomId, Seq, Target, Username};
        let rows = reaction::Entity::find()
            .select_only()
            .columns([Emoji, Username])
            .filter(RoomId.eq(room_id).and(Target.eq(message)))
            .order_by_asc(Seq);
        let rows: Vec<(String, String)> = timed("reactions", rows.into_tuple().all(&self.reader)).await?;
        let mut found: Vec<Reactors> = Vec::new();
        for (emoji, username) in rows {
            let index = found.iter().position(|it| it.emoji.as_str() == emoji).unwrap_or_else(|| {
                let emoji = crate::domain::Emoji::from_trusted(emoji);
                found.push(Reactors { emoji, count: 0, names: Vec::new(), others: 0 });
                found.len() - 1
            });
            let reactors = &mut found[index];
            reactors.count += 1;
            if reactors.names.len() < MAX_SHOWN_REACTORS {
                reactors.names.push(crate::domain::Username::from_trusted(username));
            } else {
                reactors.others += 1;
            }
        }
        Ok(found)
    }

    /// Returns the emoji with which an author reacts to a message.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn own_reactions(
        &self,
        room_id: i64,
        message: Seq,
        author: &AuthorId,
    ) -> Result<Vec<Emoji>, StoreError> {
        use reaction::Column::{Author, Emoji as Column, RoomId, Target};
        let own = reaction::Entity::find().select_only().column(Column);
        let own = own.filter(Author.eq(author.as_bytes()).and(RoomId.eq(room_id)).and(Target.eq(message)));
        let own: Vec<String> = own.into_tuple().all(&self.reader).await?;
        Ok(own.into_iter().map(Emoji::from_trusted).collect())
    }

    /// Returns the pinned messages of a room as they read now, the latest pin first.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn pinned_messages(&self, room: &RoomRecord) -> Result<Vec<Message>, StoreError> {
        if !room.annotated {
            return Ok(Vec::new());
        }
        let pins: Vec<Seq> = self.pin_rows(room.room.id).await?.into_iter().map(|pin| pin.seq).collect();
        self.messages_of(room, &pins).await
    }

    /// Returns the message that was pinned last, or `None` if none is pinned.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn latest_pin(&self, room: &RoomRecord) -> Result<Option<Quote>, StoreError> {
        if !room.annotated {
            return Ok(None);
        }
        for pin in self.pin_rows(room.room.id).await? {
            if let Some(message) = self.messages_of(room, &[pin.seq]).await?.pop() {
                return Ok(Some(Quote::from(&message)));
            }
        }
        Ok(None)
    }

    /// Returns these messages in this order, without deleted ones.
    async fn messages_of(&self, room: &RoomRecord, seqs: &[Seq]) -> Result<Vec<Message>, StoreError> {
        if seqs.is_empty() {
            return Ok(Vec::new());
        }
        let of_room = event::Column::RoomId.eq(room.room.id).and(event::Column::Seq.is_in(seqs.iter().copied()));
        let rows = event::Entity::find().filter(of_room).filter(event::Column::Kind.eq(Kind::Message));
        let rows = rows.all(&self.reader).await?;
        let mut messages = self.apply_latest_edits(room.room.id, rows).await?;
        self.annotate(room, &mut messages).await?;
        let mut found: HashMap<Seq, Message> =
            messages.into_iter().filter(|it| !it.is_deleted()).map(|it| (it.seq, it)).collect();
        Ok(seqs.iter().filter_map(|seq| found.remove(seq)).collect())
    }

    /// Returns the pins of a room, the latest first.
    async fn pin_rows(&self, room_id: i64) -> Result<Vec<pin::Model>, StoreError> {
        let pins = pin::Entity::find().filter(pin::Column::RoomId.eq(room_id));
        Ok(pins.order_by_desc(pin::Column::PinnedBy).all(&self.reader).await?)
    }

    /// Returns the newest event that made a state, with the id of `wanted`: an author's reaction was taken back, or a
    /// message was unpinned. Returns `wanted`, whose number is 0, if there is none.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn event_that_made(
        &self,
        room_id: i64,
        author: &AuthorId,
        mut wanted: Event,
    ) -> Result<Event, StoreError> {
        use event::Column::{At, Author, Kind as KindColumn, RoomId, Seq, Target, Text, Username as Name};
        let (kind, target, text) = match &wanted.body {
            EventBody::Reacted { target, emoji, on, .. } => (Kind::Reacted, *target, reaction_text(emoji, *on)),
            EventBody::Moderated(done) => {
                let text = serde_json::to_string(done).expect("an act is plain data");
                (Kind::Moderated, done.target.unwrap_or_default(), text)
            }
            _ => return Ok(wanted),
        };
        let newest = event::Entity::find()
            .select_only()
            .columns([Seq, At, Name, Author, KindColumn, Text])
            .filter(RoomId.eq(room_id).and(Target.eq(target)))
            // The literal 0 repeats the condition of the partial index.
            .filter(Expr::col(KindColumn).ne(Expr::cust("0")))
            .order_by_desc(Seq)
            .limit(MAX_EXAMINED_CHANGES)
            .into_query();
        let mut query = Query::select()
            .columns([Seq, At, Name, Author])
            .from_subquery(newest, Alias::new("newest"))
            .and_where(Expr::col(KindColumn).eq(i16::from(kind)))
            .and_where(Expr::col(Text).eq(text))
            .order_by(Seq, Order::Desc)
            .limit(1)
            .take();
        if kind == Kind::Reacted {
            query.and_where(Expr::col(Author).eq(author.as_bytes().to_vec()));
        }
        if let Some(row) = timed("reactions", self.reader.query_one(&query)).await? {
            (wanted.seq, wanted.at) = (row.try_get_by_index(0)?, Timestamp(row.try_get_by_index(1)?));
            let name: String = row.try_get_by_index(2)?;
            match &mut wanted.body {
                EventBody::Reacted { username, .. } => *username = Username::from_trusted(name),
                EventBody::Moderated(done) if !name.is_empty() => {
                    let author: Vec<u8> = row.try_get_by_index(3)?;
                    done.by = Some(Participant { username: Username::from_trusted(name), tag: tag_of(&author) });
                }
                _ => {}
            }
        }
        Ok(wanted)
    }
}

fn count(row: &reaction_count::Model, own: bool) -> ReactionCount {
    let emoji = Emoji::from_trusted(row.emoji.clone());
    ReactionCount { emoji, count: row.count.try_into().unwrap_or_default(), own }
}
