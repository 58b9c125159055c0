//! Outgoing hooks: creation, the hooks with events to deliver, and the position of each in its room's log. A lease keeps
//! two nodes from delivering the events of one hook at the same time.

use super::{MAX_HOOKS_PER_ROOM, new_id};
use crate::domain::{Epoch, RoomName, Seq, Username};
use crate::server::random;
use crate::server::store::entity::outgoing_hook::{Column, Entity, Model};
use crate::server::store::entity::room;
use crate::server::store::{Store, StoreError};
use crate::server::telemetry::metrics::timed;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, JoinType, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, RelationDef,
};

/// Prefix of the ids of outgoing hooks.
const OUTGOING_PREFIX: &str = "out_";

/// Maximum number of due hooks per query.
const MAX_DUE_HOOKS: u64 = 500;

/// Time for which a node may deliver the events of a hook, in milliseconds: longer than one delivery can take.
const LEASE_MS: i64 = 30_000;

/// An outgoing hook with events to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DueHook {
    pub(crate) id: String,
    pub(crate) room_id: i64,
}

/// An outgoing hook whose events this node may deliver, and the state of its room's log.
#[derive(Clone, Debug)]
pub(crate) struct LeasedHook {
    pub(crate) id: String,
    pub(crate) room_id: i64,
    pub(crate) room: RoomName,
    pub(crate) epoch: Epoch,
    /// Newest number of the room's log.
    pub(crate) head: Seq,
    pub(crate) url: String,
    pub(crate) secret: Vec<u8>,
    /// Number of the last event that the receiver has taken.
    pub(crate) position: Seq,
    /// Number of failed tries in a row.
    pub(crate) failures: u32,
    /// Whether the position was stored in an earlier history of the room.
    pub(crate) is_in_new_history: bool,
}

