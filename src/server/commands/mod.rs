//! The commands of `parlour`, each in its own file. The caller serves.

mod backup;
mod check;
mod export;
mod export_writer;
mod healthcheck;
mod hooks;
mod message_ref;
mod moderation;
mod output;
mod retention;
mod rooms;
mod token;

use super::config::Config;
use super::relay::Relay;
use super::store::Store;
use crate::domain::RoomName;
use crate::domain::moderation::ModerationAction;
use clap::Subcommand;
use message_ref::MessageRef;
pub use output::OutputError;
use output::print_line;
use std::path::PathBuf;

/// A command of the executable.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve (the default): migrate the database, listen, and drain on SIGTERM or SIGINT
    Serve,
    /// Test the settings and the connections to the database and Redis, without changing anything
    Check,
    /// Print the settings in force and the source of each, without passwords
    Config,
    /// Ask the local server whether it is ready, for containers: exits with 0 if it is
    Healthcheck,
    /// Write a consistent snapshot to FILE, also while serving (SQLite; for PostgreSQL, use pg_dump)
    Backup {
        /// A file that does not exist yet
        file: PathBuf,
    },
    /// Restore a backup into an empty data directory; every browser then reloads its rooms
    Restore {
        /// A file written by `parlour backup`
        file: PathBuf,
    },
    /// Begin a new history in every room, after the database came back from a snapshot of a disk or a point in time. No
    /// server may run; every browser then loads its rooms anew
    RenewEpochs,
    /// Show or set how long a room keeps its messages
    Retention {
        /// The room, or its link
        room: String,
        /// A number of days, `forever`, or `default` (--retention-days applies)
        days: Option<retention::RetentionArg>,
    },
    /// Export a room, or everything by one author
    Export(export::Export),
    /// Permanently delete everything by one author
    Erase {
        /// A message by the author: ROOM/NUMBER, or its link
        #[arg(long, value_name = "MESSAGE")]
        author_of: MessageRef,
        /// Delete; without this flag, the command only reports what it would delete
        #[arg(long)]
        yes: bool,
    },
    /// Create, list and end webhooks, which post into a room or receive its events
    Hook {
        /// The command on webhooks
        #[command(subcommand)]
        command: hooks::HookCommand,
    },
    /// List the rooms: newest number, number of stored events, time of the last one, owner's tag
    Rooms {
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Permanently delete a message
    Remove {
        /// ROOM/NUMBER, or its link
        message: MessageRef,
    },
    /// Ban the author of a message from its room for a time, even the room's owner
    Ban {
        /// ROOM/NUMBER, or its link
        message: MessageRef,
        /// The duration: 30m, 12h, 7d; at most a year
        time: moderation::BanDuration,
    },
    /// Lift the ban and the mute of a message's author
    Pardon {
        /// ROOM/NUMBER, or its link
        message: MessageRef,
    },
    /// Pin a message for everybody in its room
    Pin {
        /// ROOM/NUMBER, or its link
        message: MessageRef,
    },
    /// Take off the pin of a message
    Unpin {
        /// ROOM/NUMBER, or its link
        message: MessageRef,
    },
    /// Show or set the title of a room
    Title {
        /// The room, or its link
        room: String,
        /// The title; an empty one is the room's name
        text: Option<String>,
    },
    /// Show or set the topic of a room
    Topic {
        /// The room, or its link
        room: String,
        /// The topic; an empty one removes it
        text: Option<String>,
    },
    /// Delete a room with everything in it; its address is free again
    Delete {
        /// The room, or its link
        room: String,
        /// Delete; without this flag, the command only reports what it would delete
        #[arg(long)]
        yes: bool,
    },
    /// Create, list and revoke tokens, with which programs read and write
    Token {
        /// The action
        #[command(subcommand)]
        action: token::TokenCommand,
    },
}

/// Result of a command: an error is one sentence for people.
pub type CommandResult = Result<(), Box<dyn std::error::Error>>;

/// Runs every command except [`Command::Serve`], which the caller runs.
///
/// # Errors
///
/// Returns the sentence to print if the command fails.
pub async fn run(command: Command, config: &Config) -> CommandResult {
    match command {
        Command::Serve => Ok(()),
        Command::Check => check::check(config).await,
        Command::Config => {
            let lines: Vec<String> = config.shown.iter().map(ToString::to_string).collect();
            Ok(print_line(lines.join("\n"))?)
        }
        Command::Healthcheck => healthcheck::ask(config.leptos.site_addr).await,
        Command::Backup { file } => backup::back_up(config, &file).await,
        Command::Restore { file } => backup::restore(config, &file).await,
        Command::RenewEpochs => backup::renew_epochs(config).await,
        Command::Retention { room, days } => retention::set_retention(config, &room, days).await,
        Command::Export(export) => export::export(config, &export).await,
        Command::Erase { author_of, yes } => export::erase(config, &author_of, yes).await,
        Command::Hook { command } => hooks::run(config, &command).await,
        Command::Rooms { json } => rooms::list(config, json).await,
        Command::Remove { message } => moderation::remove(config, &message).await,
        Command::Ban { message, time } => moderation::ban(config, &message, time).await,
        Command::Pardon { message } => moderation::pardon(config, &message).await,
        Command::Pin { message } => moderation::pin(config, &message, ModerationAction::Pin).await,
        Command::Unpin { message } => moderation::pin(config, &message, ModerationAction::Unpin).await,
        Command::Title { room, text } => {
            moderation::describe(config, &room, ModerationAction::Title, text.as_deref()).await
        }
        Command::Topic { room, text } => {
            moderation::describe(config, &room, ModerationAction::Topic, text.as_deref()).await
        }
        Command::Delete { room, yes } => rooms::delete(config, &room, yes).await,
        Command::Token { action } => token::run(config, &action).await,
    }
}

/// Parses the name of a room as the host types it, or the link to the room or to a message in it.
fn parse_room(name: &str) -> Result<RoomName, String> {
    let of_link = message_ref::room_of_link(name);
    RoomName::parse(of_link.as_deref().unwrap_or(name.trim_matches('/'))).map_err(|error| format!("{name}: {error}"))
}

/// Notifies the serving nodes of a command's changes, which they would otherwise find within a second.
async fn notify_nodes(config: &Config, store: &Store) {
    let Some(url) = &config.redis_url else { return };
    let notified = async {
        Relay::notify_once(url, &store.get_or_create_secret("relay").await?).await?;
        Ok::<_, Box<dyn std::error::Error>>(())
    };
    if let Err(error) = notified.await {
        tracing::warn!(%error, "Redis does not answer; nodes will notice within a second");
    }
}
