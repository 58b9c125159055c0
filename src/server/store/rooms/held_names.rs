//! Names held in a room that begin alike, to complete a mention.

use super::confusables::skeletons;
use super::username_claims::active_claims;
use crate::domain::Username;
use crate::server::store::entity::name::{Column, Model};
use crate::server::store::{Store, StoreError};
use crate::server::telemetry::metrics::timed;
use crate::server::time::now_ms;
use sea_orm::sea_query::{Expr, ExprTrait, Order};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use std::cmp::Reverse;

/// Maximum number of names returned, and of claims read to find those that were used last.
const MAX_COMPLETIONS: usize = 10;
const MAX_READ_CLAIMS: u64 = 200;

impl Store {
    /// Returns up to [`MAX_COMPLETIONS`] names held in a room that begin like `prefix`, or look as if they did: those used
    /// last first. An empty prefix is that of every name.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn names_with_prefix(&self, room_id: i64, prefix: &str) -> Result<Vec<Username>, StoreError> {
        let from = match Username::parse(prefix) {
            // Claims are stored under the skeleton of the small letters, among others.
            Ok(prefix) => skeletons(&prefix).into_iter().next().unwrap_or_else(|| prefix.as_str().to_lowercase()),
            Err(_) if Username::is_blank(prefix) => String::new(),
            Err(_) => return Ok(Vec::new()),
        };
        // Byte by byte: PostgreSQL's collations order texts in other ways.
        let skeleton = || match self.is_sqlite() {
            true => Expr::col(Column::Skeleton),
            false => Expr::cust("skeleton COLLATE \"C\""),
        };
        let found = active_claims(now_ms())
            .filter(Column::RoomId.eq(room_id))
            .filter(skeleton().gte(from.clone()).and(skeleton().lt(format!("{from}\u{10ffff}"))))
            .filter(Column::Username.is_not_null())
            .order_by(skeleton(), Order::Asc)
            .limit(MAX_READ_CLAIMS);
        let mut found: Vec<Model> = timed("names", found.all(&self.reader)).await?;
        found.sort_by_key(|row| Reverse(row.at));
        let mut names: Vec<Username> = Vec::new();
        for name in found.into_iter().filter_map(|row| row.username) {
            if names.len() < MAX_COMPLETIONS && names.iter().all(|known| known.as_str() != name) {
                names.push(Username::from_trusted(name));
            }
        }
        Ok(names)
    }
}
