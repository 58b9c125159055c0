//! Names held in a room that begin alike, to complete a mention, and the names of one holder.

use super::confusables::{skeletons, skeletons_of_prefix};
use super::username_claims::active_claims;
use crate::domain::Username;
use crate::server::auth::identity::AuthorId;
use crate::server::store::entity::name::{Column, Entity, Model};
use crate::server::store::{Store, StoreError};
use crate::server::telemetry::metrics::timed;
use crate::server::time::now_ms;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, Select};
use std::cmp::Reverse;

/// Maximum number of names returned.
const MAX_COMPLETIONS: usize = 10;

/// Maximum number of claims that begin alike, of which those used last are looked for. If there are more, the newest
/// claims of the room are searched, too.
const MAX_ALIKE_CLAIMS: u64 = 1000;

/// Maximum number of the newest claims that are searched.
const MAX_NEWEST_CLAIMS: u64 = 5000;

impl Store {
    /// Returns up to [`MAX_COMPLETIONS`] names held in a room that begin like `prefix`, or look as if they did: those used
    /// last first. An empty prefix is that of every name. In a room with very many names, those used long ago are left out.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn names_with_prefix(&self, room_id: i64, prefix: &str) -> Result<Vec<Username>, StoreError> {
        let prefixes = match Username::parse(prefix) {
            Ok(prefix) => skeletons_of_prefix(&prefix),
            Err(_) if Username::is_blank(prefix) => Vec::new(),
            Err(_) => return Ok(Vec::new()),
        };
        let claims =
            || active_claims(now_ms()).filter(Column::RoomId.eq(room_id)).filter(Column::Username.is_not_null());
        let mut found: Vec<Model> = Vec::new();
        let is_wanted = |held: &Model| prefixes.iter().any(|prefix| held.skeleton.starts_with(prefix));
        if !prefixes.is_empty() {
            let alike = claims().filter(self.begins_with(&prefixes)).limit(MAX_ALIKE_CLAIMS + 1);
            found = timed("names", alike.all(&self.reader)).await?;
        }
        if prefixes.is_empty() {
            // A name has up to two skeletons.
            found = timed("names", newest(claims(), 4 * MAX_COMPLETIONS as u64).all(&self.reader)).await?;
        } else if found.len() as u64 > MAX_ALIKE_CLAIMS {
            let newest = timed("names", newest(claims(), MAX_NEWEST_CLAIMS).all(&self.reader)).await?;
            found.extend(newest.into_iter().filter(is_wanted));
        }
        found.sort_by_key(|row| Reverse(row.at));
        let mut names: Vec<Username> = Vec::new();
        for name in found.into_iter().filter_map(|row| row.username) {
            if names.len() < MAX_COMPLETIONS && names.iter().all(|known| known.as_str() != name) {
                names.push(Username::from_trusted(name));
            }
        }
        Ok(names)
    }

    /// Returns the condition that a skeleton begins with one of these, byte by byte: PostgreSQL's collations order texts in
    /// other ways.
    fn begins_with(&self, prefixes: &[String]) -> Condition {
        let skeleton = || match self.is_sqlite() {
            true => Expr::col(Column::Skeleton),
            false => Expr::cust("skeleton COLLATE \"C\""),
        };
        prefixes.iter().fold(Condition::any(), |any, prefix| {
            any.add(skeleton().gte(prefix.clone()).and(skeleton().lt(format!("{prefix}\u{10ffff}"))))
        })
    }

    /// Returns whether an author other than `author` holds this name in the room, and the names that `author` holds there.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn names_of(
        &self,
        room_id: i64,
        username: &Username,
        author: &AuthorId,
    ) -> Result<(bool, Vec<Username>), StoreError> {
        let skeletons = skeletons(username);
        if skeletons.is_empty() && author.is_guest() {
            return Ok((false, Vec::new()));
        }
        let wanted = Column::Skeleton.is_in(skeletons.iter().cloned()).or(Column::Author.eq(author.as_bytes()));
        let claims = active_claims(now_ms()).filter(Column::RoomId.eq(room_id)).filter(wanted);
        let (own, others): (Vec<Model>, Vec<Model>) =
            claims.all(&self.reader).await?.into_iter().partition(|row| row.author == author.as_bytes());
        let mut names: Vec<Username> =
            own.into_iter().filter_map(|row| row.username).map(Username::from_trusted).collect();
        names.sort();
        names.dedup();
        Ok((!others.is_empty(), names))
    }
}

fn newest(claims: Select<Entity>, limit: u64) -> Select<Entity> {
    claims.order_by_desc(Column::At).limit(limit)
}
