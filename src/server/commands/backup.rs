//! `parlour backup` and `parlour restore`: for SQLite. For PostgreSQL they print the commands of its own tools.

use super::CommandResult;
use super::output::print_line;
use crate::server::config::{Config, redacted};
use crate::server::store::{OpenError, Store};
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};

/// Begins a new history in every room of a restored PostgreSQL database.
const NEW_EPOCHS: &str = "UPDATE rooms SET epoch = substr(md5(random()::text), 1, 8); \
                          DELETE FROM site WHERE name = 'rooms'; \
                          INSERT INTO site (name, value) VALUES ('restored', '1') ON CONFLICT DO NOTHING";

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
             pg_restore --clean --if-exists --no-owner --dbname=\"$DATABASE_URL\" {}\n  \
             psql \"$DATABASE_URL\" --command=\"{NEW_EPOCHS}\"\n\
             The second command makes browsers that have seen later messages reload their rooms. ({url})",
            shell_word(file)
        )
        .into());
    }
    let rooms = unless_stopped(Store::restore(&config.database_url, file)).await?;
    let file = file.display();
    Ok(print_line(format_args!("parlour: restored {file} to {url}: {rooms} rooms, each with a new epoch"))?)
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
