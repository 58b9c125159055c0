//! `parlour check`: tests whether a server with these settings could start. Changes nothing.

use super::CommandResult;
use super::output::print_line;
use crate::server::config::Config;
use crate::server::relay::Relay;
use crate::server::store::Store;

/// Connects to the database and Redis.
///
/// # Errors
///
/// Returns an error that says why a server could not start.
pub(super) async fn check(config: &Config) -> CommandResult {
    let pending = Store::inspect(&config.database_url).await?;
    if let Some(url) = &config.redis_url {
        Relay::check(url).await.map_err(|error| format!("redis-url: {error}"))?;
    }
    let migrations = match &*pending {
        [] => String::new(),
        [one] => format!("; 1 migration would be applied: {one}"),
        several => format!("; {} migrations would be applied: {}", several.len(), several.join(", ")),
    };
    Ok(print_line(format_args!("parlour: configuration OK; the database and Redis answer{migrations}"))?)
}
