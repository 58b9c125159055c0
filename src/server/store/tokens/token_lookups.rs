//! Look-ups of tokens. A made-up token costs no query, and a revoked one costs one. On SQLite, whose state can be told
//! without a query, the others are looked up again only after a commit.

use super::TokenRecord;
use super::token_signer::{TokenHash, TokenSigner};
use crate::server::store::database::wal_index::DatabaseState;
use crate::server::store::entity::token::{Column, Entity};
use crate::server::store::{Store, StoreError};
use crate::server::sync::lock;
use crate::server::telemetry::metrics::timed;
use crate::server::time::now_ms;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use tokio::sync::OnceCell;

/// Name of the site's secret that signs tokens.
const TOKEN_KEY: &str = "tokens";

/// Maximum number of tokens of each kind that are kept in memory.
const MAX_KNOWN_TOKENS: usize = 1024;

/// Interval at which the time of a token's last use is stored, in milliseconds.
const TOKEN_USE_INTERVAL_MS: i64 = 60 * 60 * 1000;

/// A cheap-to-clone handle on the results of look-ups.
#[derive(Clone, Default)]
pub(crate) struct TokenLookups {
    signer: Arc<OnceCell<TokenSigner>>,
    known: Arc<Mutex<KnownTokens>>,
}

#[derive(Default)]
struct KnownTokens {
    /// The state of the database in which `valid` was read.
    state: Option<DatabaseState>,
    valid: HashMap<TokenHash, TokenRecord>,
    /// Tokens that were revoked, which is final.
    revoked: HashSet<TokenHash>,
    /// Times at which uses of tokens were stored, by id, in UTC milliseconds.
    used: HashMap<String, i64>,
}

impl KnownTokens {
    /// Returns the result of an earlier look-up, or `None` if the database has to be asked.
    fn get(&self, hash: &TokenHash, state: Option<DatabaseState>) -> Option<Option<TokenRecord>> {
        if self.revoked.contains(hash) {
            return Some(None);
        }
        let is_current = state.is_some() && state == self.state;
        self.valid.get(hash).filter(|_| is_current).cloned().map(Some)
    }

    /// Keeps the result of a look-up that began in this state.
    fn put(&mut self, hash: TokenHash, state: Option<DatabaseState>, found: &TokenRecord) {
        if found.ended_at.is_some() {
            if self.revoked.len() >= MAX_KNOWN_TOKENS {
                self.revoked.clear();
            }
            self.revoked.insert(hash);
        } else if state.is_some() {
            if self.state != state || self.valid.len() >= MAX_KNOWN_TOKENS {
                self.valid.clear();
            }
            self.state = state;
            self.valid.insert(hash, found.clone());
        }
    }

    /// Returns whether the use of a token at `now` is to be stored, and counts it as stored.
    fn begin_use(&mut self, token: &TokenRecord, now: i64) -> bool {
        let is_recent = |used: i64| now - used < TOKEN_USE_INTERVAL_MS;
        if token.used_at.is_some_and(|used| is_recent(used.0))
            || self.used.get(&token.id).is_some_and(|used| is_recent(*used))
        {
            return false;
        }
        if self.used.len() >= MAX_KNOWN_TOKENS {
            self.used.clear();
        }
        self.used.insert(token.id.clone(), now);
        true
    }
}

impl Store {
    /// Returns the token with this text, or `None` if it was made up or revoked. Stores the time of the use.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn token(&self, text: &str) -> Result<Option<TokenRecord>, StoreError> {
        let found = self.find_token(text).await?;
        if let Some(token) = &found {
            self.record_token_use(token);
        }
        Ok(found)
    }

    /// Like [`token`](Self::token), but does not count as a use.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read.
    pub(crate) async fn find_token(&self, text: &str) -> Result<Option<TokenRecord>, StoreError> {
        let Some(hash) = self.token_signer().await?.verify(text) else { return Ok(None) };
        // Read before the query, so that the result is not kept for a later state.
        let state = self.lookups.state();
        let known = lock(&self.tokens.known).get(&hash, state);
        if let Some(found) = known {
            return Ok(found);
        }
        let query = Entity::find().filter(Column::Hash.eq(hash.to_vec()));
        let found = timed("token", query.one(&self.reader)).await?.map(TokenRecord::from);
        if let Some(found) = &found {
            lock(&self.tokens.known).put(hash, state, found);
        }
        Ok(found.filter(|found| found.ended_at.is_none()))
    }

    /// Stores the time of a token's use in the background, at most once an hour. A failure is not reported: the time only
    /// informs the host.
    fn record_token_use(&self, token: &TokenRecord) {
        let now = now_ms();
        if !lock(&self.tokens.known).begin_use(token, now) {
            return;
        }
        let (writer, id) = (self.writer.clone(), token.id.clone());
        tokio::spawn(async move {
            let used = Entity::update_many().col_expr(Column::UsedAt, Expr::value(now)).filter(Column::Id.eq(id));
            if let Err(error) = used.exec(&writer).await {
                tracing::debug!(%error, "Storing the use of a token failed");
            }
        });
    }

    /// Returns the signer of the site's tokens, whose key is created at the first use.
    pub(super) async fn token_signer(&self) -> Result<&TokenSigner, StoreError> {
        let create = async || Ok::<_, StoreError>(TokenSigner::new(&self.get_or_create_secret(TOKEN_KEY).await?));
        self.tokens.signer.get_or_try_init(create).await
    }
}
