//! What many ask at the same time, as when everybody comes back after a restart, is put to the database once. Nobody gets
//! an answer that was begun before they asked: whoever comes while a question is under way waits for the next one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

type Askers<V> = Vec<oneshot::Sender<V>>;

/// Questions of one kind; cheap to clone.
pub(super) struct Together<K, V>(Arc<Mutex<HashMap<K, Askers<V>>>>);

impl<K, V> Default for Together<K, V> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K, V> Clone for Together<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Clone + Eq + Hash + Send + 'static, V: Clone + Send + 'static> Together<K, V> {
    /// The answer to `question`, which is about `key`; `None` if it failed, or the server ends.
    pub(super) async fn ask<F>(&self, key: &K, question: impl Fn() -> F + Send + 'static) -> Option<V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let (asker, answer) = oneshot::channel();
        let is_first = match self.askers().entry(key.clone()) {
            Entry::Occupied(mut askers) => {
                askers.get_mut().push(asker);
                false
            }
            Entry::Vacant(askers) => {
                askers.insert(vec![asker]);
                true
            }
        };
        if is_first {
            // In a task of its own: whoever asked first may go before the others have their answer.
            tokio::spawn(Turn { together: self.clone(), key: key.clone(), over: false }.run(question));
        }
        answer.await.ok()
    }

    fn askers(&self) -> MutexGuard<'_, HashMap<K, Askers<V>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As long as this lives, somebody answers.
struct Turn<K: Clone + Eq + Hash + Send + 'static, V: Clone + Send + 'static> {
    together: Together<K, V>,
    key: K,
    over: bool,
}

impl<K: Clone + Eq + Hash + Send + 'static, V: Clone + Send + 'static> Turn<K, V> {
    async fn run<F: Future<Output = V> + Send + 'static>(mut self, question: impl Fn() -> F + Send + 'static) {
        while let Some(askers) = self.next() {
            let answer = question().await;
            for asker in askers {
                // Some have gone.
                let _ = asker.send(answer.clone());
            }
        }
    }

    /// Those who ask now; if there are none, the turn is over.
    fn next(&mut self) -> Option<Askers<V>> {
        let mut all = self.together.askers();
        let askers = std::mem::take(all.get_mut(&self.key)?);
        if askers.is_empty() {
            self.over = true;
            all.remove(&self.key);
            return None;
        }
        Some(askers)
    }
}

impl<K: Clone + Eq + Hash + Send + 'static, V: Clone + Send + 'static> Drop for Turn<K, V> {
    fn drop(&mut self) {
        // It did not end well: nobody waits for what does not come.
        if !self.over {
            self.together.askers().remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use tokio::sync::Semaphore;

    #[tokio::test]
    async fn who_comes_while_a_question_is_under_way_gets_the_answer_to_the_next() {
        let together: Together<&str, u32> = Together::default();
        let (asked, answers) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
        let ask = || {
            let (together, asked, answers) = (together.clone(), asked.clone(), answers.clone());
            tokio::spawn(async move {
                let question = move || {
                    let (number, answers) = (asked.fetch_add(1, SeqCst) + 1, answers.clone());
                    async move {
                        answers.acquire().await.unwrap().forget();
                        number
                    }
                };
                together.ask(&"room", question).await
            })
        };
        let first = ask();
        while asked.load(SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let others: Vec<_> = (0..20).map(|_| ask()).collect();
        while together.askers().get("room").is_none_or(|askers| askers.len() < 20) {
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
        let together: Together<&str, u32> = Together::default();
        let failed = together.ask(&"room", || async { panic!("expected by this test") }).await;
        assert_eq!(failed, None);
        assert_eq!(together.ask(&"room", || async { 7 }).await, Some(7));
    }
}
