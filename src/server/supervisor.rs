//! Background tasks that survive their own panics: each panic is logged, and the task is restarted after a growing
//! delay.

use crate::server::sync::lock;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep};

/// Delay before restarting a task that has panicked: the first, and the longest.
const MIN_RESTART_DELAY: Duration = Duration::from_millis(100);
const MAX_RESTART_DELAY: Duration = Duration::from_secs(10);

/// Time for which a task must run before its earlier panic no longer counts.
const TASK_STABLE_AFTER: Duration = Duration::from_secs(10);

/// The background tasks of a server. Dropping it aborts them.
pub(crate) struct Supervisor {
    tasks: JoinSet<()>,
    health: Health,
}

impl Supervisor {
    pub(crate) fn new(health: Health) -> Self {
        Self { tasks: JoinSet::new(), health }
    }

    /// Runs the task that `begin` creates until it returns. The task is created again each time it panics.
    pub(crate) fn spawn<F, T>(&mut self, name: &'static str, begin: F)
    where
        F: FnMut() -> T + Send + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn(keep_running(name, self.health.clone(), begin));
    }

    /// Aborts the tasks and waits for their end.
    pub(crate) async fn shutdown(mut self) {
        self.tasks.shutdown().await;
    }
}

/// Runs the task that `begin` creates until it returns. The task is created again each time it panics.
pub(crate) async fn keep_running<F, T>(name: &'static str, health: Health, mut begin: F)
where
    F: FnMut() -> T,
    T: Future<Output = ()> + Send + 'static,
{
    let mut delay = MIN_RESTART_DELAY;
    loop {
        let begun = Instant::now();
        // A `JoinSet` aborts the task when this future is dropped.
        let mut task = JoinSet::new();
        task.spawn(begin());
        match task.join_next().await {
            Some(Err(error)) if error.is_panic() => {
                if begun.elapsed() >= TASK_STABLE_AFTER {
                    delay = MIN_RESTART_DELAY;
                }
                tracing::error!(task = name, panic = panic_message(error), "Background task panicked; restarting");
            }
            _ => return health.recovered(name),
        }
        health.panicked(name);
        sleep(delay).await;
        delay = MAX_RESTART_DELAY.min(delay * 2);
    }
}

/// Returns the message of a panic, or another reason why the task has ended.
pub(crate) fn panic_message(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
            (Some(message), _) => (*message).to_owned(),
            (_, Some(message)) => message.clone(),
            _ => "no message".to_owned(),
        },
        Err(error) => error.to_string(),
    }
}

/// The background tasks that have panicked recently; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health(Arc<Mutex<BTreeMap<&'static str, Instant>>>);

impl Health {
    /// Returns the tasks that have panicked and have not run undisturbed since.
    pub(crate) fn failing(&self) -> Vec<&'static str> {
        let mut failing = self.lock();
        failing.retain(|_, panicked| panicked.elapsed() < MAX_RESTART_DELAY + TASK_STABLE_AFTER);
        failing.keys().copied().collect()
    }

    fn panicked(&self, name: &'static str) {
        self.lock().insert(name, Instant::now());
    }

    fn recovered(&self, name: &'static str) {
        self.lock().remove(name);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Instant>> {
        lock(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::mpsc;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_begins_again_and_is_reported_until_it_has_settled() {
        let (health, begun) = (Health::default(), Arc::new(AtomicUsize::new(0)));
        let (ran, mut runs) = mpsc::unbounded_channel();
        let mut supervisor = Supervisor::new(health.clone());
        supervisor.spawn("unlucky", move || {
            let (run, ran) = (begun.fetch_add(1, Ordering::SeqCst), ran.clone());
            async move {
                ran.send(run).expect("the test listens");
                assert!(run >= 3, "not yet");
                std::future::pending::<()>().await;
            }
        });
        for run in 0..=3 {
            assert_eq!(runs.recv().await, Some(run));
        }
        assert_eq!(health.failing(), ["unlucky"]);
        sleep(MAX_RESTART_DELAY + TASK_STABLE_AFTER).await;
        assert_eq!(health.failing(), Vec::<&str>::new());
        supervisor.shutdown().await;
        assert_eq!(runs.recv().await, None, "it has ended");
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_returns_is_left_alone() {
        let begun = Arc::new(AtomicUsize::new(0));
        let counted = begun.clone();
        keep_running("done", Health::default(), move || {
            counted.fetch_add(1, Ordering::SeqCst);
            async {}
        })
        .await;
        assert_eq!(begun.load(Ordering::SeqCst), 1);
    }
}
