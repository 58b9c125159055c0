//! Reading the log: as events, for those who resume, and as messages, for pages.

use super::{Store, entity::event};
use crate::domain::{Event, EventBody, EventId, HistoryPage, Message, Seq, Timestamp, Username, page::PAGE_SIZE};
use crate::server::identity::tag_of;
use event::{Column, Entity, Kind, Model};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use std::collections::HashMap;

impl Store {
    /// Up to `limit` events with numbers above `after`, in order.
    pub(crate) async fn events_after(&self, room_id: i64, after: Seq, limit: u64) -> Result<Vec<Event>, DbErr> {
        let rows = log(room_id).filter(Column::Seq.gt(after)).order_by_asc(Column::Seq).limit(limit);
        Ok(rows.all(&self.reader).await?.into_iter().map(Event::from).collect())
    }

    /// The page of messages before `before`, or the newest one.
    pub(crate) async fn messages_before(&self, room_id: i64, before: Option<Seq>) -> Result<HistoryPage, DbErr> {
        let before = before.unwrap_or(Seq::MAX);
        let mut rows = self.messages(room_id, Column::Seq.lt(before), Direction::Back, PAGE_SIZE + 1).await?;
        let more_before = rows.len() as u64 > PAGE_SIZE;
        rows.truncate(PAGE_SIZE as usize);
        rows.reverse();
        Ok(HistoryPage { messages: self.as_they_read_now(room_id, rows).await?, more_before, more_after: false })
    }

    /// The page of messages with `seq` in its middle.
    pub(crate) async fn messages_around(&self, room_id: i64, seq: Seq) -> Result<HistoryPage, DbErr> {
        let half = PAGE_SIZE / 2;
        let mut rows = self.messages(room_id, Column::Seq.lt(seq), Direction::Back, half + 1).await?;
        let more_before = rows.len() as u64 > half;
        rows.truncate(half as usize);
        rows.reverse();
        let mut later = self.messages(room_id, Column::Seq.gte(seq), Direction::Forward, half + 1).await?;
        let more_after = later.len() as u64 > half;
        later.truncate(half as usize);
        rows.append(&mut later);
        Ok(HistoryPage { messages: self.as_they_read_now(room_id, rows).await?, more_before, more_after })
    }

    async fn messages(
        &self,
        room_id: i64,
        range: sea_orm::sea_query::SimpleExpr,
        direction: Direction,
        limit: u64,
    ) -> Result<Vec<Model>, DbErr> {
        let rows = log(room_id).filter(Column::Kind.eq(Kind::Message)).filter(range).limit(limit);
        let rows = match direction {
            Direction::Back => rows.order_by_desc(Column::Seq),
            Direction::Forward => rows.order_by_asc(Column::Seq),
        };
        rows.all(&self.reader).await
    }

    /// Messages with their newest texts, in the order of `rows`.
    async fn as_they_read_now(&self, room_id: i64, rows: Vec<Model>) -> Result<Vec<Message>, DbErr> {
        let edits: Vec<Seq> = rows.iter().filter_map(|row| row.edited_by).collect();
        let mut texts: HashMap<Seq, String> = HashMap::new();
        if !edits.is_empty() {
            let newest = log(room_id).filter(Column::Seq.is_in(edits)).all(&self.reader).await?;
            texts = newest.into_iter().map(|row| (row.seq, row.text)).collect();
        }
        let read = |row: Model| {
            let newest = row.edited_by.and_then(|seq| texts.remove(&seq));
            Message {
                seq: row.seq,
                tag: tag_of(&row.author),
                edited: newest.is_some(),
                text: newest.unwrap_or(row.text),
                sent_at: Timestamp(row.at),
                id: EventId::from_stored(row.id),
                username: Username::from_stored(row.username),
            }
        };
        Ok(rows.into_iter().map(read).collect())
    }
}

enum Direction {
    Back,
    Forward,
}

fn log(room_id: i64) -> Select<Entity> {
    Entity::find().filter(Column::RoomId.eq(room_id))
}

impl From<Model> for Event {
    fn from(row: Model) -> Self {
        let target = row.target.unwrap_or_default();
        let body = match row.kind {
            Kind::Message => EventBody::Message {
                tag: tag_of(&row.author),
                username: Username::from_stored(row.username),
                text: row.text,
            },
            Kind::Edited => EventBody::Edited { target, text: row.text },
            Kind::Deleted => EventBody::Deleted { target },
        };
        Event { seq: row.seq, id: EventId::from_stored(row.id), at: Timestamp(row.at), body }
    }
}
