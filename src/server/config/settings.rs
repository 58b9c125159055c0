//! Settings from flags, environment and file, without defaults.

use crate::server::outbound::HostPort;
use ipnet::IpNet;
use serde::Deserialize;
use std::net::{SocketAddr, ToSocketAddrs};
use std::num::NonZeroU32;
use std::path::PathBuf;

/// Settings from flags and environment. The table `[parlour]` of the file has the same names.
#[derive(clap::Args, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Settings {
    /// Address to listen on [default: 127.0.0.1:3000]
    #[arg(long, global = true, env = "LEPTOS_SITE_ADDR", value_name = "HOST:PORT", value_parser = listen_address)]
    #[serde(skip)]
    pub(super) addr: Option<SocketAddr>,
    /// sqlite://FILE or postgres://… [default: parlour.db in the data directory]
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub(super) database_url: Option<String>,
    /// File that contains the database URL [default: none]
    #[arg(long, global = true, env = "DATABASE_URL_FILE", value_name = "FILE")]
    pub(super) database_url_file: Option<PathBuf>,
    /// Seconds for which a starting server retries an unreachable database [default: 30]
    #[arg(long, global = true, env = "PARLOUR_DATABASE_WAIT_SECONDS", value_name = "NUMBER")]
    pub(super) database_wait_seconds: Option<u32>,
    /// redis://… connects several nodes on one PostgreSQL [default: none, one node]
    #[arg(long, global = true, env = "REDIS_URL", hide_env_values = true, value_name = "URL")]
    pub(super) redis_url: Option<String>,
    /// File that contains the Redis URL [default: none]
    #[arg(long, global = true, env = "REDIS_URL_FILE", value_name = "FILE")]
    pub(super) redis_url_file: Option<PathBuf>,
    /// Data directory [default: ./data]
    #[arg(long, global = true, env = "PARLOUR_DATA", value_name = "DIRECTORY")]
    pub(super) data: Option<PathBuf>,
    /// Separate address for /metrics [default: with the site]
    #[arg(long, global = true, env = "PARLOUR_METRICS_ADDR", value_name = "HOST:PORT", value_parser = listen_address)]
    #[serde(default, deserialize_with = "listen_address_in_file")]
    pub(super) metrics_addr: Option<SocketAddr>,
    /// Public address of the site behind a proxy: https://chat.example [default: the request's Host]
    #[arg(long, global = true, env = "PARLOUR_PUBLIC_URL", value_name = "URL")]
    pub(super) public_url: Option<String>,
    /// Further host names of the site, besides IP addresses, localhost and the name in public-url [default: none]
    #[arg(long, global = true, env = "PARLOUR_ALLOWED_HOSTS", value_name = "NAME,…", value_delimiter = ',', value_parser = host_name)]
    #[serde(default, deserialize_with = "host_names")]
    pub(super) allowed_hosts: Option<Vec<String>>,
    /// Proxies whose X-Forwarded-For is trusted, as addresses or networks (10.0.0.0/8) [default: none]
    #[arg(long, global = true, env = "PARLOUR_TRUSTED_PROXIES", value_name = "NETWORK,…", value_delimiter = ',', value_parser = network)]
    #[serde(default, deserialize_with = "networks")]
    pub(super) trusted_proxies: Option<Vec<IpNet>>,
    /// `off` lifts every limit, for load tests [default: on]
    #[arg(long, global = true, env = "PARLOUR_LIMITS", value_enum)]
    pub(super) limits: Option<Limits>,
    /// Messages, edits and deletions per second and visitor [default: 5]
    #[arg(long, global = true, env = "PARLOUR_MESSAGES_PER_SECOND", value_name = "NUMBER")]
    pub(super) messages_per_second: Option<NonZeroU32>,
    /// Burst of messages per visitor [default: 10]
    #[arg(long, global = true, env = "PARLOUR_MESSAGE_BURST", value_name = "NUMBER")]
    pub(super) message_burst: Option<NonZeroU32>,
    /// Messages, edits and deletions per second and address (IPv6: /64) [default: 25]
    #[arg(long, global = true, env = "PARLOUR_MESSAGES_PER_SECOND_PER_ADDRESS", value_name = "NUMBER")]
    pub(super) messages_per_second_per_address: Option<NonZeroU32>,
    /// Burst of messages per address [default: 250]
    #[arg(long, global = true, env = "PARLOUR_MESSAGE_BURST_PER_ADDRESS", value_name = "NUMBER")]
    pub(super) message_burst_per_address: Option<NonZeroU32>,
    /// Text of messages per minute and address, in units of 1000 bytes [default: 2000]
    #[arg(long, global = true, env = "PARLOUR_MESSAGE_KILOBYTES_PER_MINUTE", value_name = "NUMBER")]
    pub(super) message_kilobytes_per_minute: Option<NonZeroU32>,
    /// Pages and function calls per second and address [default: 20]
    #[arg(long, global = true, env = "PARLOUR_REQUESTS_PER_SECOND", value_name = "NUMBER")]
    pub(super) requests_per_second: Option<NonZeroU32>,
    /// Burst of pages and function calls per address [default: 400]
    #[arg(long, global = true, env = "PARLOUR_REQUEST_BURST", value_name = "NUMBER")]
    pub(super) request_burst: Option<NonZeroU32>,
    /// Live connections per address (IPv6: /64) at a time [default: 512]
    #[arg(long, global = true, env = "PARLOUR_CONNECTIONS_PER_ADDRESS", value_name = "NUMBER")]
    pub(super) connections_per_address: Option<NonZeroU32>,
    /// New live connections per minute and address [default: 600]
    #[arg(long, global = true, env = "PARLOUR_JOINS_PER_MINUTE", value_name = "NUMBER")]
    pub(super) joins_per_minute: Option<NonZeroU32>,
    /// New rooms per hour and address [default: 200]
    #[arg(long, global = true, env = "PARLOUR_ROOMS_PER_HOUR", value_name = "NUMBER")]
    pub(super) rooms_per_hour: Option<NonZeroU32>,
    /// New visitors per hour and address [default: 1000]
    #[arg(long, global = true, env = "PARLOUR_VISITORS_PER_HOUR", value_name = "NUMBER")]
    pub(super) visitors_per_hour: Option<NonZeroU32>,
    /// Live connections of the node at a time [default: 20000]
    #[arg(long, global = true, env = "PARLOUR_MAX_CONNECTIONS", value_name = "NUMBER")]
    pub(super) max_connections: Option<NonZeroU32>,
    /// `on` lets search engines list the front page; they never list a room [default: off]
    #[arg(long, global = true, env = "PARLOUR_FRONT_PAGE_INDEXED", value_enum)]
    pub(super) front_page_indexed: Option<Indexing>,
    /// `on` posts the events of rooms to the URLs that their owners name [default: off]
    #[arg(long, global = true, env = "PARLOUR_OUTGOING_WEBHOOKS", value_enum)]
    pub(super) outgoing_webhooks: Option<OutgoingWebhooks>,
    /// Hosts with ports that outgoing webhooks reach although they are not public (ci.internal:8443) [default: none]
    #[arg(long, global = true, env = "PARLOUR_WEBHOOK_HOSTS", value_name = "HOST:PORT,…", value_delimiter = ',', value_parser = host_port)]
    #[serde(default, deserialize_with = "host_ports")]
    pub(super) webhook_hosts: Option<Vec<HostPort>>,
    /// Age in days at which messages are permanently deleted, unless the room has its own retention [default: none,
    /// forever]
    #[arg(long, global = true, env = "PARLOUR_RETENTION_DAYS", value_name = "NUMBER")]
    pub(super) retention_days: Option<NonZeroU32>,
    /// Log level, and levels of modules (info,parlour=debug) [default: info]
    #[arg(long, global = true, env = "RUST_LOG", value_name = "FILTER")]
    pub(super) log_filter: Option<String>,
    /// Format of the logs [default: text]
    #[arg(long, global = true, env = "PARLOUR_LOG_FORMAT", value_enum)]
    pub(super) log_format: Option<LogFormat>,
}

