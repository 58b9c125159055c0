//! A site: one database, and the servers that are started on it.

use super::host::Database;
use super::{Server, postgres, scratch};
use std::path::PathBuf;

/// What outlives its servers.
pub struct Site {
    /// The data directory.
    pub data: PathBuf,
    /// The database, as `--database-url` takes it.
    pub database_url: String,
    redis_url: Option<String>,
    given: Vec<String>,
}

impl Site {
    /// A fresh one.
    pub async fn new(database: Database) -> Self {
        let data = scratch::directory("data");
        let (database_url, given) = match database {
            Database::Sqlite => (format!("sqlite://{}", data.join("parlour.db").display()), Vec::new()),
            Database::Postgres => {
                let url = postgres::fresh_database().await;
                (url.clone(), vec!["--database-url".to_owned(), url])
            }
        };
        Self { data, database_url, redis_url: None, given }
    }

    /// The same site with a relay between its servers.
    pub fn with_redis(mut self, url: String) -> Self {
        self.redis_url = Some(url);
        self
    }

    /// Starts a server on it.
    pub fn start(&self) -> Server {
        Server::start(&self.arguments())
    }

    /// What a server of this site is started with.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--data".to_owned(), self.data.display().to_string()];
        arguments.extend(self.given.clone());
        if let Some(url) = &self.redis_url {
            arguments.extend(["--redis-url".to_owned(), url.clone()]);
        }
        arguments
    }
}
