//! What `parlour` does besides serving: each command is a file.

mod backup;
mod export;
mod healthcheck;
mod pages;
mod retention;

use super::check;
use super::config::Config;
use crate::domain::RoomName;
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
    /// Show or set how long a room keeps its messages
    Retention {
        /// The room
        room: String,
        /// A number of days, `forever`, or `default`: as --retention-days says
        days: Option<retention::Days>,
    },
    /// Write out a room, or everything one identity has written
    Export(export::Export),
    /// Remove everything that one identity has written, for good
    Erase {
        /// A message of theirs: ROOM/NUMBER, or the link to it
        #[arg(long, value_name = "MESSAGE")]
        author_of: String,
        /// Do it; without this, it is only told what would go
        #[arg(long)]
        yes: bool,
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
        Command::Retention { room, days } => retention::keep(config, &room, days).await,
        Command::Export(export) => export::export(config, &export).await,
        Command::Erase { author_of, yes } => export::erase(config, &author_of, yes).await,
    }
}

/// A room as somebody writes it.
fn room_of(name: &str) -> Result<RoomName, String> {
    RoomName::parse(name).map_err(|error| format!("{name}: {error}"))
}
