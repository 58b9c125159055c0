//! What `parlour` does besides serving: each command is a file.

mod backup;
mod healthcheck;

use super::check;
use super::config::Config;
use clap::Subcommand;
use std::path::PathBuf;

/// What the executable is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve (the default): migrate the database, listen, and drain on SIGTERM or SIGINT
    Serve,
    /// Validate the settings and reach the database and Redis
    Check,
    /// Show the settings in force and where each comes from, without passwords
    Config,
    /// Ask the local server whether it is ready, for containers: exit 0 if it is
    Healthcheck,
    /// Write a consistent snapshot into FILE, also while serving (SQLite; on PostgreSQL, use pg_dump)
    Backup {
        /// A file that does not exist yet
        file: PathBuf,
    },
    /// Begin from a backup, in an empty data directory; every browser then loads its rooms anew
    Restore {
        /// What `parlour backup` has written
        file: PathBuf,
    },
}

/// How a command ends: an error is one sentence for people.
pub type CommandResult = Result<(), Box<dyn std::error::Error>>;

/// Does everything but [`Command::Serve`], which is the caller's.
pub async fn run(command: Command, config: &Config) -> CommandResult {
    match command {
        Command::Serve => Ok(()),
        Command::Check => {
            check(config).await?;
            println!("parlour: the settings are sound, and everything answers");
            Ok(())
        }
        Command::Config => {
            config.shown.iter().for_each(|setting| println!("{setting}"));
            Ok(())
        }
        Command::Healthcheck => healthcheck::ask(config.leptos.site_addr).await,
        Command::Backup { file } => backup::back_up(config, &file).await,
        Command::Restore { file } => backup::restore(config, &file).await,
    }
}
