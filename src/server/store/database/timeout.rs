//! How long the database may take. A connection may be lost without a word: a database that does not answer counts as
//! one that is away.

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, ExecResult, QueryResult, Statement};
use std::time::Duration;

/// How long whoever serves waits for one answer.
const QUERY_TIMEOUT: Duration = Duration::from_secs(10);

/// As long as that, and not longer.
pub(crate) async fn with_timeout<T>(answer: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
    let late = |_| Err(DbErr::Custom("the database does not answer".into()));
    tokio::time::timeout(QUERY_TIMEOUT, answer).await.unwrap_or_else(late)
}

/// A connection, or a pool of them, whose every statement is answered in time.
#[derive(Clone)]
pub(crate) struct TimeoutConnection {
    connection: DatabaseConnection,
    limited: bool,
}

impl TimeoutConnection {
    /// For whoever serves.
    pub(crate) fn limited(connection: DatabaseConnection) -> Self {
        Self { connection, limited: true }
    }

    /// For commands: some go through everything there is, and whoever gave them can stop them.
    pub(crate) fn unlimited(connection: DatabaseConnection) -> Self {
        Self { connection, limited: false }
    }

    /// What has no limit here.
    pub(crate) fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Gives up `answer` where it takes too long.
    pub(crate) async fn with_timeout<T>(&self, answer: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        if self.limited { with_timeout(answer).await } else { answer.await }
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
    async fn what_does_not_come_is_given_up() {
        assert!(with_timeout(std::future::pending::<Result<(), DbErr>>()).await.is_err());
        assert_eq!(with_timeout(async { Ok(7) }).await, Ok(7));
    }
}
