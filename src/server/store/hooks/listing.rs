//! Hooks as owners and the host see them, and their end.

use crate::domain::timestamp::DAY_MS;
use crate::domain::{RoomName, Timestamp};
use crate::server::auth::identity::AuthorId;
use crate::server::store::entity::{incoming_hook, outgoing_hook, room};
use crate::server::store::{Store, StoreError};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};
use std::collections::HashMap;

/// Time for which a hook is still listed after its end, in milliseconds.
const ENDED_HOOK_TTL_MS: i64 = 30 * DAY_MS;

/// Maximum number of rooms whose names are read in one query.
const ROOMS_PER_QUERY: usize = 500;

/// Reason of the end of a hook that its owner or the host has revoked.
const REVOKED_BY_OWNER: &str = "revoked";

/// A hook in the list of hooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HookSummary {
    pub(crate) id: String,
    pub(crate) room: RoomName,
    pub(crate) name: String,
    pub(crate) made_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) direction: HookDirection,
}

/// The direction of a hook, with the state that it has in this direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HookDirection {
    /// The hook posts messages.
    Incoming { used_at: Option<Timestamp> },
    /// The hook reads the log. `failure` is the reason of the last failure, or of the end.
    Outgoing { url: String, failing_since: Option<Timestamp>, next_try_at: Option<Timestamp>, failure: Option<String> },
}

impl HookSummary {
    /// Returns whether the hook is in force.
    pub(crate) fn is_active(&self) -> bool {
        self.ended_at.is_none()
    }
}

