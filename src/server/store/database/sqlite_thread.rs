//! The thread that owns the only connection that writes the embedded database. A transaction that needs nothing but the
//! database runs on it in one go, which costs one journey to the thread and back instead of one per statement.

use super::direct::{DirectConnection, WrittenFile};
use crate::server::store::sqlite_failure::closed;
use crate::server::store::{OpenError, StoreError};
use sea_orm::{ConnectionTrait, DbErr};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Name of the thread, at most 15 bytes long.
const THREAD_NAME: &str = "sqlite-writer";

/// Work in a write transaction that waits for nothing but the database.
pub(crate) trait WriteJob: Send + 'static {
    /// Result of the work.
    type Output: Send + 'static;

    /// Does the work on a connection in a transaction. If this fails, nothing is stored.
    ///
    /// # Errors
    ///
    /// Returns an error if the database does not answer, or cannot be written.
    fn run(self, transaction: &impl ConnectionTrait) -> impl Future<Output = Result<Self::Output, StoreError>> + Send;
}

type DirectWork = Box<dyn FnOnce(&DirectConnection) + Send>;

enum ThreadCommand {
    Run(DirectWork),
    Close(oneshot::Sender<Result<(), DbErr>>),
}

/// The exclusive use of the connection. Writers get it in the order in which they asked for it.
struct Turn {
    _permit: OwnedSemaphorePermit,
}

/// A cheap-to-clone handle on the thread. The thread ends, and closes the connection, when the last handle is dropped,
/// or by [`close`](Self::close).
#[derive(Clone)]
pub(crate) struct SqliteThread {
    commands: mpsc::Sender<ThreadCommand>,
    turn: Arc<Semaphore>,
}

impl SqliteThread {
    /// Starts the thread, which opens the connection.
    ///
    /// # Errors
    ///
    /// Returns an error if the file does not exist, cannot be opened, or promises no durable commits.
    pub(crate) async fn open(file: WrittenFile) -> Result<Self, OpenError> {
        let (commands, queue) = mpsc::channel();
        let (opened, result) = oneshot::channel();
        let serve = move || match DirectConnection::open(file) {
            Ok(connection) => {
                if opened.send(Ok(())).is_ok() {
                    serve(connection, &queue);
                }
            }
            Err(error) => drop(opened.send(Err(error))),
        };
        let started = thread::Builder::new().name(THREAD_NAME.to_owned()).spawn(serve);
        started.map_err(|error| DbErr::Custom(format!("no thread could be started: {error}")))?;
        result.await.unwrap_or_else(|_| Err(closed().into()))?;
        Ok(Self { commands, turn: Arc::new(Semaphore::new(1)) })
    }

