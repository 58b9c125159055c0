//! Coalesces identical concurrent queries (single flight), as when all clients reconnect after a restart. Unlike with
//! Go's `singleflight`, a caller never gets the result of a query that started before its call: callers that arrive
//! while a query is in flight share the next one.

use crate::server::store::StoreError;
use crate::server::sync::lock;
use sea_orm::DbErr;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::oneshot;

type Waiters<V> = Vec<oneshot::Sender<V>>;

/// A group of coalesced queries, by key. Cheap to clone.
pub(crate) struct SingleFlight<K, V>(Arc<Mutex<HashMap<K, Waiters<V>>>>);

impl<K, V> Default for SingleFlight<K, V> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K, V> Clone for SingleFlight<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Clone + Eq + Hash + Send + 'static, V: Clone + Send + 'static> SingleFlight<K, V> {
    /// Returns the result of `query`, which `key` identifies, or `None` if the query panicked or the server shuts
    /// down.
    pub(crate) async fn run<F>(&self, key: &K, query: impl Fn() -> F + Send + 'static) -> Option<V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let (waiter, result) = oneshot::channel();
        let is_first = match self.waiters().entry(key.clone()) {
            Entry::Occupied(mut waiters) => {
                waiters.get_mut().push(waiter);
                false
            }
            Entry::Vacant(waiters) => {
                waiters.insert(vec![waiter]);
                true
            }
        };
        if is_first {
            // Runs in a separate task, because the first caller may be cancelled before the others have their result.
            tokio::spawn(Flight { group: self.clone(), key: key.clone(), over: false }.run(query));
        }
        result.await.ok()
    }

    fn waiters(&self) -> MutexGuard<'_, HashMap<K, Waiters<V>>> {
        lock(&self.0)
    }
}

impl<K: Clone + Eq + Hash + Send + 'static, T: Clone + Send + 'static> SingleFlight<K, Result<T, StoreError>> {
    /// Like [`run`](Self::run), for queries that may fail.
    ///
    /// # Errors
    ///
    /// Returns the error of the query, or one that says that it has ended without a result.
    pub(crate) async fn try_run<F>(&self, key: &K, query: impl Fn() -> F + Send + 'static) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let ended = || Err(DbErr::Custom("the query has ended without a result".into()).into());
        self.run(key, query).await.unwrap_or_else(ended)
    }
}

/// The task that runs the queries of one key, until no caller waits.
struct Flight<K: Clone + Eq + Hash + Send + 'static, V: Clone + Send + 'static> {
    group: SingleFlight<K, V>,
    key: K,
    over: bool,
}

impl<K: Clone + Eq + Hash + Send + 'static, V: Clone + Send + 'static> Flight<K, V> {
    async fn run<F: Future<Output = V> + Send + 'static>(mut self, query: impl Fn() -> F + Send + 'static) {
        while let Some(waiters) = self.next() {
            let result = query().await;
            for waiter in waiters {
                // Cancelled callers have dropped their receivers.
                let _ = waiter.send(result.clone());
            }
        }
    }

    /// Returns the callers of the next query, or ends the flight and returns `None` if no caller waits.
    fn next(&mut self) -> Option<Waiters<V>> {
        let mut all = self.group.waiters();
        let waiters = std::mem::take(all.get_mut(&self.key)?);
        if waiters.is_empty() {
            self.over = true;
            all.remove(&self.key);
            return None;
        }
        Some(waiters)
    }
}

impl<K: Clone + Eq + Hash + Send + 'static, V: Clone + Send + 'static> Drop for Flight<K, V> {
    fn drop(&mut self) {
        // The query panicked: dropping the senders wakes the callers that wait.
        if !self.over {
            self.group.waiters().remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use tokio::sync::Semaphore;

    #[tokio::test]
    async fn a_late_caller_gets_the_result_of_the_next_query() {
        let group: SingleFlight<&str, u32> = SingleFlight::default();
        let (asked, answers) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
        let ask = || {
            let (group, asked, answers) = (group.clone(), asked.clone(), answers.clone());
            tokio::spawn(async move {
                let query = move || {
                    let (number, answers) = (asked.fetch_add(1, SeqCst) + 1, answers.clone());
                    async move {
                        answers.acquire().await.unwrap().forget();
                        number
                    }
                };
                group.run(&"room", query).await
            })
        };
        let first = ask();
        while asked.load(SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let others: Vec<_> = (0..20).map(|_| ask()).collect();
        while group.waiters().get("room").is_none_or(|waiters| waiters.len() < 20) {
            tokio::task::yield_now().await;
        }
        answers.add_permits(1);
        assert_eq!(first.await.unwrap(), Some(1));
        answers.add_permits(1);
        for other in others {
            assert_eq!(other.await.unwrap(), Some(2), "begun after they asked, and once for all");
        }
        answers.add_permits(1);
        assert_eq!(ask().await.unwrap(), Some(3), "nothing is kept");
    }

    #[tokio::test]
    async fn nobody_waits_for_a_question_that_failed() {
        let group: SingleFlight<&str, u32> = SingleFlight::default();
        let failed = group.run(&"room", || async { panic!("expected by this test") }).await;
        assert_eq!(failed, None);
        assert_eq!(group.run(&"room", || async { 7 }).await, Some(7));
    }
}
