//! Settings, in order of precedence: flags, the environment, `Leptos.toml`, defaults.

mod environment;
mod file;
#[cfg(test)]
mod fuzz;
mod report;
mod settings;
mod url;

pub(crate) use environment::without_empty;
pub use report::EffectiveSetting;
pub(crate) use settings::Settings;
pub use settings::{Limits, LogFormat};
#[cfg(test)]
pub(super) use tests::resolved;
pub use url::redacted;

use clap::{ArgMatches, FromArgMatches, parser::ValueSource};
use ipnet::IpNet;
use leptos::config::LeptosOptions;
use std::num::NonZeroU32;
use std::path::PathBuf;
pub(crate) use url::sqlite_url;
use url::{origin, validate_database_url, validate_redis_url};

/// The optional settings file in the working directory.
pub const FILE: &str = "Leptos.toml";

/// The effective settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on, and the options that Leptos needs for its pages.
    pub leptos: LeptosOptions,
    /// The data directory.
    pub data: PathBuf,
    /// `sqlite://…` or `postgres://…`.
    pub database_url: String,
    /// `redis://…`, if there is more than one node.
    pub redis_url: Option<String>,
    /// The site's origin (scheme, host and port), or `None` to take it from each request.
    pub public_url: Option<String>,
    /// Names under which the site is reached besides that of `public_url`: lower case, without ports.
    pub allowed_hosts: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Limits on visitors; `None` if nothing is limited.
    pub rates: Option<Rates>,
    /// Number of days for which messages are kept; `None` keeps them indefinitely.
    pub retention_days: Option<NonZeroU32>,
    /// Format of the logs.
    pub log_format: LogFormat,
    /// All settings in readable form, with the source of each.
    pub shown: Vec<EffectiveSetting>,
}

