//! Tokens of the API: created, listed and revoked by the host, and by the owner of a room for that room. A token proves
//! an identity of its own.

mod token_lookups;
mod token_signer;

pub(crate) use token_lookups::TokenLookups;

use super::entity::{room, token};
use super::rooms::members;
use super::{Store, StoreError};
use crate::domain::timestamp::DAY_MS;
use crate::domain::{RoomKey, RoomName, Timestamp, Username};
use crate::server::auth::identity::AuthorId;
use crate::server::random;
use crate::server::store::database::chunks::insert;
use crate::server::store::entity::standing;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, ExprTrait, OnConflict, Query},
};
use std::collections::{HashMap, HashSet};
use token::{Column, Entity, Model};

/// Maximum number of tokens of a room that are not revoked.
pub(crate) const MAX_ROOM_TOKENS: u64 = 20;

/// Maximum number of revoked tokens of a room that are kept when another is created.
const MAX_REVOKED_LISTED: usize = 20;

/// Number of characters of a token's public id.
const TOKEN_ID_CHARS: usize = 8;

/// Time for which a revoked token is still listed, in milliseconds.
const REVOKED_TTL_MS: i64 = 30 * DAY_MS;

/// Maximum number of authors per query.
const AUTHORS_PER_QUERY: usize = 500;

/// A token, without its secret.
#[derive(Clone, Debug)]
pub(crate) struct TokenRecord {
    /// The public id, by which the token is revoked.
    pub(crate) id: String,
    /// The identity that the token proves.
    pub(crate) author: AuthorId,
    /// The default name of the token's messages.
    pub(crate) label: Username,
    /// The only room in which the token is valid, or `None` if it is valid in all rooms.
    pub(crate) room_id: Option<i64>,
    pub(crate) made_at: Timestamp,
    /// Time of the last use, within an hour.
    pub(crate) used_at: Option<Timestamp>,
    /// Time of revocation, or `None` if the token is valid.
    pub(crate) ended_at: Option<Timestamp>,
}

/// A token that was just created.
#[derive(Clone, Debug)]
pub(crate) struct NewToken {
    pub(crate) record: TokenRecord,
    /// The token as text, which is not stored.
    pub(crate) secret: String,
}

impl From<Model> for TokenRecord {
    fn from(row: Model) -> Self {
        let author = <[u8; 16]>::try_from(&row.author[..]).unwrap_or_default();
        Self {
            id: row.id,
            author: AuthorId::from(author).proven_by_token(),
            label: Username::from_trusted(row.label),
            room_id: row.room_id,
            made_at: Timestamp(row.made_at),
            used_at: row.used_at.map(Timestamp),
            ended_at: row.ended_at.map(Timestamp),
        }
    }
}

impl Store {
    /// Creates a token that is valid in one room, whose member it becomes, or in all rooms. Returns `None` if the room
    /// has as many tokens as it may have.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::RoomGone`] if there is no such room, or an error if the database cannot be written.
    pub(crate) async fn create_token(
        &self,
        label: &Username,
        room_id: Option<i64>,
    ) -> Result<Option<NewToken>, StoreError> {
        let (secret, hash) = self.token_signer().await?.create();
        let author = AuthorId::of_new_token();
        let row = Model {
            id: RoomKey::new(random::bits()).to_string()[..TOKEN_ID_CHARS].to_owned(),
            hash: hash.to_vec(),
            author: author.as_bytes().to_vec(),
            label: label.as_str().to_owned(),
            room_id,
            made_at: self.now().await?,
            used_at: None,
            ended_at: None,
        };
        let inserted = Entity::insert(row.clone().into_active_model());
        match room_id {
            None => drop(inserted.exec_without_returning(&self.writer).await?),
            Some(room_id) => {
                let transaction = self.begin_in(room_id).await?.ok_or(StoreError::RoomGone(room_id))?;
                if of_room(room_id).filter(Column::EndedAt.is_null()).count(&transaction).await? >= MAX_ROOM_TOKENS {
                    return Ok(None);
                }
                forget_revoked_in(&transaction, room_id).await?;
                inserted.exec_without_returning(&transaction).await?;
                let member = standing::Model { member: true, ..members::new(room_id, author.as_bytes().to_vec()) };
                let conflict = OnConflict::columns([standing::Column::RoomId, standing::Column::Author])
                    .update_column(standing::Column::Member)
                    .to_owned();
                insert(&transaction, &[member], Some(&conflict)).await?;
                transaction.commit().await?;
            }
        }
        Ok(Some(NewToken { record: row.into(), secret }))
    }

