//! Timeouts of database queries. A connection may be lost silently, so a database that does not answer counts as
//! unreachable.

use crate::server::store::error::TIMED_OUT;
use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, ExecResult, QueryResult, Statement};
use std::time::Duration;

/// Maximum time for which the server waits for a query.
const QUERY_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs a query with the server's query timeout (10 s).
///
/// # Errors
///
/// Returns an error if the timeout elapses, or the error of the query.
pub(crate) async fn with_timeout<T, E: From<DbErr>>(query: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let late = |_| Err(DbErr::Custom(TIMED_OUT.into()).into());
    tokio::time::timeout(QUERY_TIMEOUT, query).await.unwrap_or_else(late)
}

/// A connection, or a pool of them, that applies the timeout to every statement.
#[derive(Clone)]
pub(crate) struct TimeoutConnection {
    connection: DatabaseConnection,
    limited: bool,
}

impl TimeoutConnection {
    /// Returns a connection with the query timeout, for the server.
    pub(crate) fn limited(connection: DatabaseConnection) -> Self {
        Self { connection, limited: true }
    }

    /// Returns a connection without a timeout, for commands: some process all data, and the host can interrupt them.
    pub(crate) fn unlimited(connection: DatabaseConnection) -> Self {
        Self { connection, limited: false }
    }

    /// Returns the underlying connection, without a timeout.
    pub(crate) fn connection(&self) -> &DatabaseConnection {
        &self.connection
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
        if self.limited { with_timeout(query).await } else { query.await }
    }
}

#[async_trait]
impl ConnectionTrait for TimeoutConnection {
    fn get_database_backend(&self) -> DatabaseBackend {
        self.connection.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.with_timeout(self.connection.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.with_timeout(self.connection.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.with_timeout(self.connection.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.with_timeout(self.connection.query_all_raw(statement)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_query_that_does_not_end_times_out() {
        assert!(with_timeout(std::future::pending::<Result<(), DbErr>>()).await.is_err());
        assert_eq!(with_timeout(async { Ok::<_, DbErr>(7) }).await, Ok(7));
    }
}