impl Settings {
    /// Returns a command line with only the settings, to look them up.
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

/// Whether search engines may list the front page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Indexing {
    /// Search engines may list it.
    On,
    /// Search engines are asked not to list it.
    #[default]
    Off,
}

/// Whether rooms may have outgoing webhooks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutgoingWebhooks {
    /// Owners may name URLs.
    On,
    /// Nothing is delivered.
    #[default]
    Off,
}

/// Format of the logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object per line.
    Json,
}

/// Parses an address to listen on: an IP address or a name like `localhost`, and a port. If the name has several
/// addresses, prefers an IPv4 one.
///
/// # Errors
///
/// Returns an error if the text is not an address, or if the name has none.
pub(super) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let wrong =
        |why: &dyn std::fmt::Display| format!("{text} is not an address like 127.0.0.1:3000 or localhost:3000 ({why})");
    let found: Vec<SocketAddr> = text.to_socket_addrs().map_err(|error| wrong(&error))?.collect();
    let address = found.iter().find(|address| address.is_ipv4()).or(found.first());
    address.copied().ok_or_else(|| wrong(&"the name has no address"))
}

fn listen_address_in_file<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    listen_address(&String::deserialize(deserializer)?).map(Some).map_err(serde::de::Error::custom)
}

/// Parses a host name in the form that browsers send: lower case, ASCII, without a port.
fn host_name(text: &str) -> Result<String, String> {
    let text = text.trim();
    let wrong = || format!("{text} is not a host name like chat.example");
    match url::Host::parse(text).map_err(|_| wrong())? {
        url::Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(&name);
            let is_label = |label: &str| {
                !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            };
            // A pattern (`*.example`, `.example`) would never match.
            if name.split('.').all(is_label) { Ok(name.to_owned()) } else { Err(wrong()) }
        }
        address => Ok(address.to_string()),
    }
}

fn host_names<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| host_name(text)).collect::<Result<_, _>>().map(Some).map_err(serde::de::Error::custom)
}

fn host_port(text: &str) -> Result<HostPort, String> {
    text.parse()
}

fn host_ports<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<HostPort>>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| host_port(text)).collect::<Result<_, _>>().map(Some).map_err(serde::de::Error::custom)
}

/// Parses a network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let address = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse::<IpNet>()
        .or_else(|_| address())
        .map_err(|_| format!("{text} is neither an address nor a network like 10.0.0.0/8"))
}

fn networks<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<IpNet>>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| network(text)).collect::<Result<_, _>>().map(Some).map_err(serde::de::Error::custom)
}
