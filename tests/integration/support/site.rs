//! A site: one database, and the servers that are started on it.

use super::faults::Faults;
use super::host::Database;
use super::postgres::Cluster;
use super::server::{executable, run};
use super::{Server, postgres, tempdir};
use std::path::PathBuf;

/// The state that outlives its servers: data directory, database and settings.
pub struct Site {
    /// The data directory.
    pub data: PathBuf,
    /// The database, as `--database-url` takes it.
    pub database_url: String,
    redis_url: Option<String>,
    given: Vec<String>,
    limits: &'static str,
}

impl Site {
    /// Creates a site with a new database.
    pub async fn new(database: Database) -> Self {
        match database {
            Database::Sqlite => {
                let data = tempdir::directory("data");
                let database_url = format!("sqlite://{}", data.join("parlour.db").display());
                Self { data, database_url, redis_url: None, given: Vec::new(), limits: "off" }
            }
            Database::Postgres => Self::on(postgres::fresh_database().await),
        }
    }

    /// One that has a cluster to itself, which may break.
    pub fn in_cluster(cluster: &Cluster) -> Self {
        Self::on(cluster.url("postgres"))
    }

    fn on(url: String) -> Self {
        let given = vec!["--database-url".to_owned(), url.clone()];
        Self { data: tempdir::directory("data"), database_url: url, redis_url: None, given, limits: "off" }
    }

    /// Adds a relay between the site's servers.
    pub fn with_redis(mut self, url: String) -> Self {
        self.redis_url = Some(url);
        self
    }

    /// Turns on the limits for visitors, and adds these settings.
    pub fn limited(mut self, settings: &[&str]) -> Self {
        self.limits = "on";
        self.given.extend(settings.iter().map(ToString::to_string));
        self
    }

    /// Sets the URL by which the site's servers reach its database.
    pub fn reached_at(mut self, database_url: String) -> Self {
        self.given = vec!["--database-url".to_owned(), database_url];
        self
    }

    /// Lets the site's servers reach its PostgreSQL by a host name instead of an address.
    pub fn reached_by_name(self) -> Self {
        let url = self.database_url.replace("127.0.0.1", "localhost");
        self.reached_at(url)
    }

    /// Returns a site with the same data and additional flags for its servers.
    pub fn with_flags(&self, flags: &[&str]) -> Self {
        let mut given = self.given.clone();
        given.extend(flags.iter().map(ToString::to_string));
        let (data, database_url, redis_url) = (self.data.clone(), self.database_url.clone(), self.redis_url.clone());
        Self { data, database_url, redis_url, given, limits: self.limits }
    }

    /// Starts a server on it.
    pub fn start(&self) -> Server {
        Server::start(&self.arguments())
    }

    /// Starts a server on it whose disk may fail.
    pub fn start_with(&self, faults: &Faults) -> Server {
        Server::start_with(&self.arguments(), &faults.environment())
    }

    /// Runs a host command on the site. Returns whether it succeeded, and its output.
    pub fn command(&self, arguments: &[&str]) -> (bool, String) {
        let (status, said) = run(executable(&tempdir::directory("command")).args(arguments).args(self.arguments()));
        (status.success(), said)
    }

    /// Returns the command-line arguments of a server of this site.
    pub fn arguments(&self) -> Vec<String> {
        let data = self.data.display().to_string();
        let mut arguments = ["--data", &data, "--limits", self.limits].map(str::to_owned).to_vec();
        arguments.extend(self.given.clone());
        if let Some(url) = &self.redis_url {
            arguments.extend(["--redis-url".to_owned(), url.clone()]);
        }
        arguments
    }
}
