//! Revocation of tokens: connections of a token end with it. Tokens are revoked on any node, and by commands, so each
//! node asks the database for the tokens of its connections.

use super::Hub;
use super::subscriber::Subscriber;
use crate::protocol::close;
use crate::server::store::StoreError;
use crate::server::sync::lock;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Interval of asking for revoked tokens. A revocation takes effect within a second.
const REVOCATION_INTERVAL: Duration = Duration::from_millis(400);

/// Shortest time between two queries, regardless of the number of requests.
const MIN_REVOCATION_DELAY: Duration = Duration::from_millis(50);

/// Connections of this node whose authors are proven by tokens; cheap to clone.
#[derive(Clone, Default)]
pub(super) struct TokenSubscribers {
    connections: Arc<Mutex<HashMap<u64, Weak<Subscriber>>>>,
    requested: Arc<Notify>,
}

impl TokenSubscribers {
    /// Adds a connection, if a token proves its author.
    pub(super) fn add(&self, subscriber: &Arc<Subscriber>) {
        if subscriber.author.is_token() {
            lock(&self.connections).insert(subscriber.connection, Arc::downgrade(subscriber));
            // The token may have been revoked since it was looked up.
            self.requested.notify_one();
        }
    }

    pub(super) fn remove(&self, subscriber: &Subscriber) {
        if subscriber.author.is_token() {
            lock(&self.connections).remove(&subscriber.connection);
        }
    }

    /// Requests a check of the tokens. Never waits.
    pub(super) fn request_check(&self) {
        self.requested.notify_one();
    }

    fn list(&self) -> Vec<Arc<Subscriber>> {
        lock(&self.connections).values().filter_map(Weak::upgrade).collect()
    }
}

impl Hub {
    /// Ends the connections of revoked tokens for as long as the server lives.
    pub(crate) async fn run_revocation(self) {
        let mut ticks = interval(REVOCATION_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.token_subscribers.requested.notified() => {}
            }
            match self.end_revoked().await {
                Ok(()) => self.reconciliation.revoking.over(),
                Err(error) => self.reconciliation.revoking.failed(&error),
            }
            sleep(MIN_REVOCATION_DELAY).await;
        }
    }

    /// Requests that connections of revoked tokens end at once. Never waits.
    pub(crate) fn request_revocation(&self) {
        self.token_subscribers.request_check();
    }

    /// Ends the connections of tokens that are no longer valid. Costs no query without connections of tokens.
    async fn end_revoked(&self) -> Result<(), StoreError> {
        let connections = self.token_subscribers.list();
        if connections.is_empty() {
            return Ok(());
        }
        let authors: HashSet<[u8; 16]> = connections.iter().map(|subscriber| subscriber.author.to_bytes()).collect();
        let valid = self.store.authors_with_tokens(&authors.into_iter().collect::<Vec<_>>()).await?;
        for subscriber in connections {
            if !valid.contains(&subscriber.author.to_bytes()) {
                subscriber.disconnect_with(close::REVOKED);
            }
        }
        Ok(())
    }
}
