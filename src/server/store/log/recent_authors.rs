//! Recent authors of a room, and the names in its recent moderation events. Every query is bounded.

use super::history::is_message;
use crate::domain::moderation::Moderation;
use crate::domain::{AuthorTag, Participant, Seq, Timestamp, Username};
use crate::server::auth::identity::AuthorId;
use crate::server::store::entity::event::{Column, Entity, Kind, Model};
use crate::server::store::{Store, StoreError};
use crate::server::telemetry::metrics::timed;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::HashMap;

/// Number of the newest events among which authors and names are looked for.
const RECENT_EVENTS: Seq = 10_000;

/// Maximum number of recent authors, and of moderation events that name somebody.
const MAX_RECENT_AUTHORS: u64 = 500;
const MAX_NAMING_EVENTS: u64 = 500;

/// An author of messages, and the newest of them.
#[derive(Clone, Debug)]
pub(crate) struct RecentAuthor {
    pub(crate) author: AuthorId,
    pub(crate) username: Username,
    pub(crate) seq: Seq,
    pub(crate) at: Timestamp,
}

impl Store {
    /// Returns the authors among the newest events of a room, the latest first.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn recent_authors(&self, room_id: i64, head: Seq) -> Result<Vec<RecentAuthor>, StoreError> {
        let newest = Entity::find()
            .select_only()
            .column_as(Column::Seq.max(), "newest")
            .filter(Column::RoomId.eq(room_id).and(Column::Seq.gt(head - RECENT_EVENTS)))
            .filter(is_message())
            .group_by(Column::Author)
            .order_by_desc(Column::Seq.max())
            .limit(MAX_RECENT_AUTHORS);
        let newest: Vec<Seq> = timed("people", newest.into_tuple().all(&self.reader)).await?;
        let rows = Entity::find()
            .filter(Column::RoomId.eq(room_id).and(Column::Seq.is_in(newest)))
            .order_by_desc(Column::Seq)
            .all(&self.reader)
            .await?;
        let author = |row: Model| {
            Some(RecentAuthor {
                author: AuthorId::from_stored(&row.author)?,
                username: Username::from_trusted(row.username),
                seq: row.seq,
                at: Timestamp(row.at),
            })
        };
        Ok(rows.into_iter().filter_map(author).collect())
    }

    /// Returns the names that recent moderation events of a room have for their subjects.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn names_of_subjects(
        &self,
        room_id: i64,
        head: Seq,
    ) -> Result<HashMap<AuthorTag, Username>, StoreError> {
        let acts = Entity::find()
            .select_only()
            .column(Column::Text)
            .filter(Column::RoomId.eq(room_id).and(Column::Seq.gt(head - RECENT_EVENTS)))
            .filter(Column::Kind.eq(Kind::Moderated))
            .order_by_desc(Column::Seq)
            .limit(MAX_NAMING_EVENTS);
        let acts: Vec<String> = timed("people", acts.into_tuple().all(&self.reader)).await?;
        let mut names = HashMap::new();
        for act in acts {
            if let Ok(Moderation { subject: Some(Participant { username, tag }), .. }) = serde_json::from_str(&act) {
                // The newest name counts.
                names.entry(tag).or_insert(username);
            }
        }
        Ok(names)
    }
}
