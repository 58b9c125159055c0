//! Incoming hooks: creation, and the look-up by key. Only a hash of the key is stored.

use super::{MAX_HOOKS_PER_ROOM, new_id};
use crate::domain::{Epoch, RoomKey, RoomName, Username};
use crate::server::auth::identity::AuthorId;
use crate::server::random;
use crate::server::store::entity::incoming_hook::{Column, Entity, Model};
use crate::server::store::entity::room;
use crate::server::store::{RoomRef, Store, StoreError};
use crate::server::telemetry::metrics::timed;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, IntoActiveModel, JoinType, PaginatorTrait, QueryFilter, QuerySelect,
    RelationDef,
};
use sha2::{Digest, Sha256};

/// Prefix of the ids of incoming hooks.
const INCOMING_PREFIX: &str = "in_";

/// Interval at which the time of the last use is stored, in milliseconds.
const HOOK_USE_INTERVAL_MS: i64 = 60_000;

/// An incoming hook that is in force, with its room.
#[derive(Clone, Debug)]
pub(crate) struct IncomingHook {
    pub(crate) id: String,
    pub(crate) room: RoomRef,
    pub(crate) name: Username,
    pub(crate) author: AuthorId,
    used_at: Option<i64>,
}

/// A row of the look-up.
#[derive(FromQueryResult)]
struct HookRow {
    id: String,
    name: String,
    author: Vec<u8>,
    used_at: Option<i64>,
    room_id: i64,
    room_name: String,
    epoch: String,
}

impl Store {
    /// Creates an incoming hook of a room, and returns its id and its key, which is not stored. Returns `None` if the
    /// room has too many hooks.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::RoomGone`] if there is no such room, or an error if the database cannot be written.
    pub(crate) async fn create_incoming_hook(
        &self,
        room_id: i64,
        name: &Username,
    ) -> Result<Option<(String, RoomKey)>, StoreError> {
        let (id, key) = (new_id(INCOMING_PREFIX), RoomKey::new(random::bits()));
        let row = Model {
            id: id.clone(),
            room_id,
            key_hash: hash(&key),
            name: name.as_str().to_owned(),
            author: AuthorId::new_hook().as_bytes().to_vec(),
            made_at: self.now().await?,
            used_at: None,
            ended_at: None,
        };
        let transaction = self.begin_in(room_id).await?.ok_or(StoreError::RoomGone(room_id))?;
        let active = Entity::find().filter(Column::RoomId.eq(room_id)).filter(Column::EndedAt.is_null());
        if active.count(&transaction).await? >= MAX_HOOKS_PER_ROOM {
            return Ok(None);
        }
        Entity::insert(row.into_active_model()).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(Some((id, key)))
    }

    /// Returns the hook with this key, or `None` if there is none or it has ended. The same query answers either way.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn incoming_hook(&self, key: &RoomKey) -> Result<Option<IncomingHook>, StoreError> {
        let query = Entity::find()
            .select_only()
            .columns([Column::Id, Column::Name, Column::Author, Column::UsedAt, Column::RoomId])
            .column_as(room::Column::Name, "room_name")
            .column(room::Column::Epoch)
            .join(JoinType::InnerJoin, room_of_hook())
            .filter(Column::KeyHash.eq(hash(key)))
            .filter(Column::EndedAt.is_null())
            .into_model::<HookRow>();
        let found = timed("hook", query.one(&self.reader)).await?;
        Ok(found.and_then(|row| {
            Some(IncomingHook {
                author: AuthorId::from_stored(&row.author)?,
                id: row.id,
                room: RoomRef { id: row.room_id, name: RoomName::from_trusted(row.room_name), epoch: Epoch(row.epoch) },
                name: Username::from_trusted(row.name),
                used_at: row.used_at,
            })
        }))
    }

    /// Stores that the hook was used now, unless that was stored less than a minute ago.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn record_hook_use(&self, hook: &IncomingHook) -> Result<(), StoreError> {
        let now = self.now().await?;
        if hook.used_at.is_some_and(|used_at| now.abs_diff(used_at) < HOOK_USE_INTERVAL_MS.unsigned_abs()) {
            return Ok(());
        }
        let used = Entity::update_many().col_expr(Column::UsedAt, Expr::value(now));
        used.filter(Column::Id.eq(hook.id.as_str())).exec(&self.writer).await?;
        Ok(())
    }
}

/// Returns the hash under which a key is stored. Keys have 128 random bits, so the hash needs no salt.
fn hash(key: &RoomKey) -> Vec<u8> {
    Sha256::digest(key.to_string()).to_vec()
}

fn room_of_hook() -> RelationDef {
    Entity::belongs_to(room::Entity).from(Column::RoomId).to(room::Column::Id).into()
}
