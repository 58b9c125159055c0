//! List of all rooms, for the host.

use crate::domain::{AuthorTag, RoomName, Seq, Timestamp};
use crate::server::auth::identity::tag_of;
use crate::server::store::entity::room;
use crate::server::store::{RetentionPolicy, Store, StoreError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use std::collections::HashMap;

/// Maximum number of rooms per query.
const LIST_PAGE_ROOMS: u64 = 500;

/// Subquery for a room's oldest number. The primary key answers it for a log of any length.
const OLDEST_SEQ_SQL: &str = "(SELECT MIN(seq) FROM events WHERE events.room_id = rooms.id)";

/// A room in the list of rooms.
#[derive(Clone, Debug)]
pub(crate) struct RoomSummary {
    pub(crate) id: i64,
    pub(crate) name: RoomName,
    /// Newest number of the room's log.
    pub(crate) head: Seq,
    /// Number of events that the log still holds.
    pub(crate) events: Seq,
    /// Time of the newest event, or `None` if the log is empty.
    pub(crate) last_at: Option<Timestamp>,
    pub(crate) owner: Option<AuthorTag>,
    /// Slow mode's minimum interval between two messages, in seconds; 0 if slow mode is off.
    pub(crate) slow_mode: i32,
    pub(crate) locked: bool,
    pub(crate) keep: RetentionPolicy,
    /// Retention as the owner has set it, in days.
    pub(crate) retention: Option<i32>,
    pub(crate) title: Option<String>,
    pub(crate) topic: Option<String>,
}

impl Store {
    /// Returns the next rooms with ids above `after`, in the order of their ids.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn list_rooms(&self, after: i64) -> Result<Vec<RoomSummary>, StoreError> {
        let rows = room::Entity::find()
            .filter(room::Column::Id.gt(after))
            .order_by_asc(room::Column::Id)
            .limit(LIST_PAGE_ROOMS)
            .all(&self.reader)
            .await?;
        let oldest: Vec<(i64, Option<Seq>)> = room::Entity::find()
            .select_only()
            .column(room::Column::Id)
            .expr_as(Expr::cust(OLDEST_SEQ_SQL), "oldest")
            .filter(room::Column::Id.is_in(rows.iter().map(|row| row.id)))
            .into_tuple()
            .all(&self.reader)
            .await?;
        let oldest: HashMap<i64, Seq> = oldest.into_iter().filter_map(|(id, oldest)| Some((id, oldest?))).collect();
        let listed = |row: room::Model| RoomSummary {
            id: row.id,
            events: oldest.get(&row.id).map_or(0, |oldest| row.head.max(*oldest) + 1 - oldest),
            name: RoomName::from_trusted(row.name),
            head: row.head,
            last_at: Some(Timestamp(row.last_at)).filter(|_| row.head > 0),
            owner: row.owner.as_deref().map(tag_of),
            slow_mode: row.slow_mode,
            locked: row.locked,
            keep: RetentionPolicy::from_column(row.keep_days),
            retention: row.retention,
            title: row.title,
            topic: row.topic,
        };
        Ok(rows.into_iter().map(listed).collect())
    }
}