    /// Returns the tokens of one room or of the whole site, the oldest first, including tokens that were revoked lately.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn tokens(&self, room_id: Option<i64>) -> Result<Vec<TokenRecord>, StoreError> {
        let rows = Entity::find().order_by_asc(Column::MadeAt).order_by_asc(Column::Id);
        let rows = match room_id {
            Some(room_id) => rows.filter(Column::RoomId.eq(room_id)),
            None => rows,
        };
        Ok(rows.all(&self.reader).await?.into_iter().map(TokenRecord::from).collect())
    }

    /// Returns the names of the rooms of these tokens.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn rooms_of_tokens(&self, tokens: &[TokenRecord]) -> Result<HashMap<i64, RoomName>, StoreError> {
        let ids: HashSet<i64> = tokens.iter().filter_map(|token| token.room_id).collect();
        let ids: Vec<i64> = ids.into_iter().collect();
        let mut names = HashMap::new();
        for ids in ids.chunks(AUTHORS_PER_QUERY) {
            let rows =
                room::Entity::find().filter(room::Column::Id.is_in(ids.iter().copied())).all(&self.reader).await?;
            names.extend(rows.into_iter().map(|row| (row.id, RoomName::from_trusted(row.name))));
        }
        Ok(names)
    }

    /// Revokes a token of one room, or any token if `room_id` is `None`. Its author is no longer a member of its room.
    /// Returns whether the token was valid.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn revoke_token(&self, id: &str, room_id: Option<i64>) -> Result<bool, StoreError> {
        let Some(row) = Entity::find_by_id(id).one(&self.reader).await? else { return Ok(false) };
        if room_id.is_some() && row.room_id != room_id {
            return Ok(false);
        }
        let revoked = Entity::update_many()
            .col_expr(Column::EndedAt, Expr::value(self.now().await?))
            .filter(Column::Id.eq(id).and(Column::EndedAt.is_null()));
        let Some(room_id) = row.room_id else { return Ok(revoked.exec(&self.writer).await?.rows_affected > 0) };
        // A deleted room has no tokens.
        let Some(transaction) = self.begin_in(room_id).await? else { return Ok(false) };
        let was_valid = revoked.exec(&transaction).await?.rows_affected > 0;
        standing::Entity::delete_by_id((room_id, row.author)).exec(&transaction).await?;
        transaction.commit().await?;
        Ok(was_valid)
    }

    /// Returns those of `authors` whose tokens are still valid.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn authors_with_tokens(&self, authors: &[[u8; 16]]) -> Result<HashSet<[u8; 16]>, StoreError> {
        let mut valid = HashSet::new();
        for authors in authors.chunks(AUTHORS_PER_QUERY) {
            let rows = Entity::find().select_only().column(Column::Author).filter(Column::EndedAt.is_null());
            let rows = rows.filter(Column::Author.is_in(authors.iter().map(|author| author.to_vec())));
            let rows: Vec<Vec<u8>> = rows.into_tuple().all(&self.reader).await?;
            valid.extend(rows.into_iter().filter_map(|author| <[u8; 16]>::try_from(author).ok()));
        }
        Ok(valid)
    }

    /// Removes an author's token, with its label. Returns the number of removed rows.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn forget_tokens_of(&self, author: &AuthorId) -> Result<u64, StoreError> {
        let own = Entity::delete_many().filter(Column::Author.eq(author.as_bytes()));
        Ok(own.exec(&self.writer).await?.rows_affected)
    }

    /// Removes tokens that were revoked a while ago, and tokens of deleted rooms. Returns the number of removed rows.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be written.
    pub(crate) async fn purge_tokens(&self) -> Result<u64, StoreError> {
        let revoked = Column::EndedAt.lte(self.now().await? - REVOKED_TTL_MS);
        let rooms = Query::select().column(room::Column::Id).from(room::Entity).take();
        let orphaned = Column::RoomId.is_not_null().and(Column::RoomId.not_in_subquery(rooms));
        let outdated = revoked.or(orphaned);
        // A query first: an unneeded write would wait for other writers.
        if Entity::find().filter(outdated.clone()).count(&self.reader).await? == 0 {
            return Ok(0);
        }
        Ok(Entity::delete_many().filter(outdated).exec(&self.writer).await?.rows_affected)
    }
}

/// Removes the tokens of a room, in the transaction that deletes it.
///
/// # Errors
///
/// Returns an error if the database cannot be written.
pub(crate) async fn forget_tokens_in(transaction: &impl ConnectionTrait, room_id: i64) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::RoomId.eq(room_id)).exec(transaction).await?;
    Ok(())
}

/// Removes the tokens of a room that were revoked, except the latest: an owner cannot fill the table.
async fn forget_revoked_in(transaction: &impl ConnectionTrait, room_id: i64) -> Result<(), DbErr> {
    let revoked = of_room(room_id).filter(Column::EndedAt.is_not_null()).order_by_desc(Column::EndedAt);
    let ids: Vec<String> = revoked.select_only().column(Column::Id).into_tuple().all(transaction).await?;
    let outdated: Vec<String> = ids.into_iter().skip(MAX_REVOKED_LISTED).collect();
    if !outdated.is_empty() {
        Entity::delete_many().filter(Column::Id.is_in(outdated)).exec(transaction).await?;
    }
    Ok(())
}

fn of_room(room_id: i64) -> sea_orm::Select<Entity> {
    Entity::find().filter(Column::RoomId.eq(room_id))
}

#[cfg(test)]
mod tests;
