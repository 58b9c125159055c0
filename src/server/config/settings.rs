//! Settings as flags, environment and file give them, without defaults.

use ipnet::IpNet;
use serde::Deserialize;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

/// Settings as flags and environment give them, and under the same names the table `[parlour]` of the file.
#[derive(clap::Args, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where to listen [default: 127.0.0.1:3000]
    #[arg(long, global = true, env = "LEPTOS_SITE_ADDR", value_name = "HOST:PORT")]
    #[serde(skip)]
    pub(super) addr: Option<SocketAddr>,
    /// sqlite://FILE or postgres://… [default: parlour.db in the data directory]
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub(super) database_url: Option<String>,
    /// redis://… joins several nodes on one PostgreSQL [default: none, one node]
    #[arg(long, global = true, env = "REDIS_URL", hide_env_values = true, value_name = "URL")]
    pub(super) redis_url: Option<String>,
    /// The data directory [default: ./data]
    #[arg(long, global = true, env = "PARLOUR_DATA", value_name = "DIRECTORY")]
    pub(super) data: Option<PathBuf>,
    /// The address people use, behind a proxy: https://chat.example [default: the request's Host]
    #[arg(long, global = true, env = "PARLOUR_PUBLIC_URL", value_name = "URL")]
    pub(super) public_url: Option<String>,
    /// Further names under which the site is reached, besides addresses, localhost and that of public-url [default: none]
    #[arg(long, global = true, env = "PARLOUR_ALLOWED_HOSTS", value_name = "NAME,…", value_delimiter = ',', value_parser = host_name)]
    #[serde(default, deserialize_with = "host_names")]
    pub(super) allowed_hosts: Option<Vec<String>>,
    /// Proxies, as addresses or networks (10.0.0.0/8), that say in X-Forwarded-For whom they speak for [default: none]
    #[arg(long, global = true, env = "PARLOUR_TRUSTED_PROXIES", value_name = "NETWORK,…", value_delimiter = ',', value_parser = network)]
    #[serde(default, deserialize_with = "networks")]
    pub(super) trusted_proxies: Option<Vec<IpNet>>,
    /// `off` lifts every limit, for load tests [default: on]
    #[arg(long, global = true, env = "PARLOUR_LIMITS", value_enum)]
    pub(super) limits: Option<Limits>,
    /// Messages that one visitor may send each second [default: 5]
    #[arg(long, global = true, env = "PARLOUR_MESSAGES_PER_SECOND", value_name = "NUMBER")]
    pub(super) messages_per_second: Option<NonZeroU32>,
    /// Messages that one visitor may send at once, before that counts [default: 10]
    #[arg(long, global = true, env = "PARLOUR_MESSAGE_BURST", value_name = "NUMBER")]
    pub(super) message_burst: Option<NonZeroU32>,
    /// Messages that one address (IPv6: one /64) may send each second, whoever they are from [default: 25]
    #[arg(long, global = true, env = "PARLOUR_MESSAGES_PER_SECOND_PER_ADDRESS", value_name = "NUMBER")]
    pub(super) messages_per_second_per_address: Option<NonZeroU32>,
    /// Messages that one address may send at once, before that counts [default: 250]
    #[arg(long, global = true, env = "PARLOUR_MESSAGE_BURST_PER_ADDRESS", value_name = "NUMBER")]
    pub(super) message_burst_per_address: Option<NonZeroU32>,
    /// Text that one address may send each minute, in units of 1000 bytes [default: 2000]
    #[arg(long, global = true, env = "PARLOUR_MESSAGE_KILOBYTES_PER_MINUTE", value_name = "NUMBER")]
    pub(super) message_kilobytes_per_minute: Option<NonZeroU32>,
    /// Pages and pieces of history that one address may ask for each second [default: 20]
    #[arg(long, global = true, env = "PARLOUR_REQUESTS_PER_SECOND", value_name = "NUMBER")]
    pub(super) requests_per_second: Option<NonZeroU32>,
    /// Pages and pieces of history that one address may ask for at once, before that counts [default: 400]
    #[arg(long, global = true, env = "PARLOUR_REQUEST_BURST", value_name = "NUMBER")]
    pub(super) request_burst: Option<NonZeroU32>,
    /// Connections from one address at a time (IPv6: from one /64) [default: 512]
    #[arg(long, global = true, env = "PARLOUR_CONNECTIONS_PER_ADDRESS", value_name = "NUMBER")]
    pub(super) connections_per_address: Option<NonZeroU32>,
    /// Times that one address may connect each minute [default: 600]
    #[arg(long, global = true, env = "PARLOUR_JOINS_PER_MINUTE", value_name = "NUMBER")]
    pub(super) joins_per_minute: Option<NonZeroU32>,
    /// New rooms that one address may open each hour [default: 200]
    #[arg(long, global = true, env = "PARLOUR_ROOMS_PER_HOUR", value_name = "NUMBER")]
    pub(super) rooms_per_hour: Option<NonZeroU32>,
    /// New visitors that one address may bring each hour [default: 1000]
    #[arg(long, global = true, env = "PARLOUR_VISITORS_PER_HOUR", value_name = "NUMBER")]
    pub(super) visitors_per_hour: Option<NonZeroU32>,
    /// Connections of the whole node [default: 20000]
    #[arg(long, global = true, env = "PARLOUR_MAX_CONNECTIONS", value_name = "NUMBER")]
    pub(super) max_connections: Option<NonZeroU32>,
    /// Days after which messages are deleted for good, where a room has no number of its own [default: none, for ever]
    #[arg(long, global = true, env = "PARLOUR_RETENTION_DAYS", value_name = "NUMBER")]
    pub(super) retention_days: Option<NonZeroU32>,
    /// How logs are written; RUST_LOG chooses what [default: text]
    #[arg(long, global = true, env = "PARLOUR_LOG_FORMAT", value_enum)]
    pub(super) log_format: Option<LogFormat>,
}

impl Settings {
    /// Returns the command line that has the settings alone, to look them up.
    pub(super) fn arguments() -> clap::Command {
        <Self as clap::Args>::augment_args(clap::Command::new("parlour"))
    }
}

/// Whether visitors are limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limits {
    /// Limits apply.
    #[default]
    On,
    /// No limits, for load tests.
    Off,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// Parses the name of a host as browsers send it: lower case, ASCII, without a port.
fn host_name(text: &str) -> Result<String, String> {
    let text = text.trim();
    let wrong = || format!("{text} is no name of a host like chat.example");
    match url::Host::parse(text).map_err(|_| wrong())? {
        url::Host::Domain(name) => Ok(name.strip_suffix('.').unwrap_or(&name).to_owned()),
        address => Ok(address.to_string()),
    }
}

fn host_names<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| host_name(text)).collect::<Result<_, _>>().map(Some).map_err(serde::de::Error::custom)
}

/// Parses a network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let address = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse::<IpNet>()
        .or_else(|_| address())
        .map_err(|_| format!("{text} is no address and no network like 10.0.0.0/8"))
}

fn networks<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<IpNet>>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| network(text)).collect::<Result<_, _>>().map(Some).map_err(serde::de::Error::custom)
}
