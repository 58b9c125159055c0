//! Logs: what is written, and how.

use super::config::LogFormat;
use tracing_subscriber::EnvFilter;

/// Starts to log to standard error. `RUST_LOG` chooses what; `info` without it.
pub fn start(format: LogFormat) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn,sea_orm_migration=warn"));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => logs.init(),
        LogFormat::Json => logs.json().init(),
    }
}
