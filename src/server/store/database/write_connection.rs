//! The connection that writes: SQLite's only one, on its own thread, or PostgreSQL's pool.

use super::sqlite_thread::{SqliteThread, SqliteTransaction, WriteJob};
use super::timeout::{TimeoutConnection, with_timeout};
use crate::server::store::StoreError;
use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr, ExecResult, QueryResult, Statement, TransactionTrait,
};

/// The connection that writes; cheap to clone.
#[derive(Clone)]
pub(crate) enum WriteConnection {
    Postgres(TimeoutConnection),
    Sqlite {
        thread: SqliteThread,
        /// Whether the query timeout applies: it does in servers, and does not in commands.
        limited: bool,
    },
}

impl WriteConnection {
    /// Begins a write transaction. On SQLite it waits for other writers at the start, not in the middle. If the caller
    /// is cancelled, the transaction is rolled back.
    ///
    /// # Errors
    ///
    /// Returns an error if the database does not answer, or cannot be written.
    pub(crate) async fn begin(&self) -> Result<WriteTransaction, DbErr> {
        match self {
            Self::Postgres(pool) => {
                // A separate task begins it, so that cancelling the caller does not interrupt `BEGIN`: sqlx would
                // return the connection to the pool without noticing that a transaction is open. An unused transaction
                // is dropped, which rolls it back.
                let connection = pool.connection().clone();
                let begun = tokio::spawn(async move { connection.begin().await });
                let begun = async { begun.await.unwrap_or_else(|error| Err(DbErr::Custom(error.to_string()))) };
                Ok(WriteTransaction::Postgres(self.with_timeout(begun).await?))
            }
            Self::Sqlite { thread, .. } => Ok(WriteTransaction::Sqlite(self.with_timeout(thread.begin()).await?)),
        }
    }

    /// Runs `job` in a transaction, and commits it. When this returns `Ok`, the commit is on stable storage.
    ///
    /// If the caller is cancelled, the transaction is committed or rolled back.
    ///
    /// # Errors
    ///
    /// Returns an error if the database does not answer, or cannot be written. The outcome may be unknown.
    pub(crate) async fn write<J: WriteJob>(&self, job: J) -> Result<J::Output, StoreError> {
        if let Self::Sqlite { thread, .. } = self {
            return self.with_timeout(thread.write(job)).await;
        }
        let transaction = self.begin().await?;
        let done = job.run(&transaction).await?;
        transaction.commit().await?;
        Ok(done)
    }

    /// Waits for `query`, with this connection's timeout if it has one.
    ///
    /// # Errors
    ///
    /// Returns an error if the timeout elapses, or the error of the query.
    pub(crate) async fn with_timeout<T, E: From<DbErr>>(
        &self,
        query: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        match self {
            Self::Postgres(pool) => pool.with_timeout(query).await,
            Self::Sqlite { limited: true, .. } => with_timeout(query).await,
            Self::Sqlite { limited: false, .. } => query.await,
        }
    }

    /// Closes the connection, or all connections of the pool.
    ///
    /// # Errors
    ///
    /// Returns an error if a connection cannot be closed.
    pub(crate) async fn close(&self) -> Result<(), DbErr> {
        match self {
            Self::Postgres(pool) => pool.connection().close_by_ref().await,
            Self::Sqlite { thread, .. } => thread.close().await,
        }
    }
}

#[async_trait]
impl ConnectionTrait for WriteConnection {
    fn get_database_backend(&self) -> DatabaseBackend {
        match self {
            Self::Postgres(_) => DatabaseBackend::Postgres,
            Self::Sqlite { .. } => DatabaseBackend::Sqlite,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Self::Postgres(pool) => pool.execute_raw(statement).await,
            Self::Sqlite { thread, .. } => {
                self.with_timeout(thread.run(move |connection| connection.execute(&statement))).await
            }
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Self::Postgres(pool) => pool.execute_unprepared(sql).await,
            Self::Sqlite { thread, .. } => {
                let sql = sql.to_owned();
                self.with_timeout(thread.run(move |connection| connection.execute_batch(&sql))).await
            }
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self {
            Self::Postgres(pool) => pool.query_one_raw(statement).await,
            Self::Sqlite { thread, .. } => {
                let found = thread.run(move |connection| connection.query(&statement, 1));
                Ok(self.with_timeout(found).await?.pop())
            }
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Postgres(pool) => pool.query_all_raw(statement).await,
            Self::Sqlite { thread, .. } => {
                self.with_timeout(thread.run(move |connection| connection.query(&statement, usize::MAX))).await
            }
        }
    }
}

/// A transaction that writes. Dropping it rolls it back.
pub(crate) enum WriteTransaction {
    Postgres(DatabaseTransaction),
    Sqlite(SqliteTransaction),
}

impl WriteTransaction {
    /// Commits the transaction. When this returns `Ok`, it is on stable storage.
    ///
    /// # Errors
    ///
    /// Returns an error if it could not be stored. The outcome is then unknown.
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        match self {
            Self::Postgres(transaction) => transaction.commit().await,
            Self::Sqlite(transaction) => transaction.commit().await,
        }
    }
}

#[async_trait]
impl ConnectionTrait for WriteTransaction {
    fn get_database_backend(&self) -> DatabaseBackend {
        match self {
            Self::Postgres(_) => DatabaseBackend::Postgres,
            Self::Sqlite(_) => DatabaseBackend::Sqlite,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Self::Postgres(transaction) => transaction.execute_raw(statement).await,
            Self::Sqlite(transaction) => transaction.run(move |connection| connection.execute(&statement)).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Self::Postgres(transaction) => transaction.execute_unprepared(sql).await,
            Self::Sqlite(transaction) => {
                let sql = sql.to_owned();
                transaction.run(move |connection| connection.execute_batch(&sql)).await
            }
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self {
            Self::Postgres(transaction) => transaction.query_one_raw(statement).await,
            Self::Sqlite(transaction) => {
                Ok(transaction.run(move |connection| connection.query(&statement, 1)).await?.pop())
            }
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Postgres(transaction) => transaction.query_all_raw(statement).await,
            Self::Sqlite(transaction) => {
                transaction.run(move |connection| connection.query(&statement, usize::MAX)).await
            }
        }
    }
}