impl Store {
    /// Returns the hooks of a room, or of all rooms, by room and age. A hook that has ended is listed for 30 days.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn hooks(&self, room_id: Option<i64>) -> Result<Vec<HookSummary>, StoreError> {
        let mut incoming = incoming_hook::Entity::find().order_by_asc(incoming_hook::Column::MadeAt);
        let mut outgoing = outgoing_hook::Entity::find().order_by_asc(outgoing_hook::Column::MadeAt);
        if let Some(room_id) = room_id {
            incoming = incoming.filter(incoming_hook::Column::RoomId.eq(room_id));
            outgoing = outgoing.filter(outgoing_hook::Column::RoomId.eq(room_id));
        }
        let (incoming, outgoing) = (incoming.all(&self.reader).await?, outgoing.all(&self.reader).await?);
        let ids: Vec<i64> =
            incoming.iter().map(|row| row.room_id).chain(outgoing.iter().map(|row| row.room_id)).collect();
        let mut names: HashMap<i64, RoomName> = HashMap::new();
        for ids in ids.chunks(ROOMS_PER_QUERY) {
            let rows =
                room::Entity::find().filter(room::Column::Id.is_in(ids.iter().copied())).all(&self.reader).await?;
            names.extend(rows.into_iter().map(|row| (row.id, RoomName::from_trusted(row.name))));
        }
        let mut hooks: Vec<HookSummary> = Vec::new();
        hooks.extend(incoming.into_iter().filter_map(|row| {
            Some(HookSummary {
                room: names.get(&row.room_id)?.clone(),
                id: row.id,
                name: row.name,
                made_at: Timestamp(row.made_at),
                ended_at: row.ended_at.map(Timestamp),
                direction: HookDirection::Incoming { used_at: row.used_at.map(Timestamp) },
            })
        }));
        hooks.extend(outgoing.into_iter().filter_map(|row| {
            Some(HookSummary {
                room: names.get(&row.room_id)?.clone(),
                id: row.id,
                name: row.name,
                made_at: Timestamp(row.made_at),
                ended_at: row.ended_at.map(Timestamp),
                direction: HookDirection::Outgoing {
                    url: row.url,
                    failing_since: row.failing_since.map(Timestamp),
                    next_try_at: row.failing_since.map(|_| Timestamp(row.next_try_at)),
                    failure: row.failure,
                },
            })
        }));
        hooks.sort_by(|one, other| (one.room.as_str(), one.made_at).cmp(&(other.room.as_str(), other.made_at)));
        Ok(hooks)
    }

    /// Ends the hook with this id, of this room or of any. Returns `false` if there is none in force.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn end_hook(&self, id: &str, room_id: Option<i64>) -> Result<bool, StoreError> {
        let now = self.now().await?;
        let mut incoming = incoming_hook::Entity::update_many()
            .col_expr(incoming_hook::Column::EndedAt, Expr::value(now))
            .filter(incoming_hook::Column::Id.eq(id))
            .filter(incoming_hook::Column::EndedAt.is_null());
        if let Some(room_id) = room_id {
            incoming = incoming.filter(incoming_hook::Column::RoomId.eq(room_id));
        }
        if incoming.exec(&self.writer).await?.rows_affected > 0 {
            return Ok(true);
        }
        self.end_outgoing_hook(id, room_id, REVOKED_BY_OWNER).await
    }

    /// Ends an outgoing hook for a reason, and removes its secret. Returns `false` if there is none in force.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn end_outgoing_hook(
        &self,
        id: &str,
        room_id: Option<i64>,
        reason: &str,
    ) -> Result<bool, StoreError> {
        use outgoing_hook::Column;
        let mut ended = outgoing_hook::Entity::update_many()
            .col_expr(Column::EndedAt, Expr::value(self.now().await?))
            .col_expr(Column::Failure, Expr::value(reason))
            .col_expr(Column::Secret, Expr::value(Vec::<u8>::new()))
            .filter(Column::Id.eq(id))
            .filter(Column::EndedAt.is_null());
        if let Some(room_id) = room_id {
            ended = ended.filter(Column::RoomId.eq(room_id));
        }
        let ended = ended.exec(&self.writer).await?.rows_affected > 0;
        self.schedule_checkpoint();
        Ok(ended)
    }

    /// Removes hooks that ended long ago, and hooks of rooms that are gone: a node of the previous release may have
    /// deleted the room. Returns the number of hooks.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn purge_hooks(&self) -> Result<u64, StoreError> {
        let before = self.now().await? - ENDED_HOOK_TTL_MS;
        let is_gone = |room_id: Expr| {
            let room = Query::select()
                .expr(Expr::value(1))
                .from(room::Entity)
                .and_where(Expr::col((room::Entity, room::Column::Id)).eq(room_id))
                .take();
            Expr::exists(room).not()
        };
        let incoming_room = Expr::col((incoming_hook::Entity, incoming_hook::Column::RoomId));
        let outgoing_room = Expr::col((outgoing_hook::Entity, outgoing_hook::Column::RoomId));
        let incoming = incoming_hook::Column::EndedAt.lt(before).or(is_gone(incoming_room));
        let outgoing = outgoing_hook::Column::EndedAt.lt(before).or(is_gone(outgoing_room));
        // Reads first: mostly there is nothing to write.
        let found = incoming_hook::Entity::find().filter(incoming.clone()).one(&self.reader).await?.is_some()
            || outgoing_hook::Entity::find().filter(outgoing.clone()).one(&self.reader).await?.is_some();
        if !found {
            return Ok(0);
        }
        let gone = incoming_hook::Entity::delete_many().filter(incoming).exec(&self.writer).await?.rows_affected;
        Ok(gone + outgoing_hook::Entity::delete_many().filter(outgoing).exec(&self.writer).await?.rows_affected)
    }

    /// Removes the incoming hook whose messages have this author, if there is one.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn forget_hooks_of(&self, author: &AuthorId) -> Result<(), StoreError> {
        let of_author = incoming_hook::Column::Author.eq(author.as_bytes());
        incoming_hook::Entity::delete_many().filter(of_author).exec(&self.writer).await?;
        Ok(())
    }
}

/// Removes all hooks of a room, in the transaction that deletes the room.
///
/// # Errors
///
/// Returns an error if the database cannot be written.
pub(crate) async fn delete_hooks_in(transaction: &impl ConnectionTrait, room_id: i64) -> Result<(), DbErr> {
    let incoming = incoming_hook::Entity::delete_many().filter(incoming_hook::Column::RoomId.eq(room_id));
    incoming.exec(transaction).await?;
    let outgoing = outgoing_hook::Entity::delete_many().filter(outgoing_hook::Column::RoomId.eq(room_id));
    outgoing.exec(transaction).await.map(|_| ())
}
