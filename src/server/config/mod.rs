//! Settings, in order of precedence: flags, the environment, `Leptos.toml`, defaults.

mod environment;
mod file;
mod format;
#[cfg(test)]
mod fuzz;
mod report;
mod secret_file;
mod settings;
mod url;
mod url_parameters;

pub(crate) use environment::without_empty;
pub use format::log_format_of_arguments;
pub use report::EffectiveSetting;
pub(crate) use settings::Settings;
pub use settings::{Indexing, Limits, LogFormat, OutgoingWebhooks};
#[cfg(test)]
pub(super) use tests::resolved;
pub use url::redacted;

use crate::server::outbound::HostPort;
use clap::{ArgMatches, FromArgMatches, parser::ValueSource};
use ipnet::IpNet;
use leptos::config::LeptosOptions;
use secret_file::url_setting;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;
pub(crate) use url::sqlite_url;
use url::{origin, postgres_url, validate_database_url, validate_redis_url};

/// The optional settings file in the working directory.
pub const FILE: &str = "Leptos.toml";

/// Default time for which a starting server waits for a database that cannot be reached, in seconds.
const DATABASE_WAIT_SECONDS: u32 = 30;

/// The effective settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on, and the options that Leptos needs for its pages.
    pub leptos: LeptosOptions,
    /// The data directory.
    pub data: PathBuf,
    /// `sqlite://…` or `postgres://…`.
    pub database_url: String,
    /// The file that contains `database_url`, if there is one.
    pub database_url_file: Option<PathBuf>,
    /// Time for which a starting server waits for a database that cannot be reached.
    pub database_wait: Duration,
    /// `redis://…`, if there is more than one node.
    pub redis_url: Option<String>,
    /// The file that contains `redis_url`, if there is one.
    pub redis_url_file: Option<PathBuf>,
    /// The separate address for metrics; `None` serves them with the site.
    pub metrics_addr: Option<SocketAddr>,
    /// The site's origin (scheme, host and port), or `None` to take it from each request.
    pub public_url: Option<String>,
    /// Host names of the site besides the one in `public_url`: lower case, without ports.
    pub allowed_hosts: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether search engines may list the front page.
    pub front_page_indexed: bool,
    /// Whether rooms may have outgoing webhooks.
    pub outgoing_webhooks: bool,
    /// Hosts that outgoing webhooks reach although they are not public.
    pub webhook_hosts: Vec<HostPort>,
    /// Limits on visitors; `None` if nothing is limited.
    pub rates: Option<Rates>,
    /// Number of days for which messages are kept; `None` keeps them indefinitely.
    pub retention_days: Option<NonZeroU32>,
    /// The log filter, in the syntax of `RUST_LOG`; `None` for the default.
    pub log_filter: Option<String>,
    /// Format of the logs.
    pub log_format: LogFormat,
    /// All settings in readable form, with the source of each.
    pub shown: Vec<EffectiveSetting>,
}

/// Rate limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Messages per identity and second.
    pub messages_per_second: NonZeroU32,
    /// Burst of messages per identity.
    pub message_burst: NonZeroU32,
    /// Messages per address and second.
    pub messages_per_second_per_address: NonZeroU32,
    /// Burst of messages per address.
    pub message_burst_per_address: NonZeroU32,
    /// Text of messages per address and minute, in units of 1000 bytes.
    pub message_kilobytes_per_minute: NonZeroU32,
    /// Requests per address and second, except for assets.
    pub requests_per_second: NonZeroU32,
    /// Burst of requests per address.
    pub request_burst: NonZeroU32,
    /// Concurrent connections per address.
    pub connections_per_address: NonZeroU32,
    /// New connections per address and minute.
    pub joins_per_minute: NonZeroU32,
    /// New rooms per address and hour.
    pub rooms_per_hour: NonZeroU32,
    /// New identities per address and hour.
    pub visitors_per_hour: NonZeroU32,
    /// Concurrent connections of this node.
    pub max_connections: NonZeroU32,
}

impl Config {
    /// Returns the configured names of the site, to compare `Host` with.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &str> {
        let public = self.public_url.as_deref().and_then(url::host);
        public.into_iter().chain(self.allowed_hosts.iter().map(String::as_str))
    }

    /// Returns whether the site is reached by https.
    pub(crate) fn is_https(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| url.starts_with("https:"))
    }
}

/// An invalid setting, which the message names.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

/// Returns the effective settings of a command line, which has the settings in `matches`.
///
/// # Errors
///
/// Returns an error that names the invalid setting.
pub(crate) fn read(matches: &ArgMatches) -> Result<Config, ConfigError> {
    let text = match std::fs::read_to_string(FILE) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(ConfigError(format!("{FILE}: {error}"))),
    };
    environment::reject_unknown(std::env::vars_os())?;
    resolve(matches, text.as_deref())
}

