//! `parlour backup` and `parlour restore`: for the embedded database; on PostgreSQL, they name its own tools.

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

pub(super) async fn back_up(config: &Config, file: &Path) -> CommandResult {
    let (url, file) = (redacted(&config.database_url), file);
    if !is_sqlite(config) {
        return Err(format!(
            "backup: this site keeps its log in PostgreSQL, which brings its own tool:\n  pg_dump --format=custom --file={} '{url}'",
            file.display()
        )
        .into());
    }
    unless_stopped(Store::back_up(&config.database_url, file)).await?;
    Ok(print_line(format_args!("parlour: {url} is in {}", file.display()))?)
}

pub(super) async fn restore(config: &Config, file: &Path) -> CommandResult {
    let (url, file) = (redacted(&config.database_url), file);
    if !is_sqlite(config) {
        return Err(format!(
            "restore: this site keeps its log in PostgreSQL, which brings its own tools; with all nodes stopped:\n  \
             pg_restore --dbname='{url}' {}\n  psql '{url}' --command=\"{NEW_EPOCHS}\"\n\
             The second tells browsers that have seen later messages to load their rooms anew.",
            file.display()
        )
        .into());
    }
    let rooms = unless_stopped(Store::restore(&config.database_url, file)).await?;
    let file = file.display();
    Ok(print_line(format_args!("parlour: {file} is restored into {url}, {rooms} rooms, each with a new epoch"))?)
}

/// Drops `work` if a signal asks the process to stop, so that nothing half done is left.
async fn unless_stopped<T>(work: impl Future<Output = Result<T, OpenError>>) -> Result<T, Box<dyn std::error::Error>> {
    let [mut terminate, mut interrupt, mut hang_up] =
        [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?];
    tokio::select! {
        result = work => Ok(result?),
        _ = terminate.recv() => Err("stopped before it was done; nothing of it is left".into()),
        _ = interrupt.recv() => Err("stopped before it was done; nothing of it is left".into()),
        _ = hang_up.recv() => Err("stopped before it was done; nothing of it is left".into()),
    }
}

fn is_sqlite(config: &Config) -> bool {
    config.database_url.starts_with("sqlite:")
}