    /// Runs `work` on the connection while nobody else uses it. A transaction that it leaves open is rolled back.
    ///
    /// If the caller is cancelled, work that has begun is finished, and other work is not begun.
    ///
    /// # Errors
    ///
    /// Returns the error of `work`, or an error if the database was closed.
    ///
    /// # Panics
    ///
    /// Panics if `work` does. What it has written is then rolled back.
    pub(crate) async fn run<T: Send + 'static, E: From<DbErr> + Send + 'static>(
        &self,
        work: impl FnOnce(&DirectConnection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let turn = self.turn().await?;
        let done = self.send(move |connection| {
            let done = catch_unwind(AssertUnwindSafe(|| work(connection)));
            connection.end();
            drop(turn);
            done
        });
        done.await?.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Runs `job` in a transaction, and commits it. When this returns `Ok`, the commit is on stable storage.
    ///
    /// If the caller is cancelled, a job that has begun is finished and committed, and another one is not begun.
    ///
    /// # Errors
    ///
    /// Returns the error of the job, or an error if the database cannot be written. Nothing is stored unless the commit
    /// itself fails, whose outcome is unknown.
    ///
    /// # Panics
    ///
    /// Panics if the job does. Nothing is stored then.
    pub(crate) async fn write<J: WriteJob>(&self, job: J) -> Result<J::Output, StoreError> {
        self.run(|connection| {
            connection.begin()?;
            let done = run_now(job.run(connection))?;
            connection.commit()?;
            Ok(done)
        })
        .await
    }

    /// Begins a transaction whose statements are sent to the thread one by one. Nobody else writes until it ends.
    ///
    /// If the caller is cancelled, the transaction is rolled back.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written, or the database was closed.
    pub(crate) async fn begin(&self) -> Result<SqliteTransaction, DbErr> {
        // If nobody receives it, it is dropped, which ends it.
        let transaction = SqliteTransaction { thread: self.clone(), turn: Some(self.turn().await?) };
        self.send(move |connection| connection.begin().map(|()| transaction)).await?
    }

    /// Waits for the transactions that were begun or asked for before, and closes the connection. Later writes fail.
    ///
    /// # Errors
    ///
    /// Returns an error if SQLite refuses.
    pub(crate) async fn close(&self) -> Result<(), DbErr> {
        let Ok(_turn) = self.turn().await else { return Ok(()) };
        self.turn.close();
        let (answer, result) = oneshot::channel();
        self.commands.send(ThreadCommand::Close(answer)).map_err(|_| closed())?;
        result.await.unwrap_or_else(|_| Err(closed()))
    }

    async fn turn(&self) -> Result<Turn, DbErr> {
        let permit = self.turn.clone().acquire_owned().await.map_err(|_| closed())?;
        Ok(Turn { _permit: permit })
    }

    /// Runs `work` on the thread, unless the caller is cancelled before it begins.
    async fn send<T: Send + 'static>(
        &self,
        work: impl FnOnce(&DirectConnection) -> T + Send + 'static,
    ) -> Result<T, DbErr> {
        let (answer, result) = oneshot::channel();
        let work = move |connection: &DirectConnection| {
            if !answer.is_closed() {
                drop(answer.send(work(connection)));
            }
        };
        self.commands.send(ThreadCommand::Run(Box::new(work))).map_err(|_| closed())?;
        result.await.map_err(|_| closed())
    }
}

/// Executes commands until the connection is closed, or no handle is left.
fn serve(connection: DirectConnection, queue: &mpsc::Receiver<ThreadCommand>) {
    loop {
        match queue.recv() {
            Ok(ThreadCommand::Run(work)) => {
                // Its caller learns of a panic, because the answer is dropped.
                if catch_unwind(AssertUnwindSafe(|| work(&connection))).is_err() {
                    tracing::error!("A statement panicked on SQLite's thread");
                }
            }
            Ok(ThreadCommand::Close(answer)) => return drop(answer.send(connection.close())),
            Err(mpsc::RecvError) => {
                if let Err(error) = connection.close() {
                    tracing::debug!(%error, "SQLite could not be closed");
                }
                return;
            }
        }
    }
}

/// Runs a future that waits for nothing but statements of a [`DirectConnection`].
///
/// # Errors
///
/// Returns the error of the future, or one that says that it waits for something else.
fn run_now<T>(future: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => Err(DbErr::Custom("a transaction waits for something other than SQLite".to_owned()).into()),
    }
}

/// A transaction whose statements are sent to the thread one by one. Dropping it rolls it back.
pub(crate) struct SqliteTransaction {
    thread: SqliteThread,
    /// `None` once it has ended.
    turn: Option<Turn>,
}

impl SqliteTransaction {
    /// Commits the transaction. When this returns `Ok`, it is on stable storage.
    ///
    /// If the caller is cancelled, it is committed or rolled back.
    ///
    /// # Errors
    ///
    /// Returns an error if it could not be stored.
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        let thread = self.thread.clone();
        let committed = thread.send(move |connection| {
            let committed = connection.commit();
            // Ends what is left of it, and lets the next writer begin.
            drop(self);
            committed
        });
        committed.await?
    }

    /// Runs `work` in the transaction.
    ///
    /// If the caller is cancelled, work that has begun is finished, and other work is not begun.
    ///
    /// # Errors
    ///
    /// Returns the error of `work`.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&DirectConnection) -> Result<T, DbErr> + Send + 'static,
    ) -> Result<T, DbErr> {
        self.thread.send(work).await?
    }
}

impl Drop for SqliteTransaction {
    fn drop(&mut self) {
        if let Some(turn) = self.turn.take() {
            let roll_back = move |connection: &DirectConnection| {
                connection.end();
                drop(turn);
            };
            // Without the thread there is no connection, and no transaction.
            let _ = self.thread.commands.send(ThreadCommand::Run(Box::new(roll_back)));
        }
    }
}

#[cfg(test)]
mod tests;