/// Rate limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Messages of one identity, in a second.
    pub messages_per_second: NonZeroU32,
    /// Messages of one identity, at once.
    pub message_burst: NonZeroU32,
    /// Messages of one address, in a second.
    pub messages_per_second_per_address: NonZeroU32,
    /// Messages of one address, at once.
    pub message_burst_per_address: NonZeroU32,
    /// Text in messages of one address, in a minute, in units of 1000 bytes.
    pub message_kilobytes_per_minute: NonZeroU32,
    /// Requests of one address that are more than an asset, in a second.
    pub requests_per_second: NonZeroU32,
    /// Requests of one address, at once.
    pub request_burst: NonZeroU32,
    /// Connections of one address, at a time.
    pub connections_per_address: NonZeroU32,
    /// New connections of one address, in a minute.
    pub joins_per_minute: NonZeroU32,
    /// New rooms of one address, in an hour.
    pub rooms_per_hour: NonZeroU32,
    /// New identities of one address, in an hour.
    pub visitors_per_hour: NonZeroU32,
    /// Connections of this node, at a time.
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
    let database_url =
        settings.database_url.or(in_file.database_url).unwrap_or_else(|| sqlite_url(&data.join("parlour.db")));
    validate_database_url(&database_url)?;
    let redis_url = settings.redis_url.or(in_file.redis_url).filter(|url| !url.is_empty());
    redis_url.as_deref().map(validate_redis_url).transpose()?;
    if redis_url.is_some() && database_url.starts_with("sqlite:") {
        return Err(ConfigError(
            "redis-url: several nodes need a PostgreSQL in common (database-url); SQLite is for one node".into(),
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
    let log_format = settings.log_format.or(in_file.log_format).unwrap_or_default();
    let retention_days = settings.retention_days.or(in_file.retention_days);
    let mut config = Config {
        leptos,
        data,
        database_url,
        redis_url,
        public_url,
        allowed_hosts,
        trusted_proxies,
        rates,
        retention_days,
        log_format,
        shown: Vec::new(),
    };
    config.shown =
        report::effective_settings(&config, matches, &toml::from_str(file.unwrap_or_default()).unwrap_or_default());
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(in crate::server) fn resolved(arguments: &[&str], file: Option<&str>) -> Result<Config, ConfigError> {
        let arguments = ["parlour"].iter().chain(arguments);
        let matches =
            Settings::arguments().try_get_matches_from(arguments).map_err(|error| ConfigError(error.to_string()))?;
        resolve(&matches, file)
    }

    #[test]
    fn without_any_setting_there_is_a_file_in_the_data_directory() {
        let config = resolved(&[], None).unwrap();
        assert_eq!(config.database_url, "sqlite://data/parlour.db");
        assert_eq!(config.leptos.site_addr.to_string(), "127.0.0.1:3000");
        assert_eq!(config.redis_url, None);
    }

    #[test]
    fn flags_win() {
        let config = resolved(&["--data", "/var/x", "--addr", "[::1]:80"], None).unwrap();
        assert_eq!(config.database_url, "sqlite:///var/x/parlour.db");
        assert_eq!(config.leptos.site_addr.to_string(), "[::1]:80");
    }

    #[test]
    fn the_file_holds_what_it_wants_to_hold_and_no_more() {
        let file = "[package.metadata.leptos]\nsite-addr = '127.0.0.1:4000'\n[parlour]\ndata = '/var/x'";
        let config = resolved(&[], Some(file)).unwrap();
        assert_eq!(config.leptos.site_addr.to_string(), "127.0.0.1:4000");
        assert_eq!(config.database_url, "sqlite:///var/x/parlour.db");
        let config = resolved(&["--data", "here"], Some("[parlour]\ndata = '/var/x'")).unwrap();
        assert_eq!(config.leptos.site_addr.to_string(), "127.0.0.1:3000");
        assert_eq!(config.database_url, "sqlite://here/parlour.db");
    }

    #[test]
    fn an_invalid_setting_is_named() {
        for (arguments, name) in [
            (&["--prot", "80"][..], "--prot"),
            (&["--addr", "nowhere"], "--addr"),
            (&["--public-url", "chat.example"], "public-url"),
            (&["--redis-url", "redis://127.0.0.1"], "redis-url"),
            (&["--redis-url", "redis+sentinel://a,b/mymaster"], "Sentinel"),
            (&["--redis-url", "redis://a:6379,b:6379"], "Cluster"),
            (&["--redis-url", "redis.example"], "redis-url"),
            (&["--database-url", "sqlite://a b/parlour.db"], "database-url"),
            (&["--limits", "some"], "--limits"),
            (&["--log-format", "loud"], "--log-format"),
            (&["--trusted-proxies", "10.0.0.1,proxy"], "--trusted-proxies"),
            (&["--allowed-hosts", "chat.example,http://x"], "--allowed-hosts"),
            (&["--message-burst", "0"], "--message-burst"),
            (&["--max-connections", "many"], "--max-connections"),
            (&["--request-burst", "0"], "--request-burst"),
            (&["--message-kilobytes-per-minute", "0"], "--message-kilobytes-per-minute"),
        ] {
            let error = resolved(arguments, None).unwrap_err().to_string();
            assert!(error.contains(name), "{arguments:?}: {error}");
        }
    }

    #[test]
    fn limits_are_settings_and_can_be_lifted() {
        let rates = resolved(&["--message-burst", "3"], Some("[parlour]\nrooms-per-hour = 7")).unwrap().rates.unwrap();
        assert_eq!((rates.message_burst.get(), rates.rooms_per_hour.get(), rates.messages_per_second.get()), (3, 7, 5));
        assert_eq!(resolved(&["--limits", "off"], None).unwrap().rates, None);
    }

    #[test]
    fn allowed_hosts_are_names_as_browsers_send_them() {
        let of_flag = resolved(&["--allowed-hosts", "Chat.Example., bücher.example"], None).unwrap().allowed_hosts;
        assert_eq!(of_flag, ["chat.example", "xn--bcher-kva.example"]);
        let of_file = resolved(&[], Some("[parlour]\nallowed-hosts = ['Chat.Example', 'bücher.example']")).unwrap();
        assert_eq!(of_file.allowed_hosts, of_flag);
        let with_public =
            resolved(&["--public-url", "https://site.example:8443", "--allowed-hosts", "a"], None).unwrap();
        assert_eq!(with_public.hosts().collect::<Vec<_>>(), ["site.example", "a"]);
    }

    #[test]
    fn proxies_are_addresses_and_networks() {
        let of_flag = resolved(&["--trusted-proxies", "10.0.0.0/8, ::1"], None).unwrap().trusted_proxies;
        let of_file =
            resolved(&[], Some("[parlour]\ntrusted-proxies = ['10.0.0.0/8', '::1']")).unwrap().trusted_proxies;
        assert_eq!(of_flag, of_file);
        assert_eq!(of_flag.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.0/8", "::1/128"]);
    }
}