fn resolve(matches: &ArgMatches, file: Option<&str>) -> Result<Config, ConfigError> {
    let settings = Settings::from_arg_matches(matches).map_err(|error| ConfigError(error.to_string()))?;
    let in_file = file::settings(file.unwrap_or_default())?;

    let mut leptos = environment::leptos_options(file, std::env::vars_os())?;
    if let (Some(addr), Some(ValueSource::CommandLine | ValueSource::EnvVariable)) =
        (settings.addr, matches.value_source("addr"))
    {
        leptos.site_addr = addr;
    }

    let data = settings.data.or(in_file.data).unwrap_or_else(|| "data".into());
    let (database_url, database_url_file) = url_setting(
        "database-url",
        [(settings.database_url, settings.database_url_file), (in_file.database_url, in_file.database_url_file)],
    )?;
    let database_url = database_url.map_or_else(|| sqlite_url(&data.join("parlour.db")), postgres_url);
    validate_database_url(&database_url)?;
    let database_wait =
        settings.database_wait_seconds.or(in_file.database_wait_seconds).unwrap_or(DATABASE_WAIT_SECONDS);
    let (redis_url, redis_url_file) = url_setting(
        "redis-url",
        [(settings.redis_url, settings.redis_url_file), (in_file.redis_url, in_file.redis_url_file)],
    )?;
    redis_url.as_deref().map(validate_redis_url).transpose()?;
    if redis_url.is_some() && database_url.starts_with("sqlite:") {
        return Err(ConfigError(
            "redis-url: several nodes need a common PostgreSQL (database-url); SQLite supports one node".into(),
        ));
    }
    let public_url = settings.public_url.or(in_file.public_url).map(|url| origin(&url)).transpose()?;
    let allowed_hosts = settings.allowed_hosts.or(in_file.allowed_hosts).unwrap_or_default();
    let trusted_proxies = settings.trusted_proxies.or(in_file.trusted_proxies).unwrap_or_default();
    let limits = settings.limits.or(in_file.limits).unwrap_or_default();
    let number = |flag: Option<NonZeroU32>, in_file, default| {
        flag.or(in_file).unwrap_or(NonZeroU32::new(default).unwrap_or(NonZeroU32::MIN))
    };
    let rates = Rates {
        messages_per_second: number(settings.messages_per_second, in_file.messages_per_second, 5),
        message_burst: number(settings.message_burst, in_file.message_burst, 10),
        messages_per_second_per_address: number(
            settings.messages_per_second_per_address,
            in_file.messages_per_second_per_address,
            25,
        ),
        message_burst_per_address: number(settings.message_burst_per_address, in_file.message_burst_per_address, 250),
        message_kilobytes_per_minute: number(
            settings.message_kilobytes_per_minute,
            in_file.message_kilobytes_per_minute,
            2000,
        ),
        requests_per_second: number(settings.requests_per_second, in_file.requests_per_second, 20),
        request_burst: number(settings.request_burst, in_file.request_burst, 400),
        connections_per_address: number(settings.connections_per_address, in_file.connections_per_address, 512),
        joins_per_minute: number(settings.joins_per_minute, in_file.joins_per_minute, 600),
        rooms_per_hour: number(settings.rooms_per_hour, in_file.rooms_per_hour, 200),
        visitors_per_hour: number(settings.visitors_per_hour, in_file.visitors_per_hour, 1000),
        max_connections: number(settings.max_connections, in_file.max_connections, 20_000),
    };
    let rates = (limits == Limits::On).then_some(rates);
    let indexing = settings.front_page_indexed.or(in_file.front_page_indexed).unwrap_or_default();
    let webhooks = settings.outgoing_webhooks.or(in_file.outgoing_webhooks).unwrap_or_default();
    let log_format = settings.log_format.or(in_file.log_format).unwrap_or_default();
    let retention_days = settings.retention_days.or(in_file.retention_days);
    let mut config = Config {
        leptos,
        data,
        database_url,
        database_url_file,
        database_wait: Duration::from_secs(database_wait.into()),
        redis_url,
        redis_url_file,
        metrics_addr: settings.metrics_addr.or(in_file.metrics_addr),
        public_url,
        allowed_hosts,
        trusted_proxies,
        front_page_indexed: indexing == Indexing::On,
        outgoing_webhooks: webhooks == OutgoingWebhooks::On,
        webhook_hosts: settings.webhook_hosts.or(in_file.webhook_hosts).unwrap_or_default(),
        rates,
        retention_days,
        log_filter: settings.log_filter.or(in_file.log_filter).filter(|filter| !filter.is_empty()),
        log_format,
        shown: Vec::new(),
    };
    config.shown =
        report::effective_settings(&config, matches, &toml::from_str(file.unwrap_or_default()).unwrap_or_default());
    Ok(config)
}

#[cfg(test)]
mod tests;
