//! `parlour backup` and `parlour restore`: of the embedded database; on PostgreSQL, they name its own tools.

use super::CommandResult;
use crate::server::config::{Config, redacted};
use crate::server::store::Store;
use std::path::Path;

/// Begins a new history in every room of a PostgreSQL database that was restored.
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
    Store::back_up(&config.database_url, file).await?;
    println!("parlour: {url} is in {}", file.display());
    Ok(())
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
    let rooms = Store::restore(&config.database_url, file).await?;
    println!("parlour: {} is restored into {url}, {rooms} rooms, each with a new epoch", file.display());
    Ok(())
}

fn is_sqlite(config: &Config) -> bool {
    config.database_url.starts_with("sqlite:")
}
