//! People of a room as its owner sees them: recent authors, and those with a membership. Every query is bounded.

use crate::domain::moderation::Moderation;
use crate::domain::{AuthorTag, Participant, Seq, Timestamp, Username};
use crate::server::auth::identity::AuthorId;
use crate::server::store::entity::event::{Column, Entity, Kind, Model};
use crate::server::store::entity::standing;
use crate::server::store::log::history::is_message;
use crate::server::store::{Store, StoreError};
use crate::server::telemetry::metrics::timed;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::HashMap;

/// Number of the newest events among which authors and names are looked for.
const RECENT_EVENTS: Seq = 10_000;

/// Maximum number of recent authors, of authors with a membership, and of moderation events that name somebody.
const MAX_RECENT_AUTHORS: u64 = 500;
const MAX_MARKED_AUTHORS: u64 = 500;
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

    /// Returns authors who are members of a room, or muted or banned in it.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn marked_authors(&self, room_id: i64) -> Result<Vec<AuthorId>, StoreError> {
        use standing::Column::{Author, BannedUntil, Member, MutedUntil, RoomId};
        let now = self.now().await?;
        let marked = Condition::any().add(BannedUntil.gt(now)).add(MutedUntil.gt(now)).add(Member.eq(true));
        // Bans and mutes first: they are few, and no other list shows them.
        let rows = standing::Entity::find()
            .select_only()
            .column(Author)
            .filter(RoomId.eq(room_id))
            .filter(marked)
            .order_by_desc(BannedUntil)
            .order_by_desc(MutedUntil)
            .limit(MAX_MARKED_AUTHORS);
        let authors: Vec<Vec<u8>> = timed("people", rows.into_tuple().all(&self.reader)).await?;
        Ok(authors.iter().filter_map(|author| AuthorId::from_stored(author)).collect())
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
