//! `parlour backup` and `parlour restore`: for SQLite. For PostgreSQL they print the commands of its own tools. And
//! `parlour renew-epochs`, for every other way back to an earlier state.

use super::CommandResult;
use super::output::print_line;
use crate::server::config::{Config, redacted};
use crate::server::store::{OpenError, Store};
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};

/// Removes every table of this release from a PostgreSQL database: `pg_restore --clean` leaves those that an older dump
/// does not know, and cannot remove tables that these refer to.
const REMOVE_TABLES: &str = "DROP TABLE IF EXISTS deleted_rooms, events, incoming_hooks, mentions, names, outgoing_hooks, pins, reaction_counts, reactions, rooms, seaql_migrations, site, standings, tokens CASCADE";

/// Writes a snapshot of the database to `file`.
///
/// # Errors
///
/// Returns an error if the site uses PostgreSQL, or if the snapshot cannot be written.
pub(super) async fn back_up(config: &Config, file: &Path) -> CommandResult {
    let (url, file) = (redacted(&config.database_url), file);
    if !is_sqlite(config) {
        return Err(format!(
            "backup: this site uses PostgreSQL ({url}); back it up with its own tool:\n  \
             pg_dump --format=custom --file={} \"$DATABASE_URL\"",
            shell_word(file)
        )
        .into());
    }
    unless_stopped(Store::back_up(&config.database_url, file)).await?;
    Ok(print_line(format_args!("parlour: backed up {url} to {}", file.display()))?)
}

/// Restores the backup `file` into an empty data directory.
///
/// # Errors
///
/// Returns an error if the site uses PostgreSQL, or if the backup cannot be restored.
pub(super) async fn restore(config: &Config, file: &Path) -> CommandResult {
    let (url, file) = (redacted(&config.database_url), file);
    if !is_sqlite(config) {
        return Err(format!(
            "restore: this site uses PostgreSQL; stop all nodes, and restore it with its own tools:\n  \
             psql \"$DATABASE_URL\" --command=\"{REMOVE_TABLES}\"\n  \
             pg_restore --clean --if-exists --no-owner --dbname=\"$DATABASE_URL\" {}\n\
             The next start migrates an older dump, and gives every room a new epoch, so that browsers that have seen \
             later messages reload their rooms. ({url})",
            shell_word(file)
        )
        .into());
    }
    let rooms = unless_stopped(Store::restore(&config.database_url, file)).await?;
    let file = file.display();
    Ok(print_line(format_args!("parlour: restored {file} to {url}: {rooms} rooms, each with a new epoch"))?)
}

/// Gives every room a new epoch, after an earlier state of the database came back in a way that no start detects.
///
/// # Errors
///
/// Returns an error if the database cannot be used.
pub(super) async fn renew_epochs(config: &Config) -> CommandResult {
    let rooms = Store::renew_epochs(&config.database_url).await?;
    Ok(print_line(format_args!("parlour: {rooms} rooms of {} have a new epoch", redacted(&config.database_url)))?)
}

/// Drops `work` if a signal asks the process to stop, so that its unfinished file is removed.
async fn unless_stopped<T>(work: impl Future<Output = Result<T, OpenError>>) -> Result<T, Box<dyn std::error::Error>> {
    let [mut terminate, mut interrupt, mut hang_up] =
        [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?];
    tokio::select! {
        result = work => Ok(result?),
        _ = terminate.recv() => Err("interrupted; removed the unfinished file".into()),
        _ = interrupt.recv() => Err("interrupted; removed the unfinished file".into()),
        _ = hang_up.recv() => Err("interrupted; removed the unfinished file".into()),
    }
}

/// Returns a path as a word for a shell.
fn shell_word(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    if is_plain { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

fn is_sqlite(config: &Config) -> bool {
    config.database_url.starts_with("sqlite:")
}