impl Store {
    /// Creates an outgoing hook, which delivers the events from now on. Returns its id and its secret. Returns `None`
    /// if the room has too many hooks.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::RoomGone`] if there is no such room, or an error if the database cannot be written.
    pub(crate) async fn create_outgoing_hook(
        &self,
        room_id: i64,
        name: &Username,
        url: &str,
    ) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        let (id, secret) = (new_id(OUTGOING_PREFIX), [random::bits(), random::bits()].concat());
        let now = self.now().await?;
        let transaction = self.begin_in(room_id).await?.ok_or(StoreError::RoomGone(room_id))?;
        let active = Entity::find().filter(Column::RoomId.eq(room_id)).filter(Column::EndedAt.is_null());
        if active.count(&transaction).await? >= MAX_HOOKS_PER_ROOM {
            return Ok(None);
        }
        let room = room::Entity::find_by_id(room_id).one(&transaction).await?.ok_or(StoreError::RoomGone(room_id))?;
        let row = Model {
            id: id.clone(),
            room_id,
            name: name.as_str().to_owned(),
            url: url.to_owned(),
            secret: secret.clone(),
            made_at: now,
            epoch: room.epoch,
            position: room.head,
            failures: 0,
            failing_since: None,
            failure: None,
            next_try_at: 0,
            leased_by: None,
            leased_until: 0,
            ended_at: None,
        };
        Entity::insert(row.into_active_model()).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(Some((id, secret)))
    }

    /// Returns the rooms with outgoing hooks in force.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn rooms_with_outgoing_hooks(&self) -> Result<Vec<i64>, StoreError> {
        let rooms = Entity::find().select_only().column(Column::RoomId).distinct().filter(Column::EndedAt.is_null());
        Ok(timed("hooked rooms", rooms.into_tuple().all(&self.reader)).await?)
    }

    /// Returns hooks with events to deliver now, those first that were served longest ago: of these rooms, or of all.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn due_hooks(&self, rooms: Option<&[i64]>) -> Result<Vec<DueHook>, StoreError> {
        let now = self.now().await?;
        let head = Expr::col((room::Entity, room::Column::Head));
        let epoch = Expr::col((room::Entity, room::Column::Epoch));
        let is_behind = Condition::any()
            .add(Expr::col((Entity, Column::Position)).lt(head))
            .add(Expr::col((Entity, Column::Epoch)).ne(epoch));
        let mut due = Entity::find()
            .select_only()
            .columns([Column::Id, Column::RoomId])
            .join(JoinType::InnerJoin, room_of_hook())
            .filter(Column::EndedAt.is_null())
            .filter(Column::NextTryAt.lte(now))
            .filter(is_behind)
            .order_by_asc(Column::LeasedUntil)
            .limit(MAX_DUE_HOOKS);
        if !self.is_sqlite() {
            due = due.filter(Condition::any().add(Column::LeasedBy.is_null()).add(Column::LeasedUntil.lte(now)));
        }
        if let Some(rooms) = rooms {
            due = due.filter(Column::RoomId.is_in(rooms.iter().copied()));
        }
        let due: Vec<(String, i64)> = timed("due hooks", due.into_tuple().all(&self.reader)).await?;
        Ok(due.into_iter().map(|(id, room_id)| DueHook { id, room_id }).collect())
    }

    /// Leases a hook for `node`, and returns it. Returns `None` if another node delivers its events, if it has ended,
    /// or if its room is gone. SQLite has one node, which needs no lease.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read or written.
    pub(crate) async fn lease_hook(&self, id: &str, node: &str) -> Result<Option<LeasedHook>, StoreError> {
        if !self.is_sqlite() {
            let now = self.now().await?;
            let is_free = Condition::any()
                .add(Column::LeasedBy.is_null())
                .add(Column::LeasedBy.eq(node))
                .add(Column::LeasedUntil.lte(now));
            let leased = Entity::update_many()
                .col_expr(Column::LeasedBy, Expr::value(node))
                .col_expr(Column::LeasedUntil, Expr::value(now + LEASE_MS))
                .filter(Column::Id.eq(id))
                .filter(Column::EndedAt.is_null())
                .filter(is_free);
            if leased.exec(&self.writer).await?.rows_affected == 0 {
                return Ok(None);
            }
        }
        let row = Entity::find_by_id(id).filter(Column::EndedAt.is_null()).one(&self.reader).await?;
        let Some(row) = row else { return Ok(None) };
        let Some(room) = room::Entity::find_by_id(row.room_id).one(&self.reader).await? else { return Ok(None) };
        // In another history, the receiver may have seen events that no longer exist.
        let is_in_new_history = row.epoch != room.epoch;
        let position = if is_in_new_history { Ord::min(row.position, room.head) } else { row.position };
        Ok(Some(LeasedHook {
            id: row.id,
            room_id: row.room_id,
            room: RoomName::from_trusted(room.name),
            epoch: Epoch(room.epoch),
            head: room.head,
            url: row.url,
            secret: row.secret,
            position,
            failures: row.failures.unsigned_abs(),
            is_in_new_history,
        }))
    }

    /// Stores that the receiver has taken the events up to `position`, and extends the lease. Returns `false` if the
    /// lease is lost, or if the hook has ended.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written. The events are then delivered again.
    pub(crate) async fn advance_hook(&self, hook: &LeasedHook, node: &str, position: Seq) -> Result<bool, StoreError> {
        let now = self.now().await?;
        let advanced = Entity::update_many()
            .col_expr(Column::Position, Expr::value(position))
            .col_expr(Column::Epoch, Expr::value(hook.epoch.0.as_str()))
            .col_expr(Column::Failures, Expr::value(0))
            .col_expr(Column::FailingSince, Expr::value(None::<i64>))
            .col_expr(Column::Failure, Expr::value(None::<String>))
            .col_expr(Column::NextTryAt, Expr::value(0_i64))
            .col_expr(Column::LeasedUntil, Expr::value(now + if self.is_sqlite() { 0 } else { LEASE_MS }));
        let advanced = self.held_by(advanced, hook, node).exec(&self.writer).await?;
        Ok(advanced.rows_affected > 0)
    }

    /// Stores a failed try, and that the next one is `delay_ms` from now.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn record_hook_failure(
        &self,
        hook: &LeasedHook,
        node: &str,
        reason: &str,
        delay_ms: i64,
    ) -> Result<(), StoreError> {
        let now = self.now().await?;
        let since = Expr::cust(format!("COALESCE(failing_since, {now})"));
        let failed = Entity::update_many()
            .col_expr(Column::Failures, Expr::value(i32::try_from(hook.failures + 1).unwrap_or(i32::MAX)))
            .col_expr(Column::FailingSince, since)
            .col_expr(Column::Failure, Expr::value(reason))
            .col_expr(Column::NextTryAt, Expr::value(now + delay_ms));
        self.held_by(failed, hook, node).exec(&self.writer).await?;
        Ok(())
    }

    /// Gives up the lease of `node` on a hook.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn release_hook(&self, id: &str, node: &str) -> Result<(), StoreError> {
        if self.is_sqlite() {
            return Ok(());
        }
        let released = Entity::update_many()
            .col_expr(Column::LeasedBy, Expr::value(None::<String>))
            .col_expr(Column::LeasedUntil, Expr::value(self.now().await?))
            .filter(Column::Id.eq(id).and(Column::LeasedBy.eq(node)));
        released.exec(&self.writer).await?;
        Ok(())
    }

    /// Restricts a change to the hook, while `node` has its lease.
    fn held_by(
        &self,
        change: sea_orm::UpdateMany<Entity>,
        hook: &LeasedHook,
        node: &str,
    ) -> sea_orm::UpdateMany<Entity> {
        let change = change.filter(Column::Id.eq(hook.id.as_str())).filter(Column::EndedAt.is_null());
        if self.is_sqlite() { change } else { change.filter(Column::LeasedBy.eq(node)) }
    }
}

fn room_of_hook() -> RelationDef {
    Entity::belongs_to(room::Entity).from(Column::RoomId).to(room::Column::Id).into()
}
