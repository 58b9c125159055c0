//! Settings: flags, then the environment, then `Leptos.toml`, then defaults.

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, parser::ValueSource};
use leptos::config::{LeptosOptions, get_config_from_str, get_configuration};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The file that may stand in the working directory.
pub const FILE: &str = "Leptos.toml";

/// Parlour: a chat that people enter by link. Without any setting it serves http://127.0.0.1:3000 and keeps
/// everything in ./data.
#[derive(Parser)]
#[command(
    name = "parlour",
    version,
    after_help = "Settings may also stand in the environment or in ./Leptos.toml; flags win, then the environment."
)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
}

/// What the executable is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve (the default): migrate the database, listen, and drain on SIGTERM or SIGINT
    Serve,
    /// Validate the settings and reach the database and Redis
    Check,
}

/// Settings as flags and environment give them, and under the same names the table `[parlour]` of the file.
#[derive(clap::Args, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Settings {
    /// Where to listen [default: 127.0.0.1:3000]
    #[arg(long, global = true, env = "LEPTOS_SITE_ADDR", value_name = "HOST:PORT")]
    #[serde(skip)]
    addr: Option<SocketAddr>,
    /// sqlite://FILE or postgres://… [default: parlour.db in the data directory]
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// redis://… joins several nodes on one PostgreSQL [default: none, one node]
    #[arg(long, global = true, env = "REDIS_URL", hide_env_values = true, value_name = "URL")]
    redis_url: Option<String>,
    /// The data directory [default: ./data]
    #[arg(long, global = true, env = "PARLOUR_DATA", value_name = "DIRECTORY")]
    data: Option<PathBuf>,
    /// The address people use, behind a proxy: https://chat.example [default: the request's Host]
    #[arg(long, global = true, env = "PARLOUR_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// `off` lifts every limit, for load tests [default: on]
    #[arg(long, global = true, env = "PARLOUR_LIMITS", value_enum)]
    limits: Option<Limits>,
    /// How logs are written; RUST_LOG chooses what [default: text]
    #[arg(long, global = true, env = "PARLOUR_LOG_FORMAT", value_enum)]
    log_format: Option<LogFormat>,
}

/// Whether visitors are limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limits {
    /// As it should be.
    #[default]
    On,
    /// For load tests.
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

/// The effective settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen, and what Leptos needs to know for its pages.
    pub leptos: LeptosOptions,
    /// `sqlite://…` or `postgres://…`.
    pub database_url: String,
    /// `redis://…`, where there is more than one node.
    pub redis_url: Option<String>,
    /// The site's origin (scheme, host and port), where it is not what requests say.
    pub public_url: Option<String>,
    /// Whether visitors are limited.
    pub limits: Limits,
    /// How logs are written.
    pub log_format: LogFormat,
}

/// A setting that cannot be: the sentence names it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

/// What `Leptos.toml` may hold: the table of Leptos, which Leptos reads itself, and our own.
#[derive(Default, Deserialize)]
struct File {
    #[serde(default)]
    parlour: Settings,
}

/// Reads the command line, the environment and the file. Prints and ends the process where clap does: for `--help`,
/// and at a flag or value that is wrong.
pub fn read() -> Result<(Command, Config), ConfigError> {
    let matches = CommandLine::command().get_matches();
    let text = match std::fs::read_to_string(FILE) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(ConfigError(format!("{FILE}: {error}"))),
    };
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("PARLOUR_") && !is_known(&name) {
            return Err(ConfigError(format!("{name}: there is no such setting; `parlour --help` lists them")));
        }
    }
    resolve(&matches, text.as_deref())
}

fn is_known(variable: &str) -> bool {
    CommandLine::command().get_arguments().any(|argument| argument.get_env().is_some_and(|env| env == variable))
}

fn resolve(matches: &ArgMatches, file: Option<&str>) -> Result<(Command, Config), ConfigError> {
    let CommandLine { command, settings } =
        CommandLine::from_arg_matches(matches).map_err(|error| ConfigError(error.to_string()))?;
    let in_file: File =
        toml::from_str(file.unwrap_or_default()).map_err(|error| ConfigError(format!("{FILE}: {error}")))?;
    let in_file = in_file.parlour;

    let mut leptos = leptos_options(file)?;
    if let (Some(addr), Some(ValueSource::CommandLine | ValueSource::EnvVariable)) =
        (settings.addr, matches.value_source("addr"))
    {
        leptos.site_addr = addr;
    }

    let data = settings.data.or(in_file.data).unwrap_or_else(|| "data".into());
    let database_url = settings.database_url.or(in_file.database_url).unwrap_or_else(|| sqlite_in(&data));
    let redis_url = settings.redis_url.or(in_file.redis_url).filter(|url| !url.is_empty());
    if redis_url.is_some() && database_url.starts_with("sqlite:") {
        return Err(ConfigError(
            "redis-url: several nodes need a PostgreSQL in common (database-url); SQLite is for one node".into(),
        ));
    }
    let public_url = settings.public_url.or(in_file.public_url).map(|url| origin(&url)).transpose()?;
    let limits = settings.limits.or(in_file.limits).unwrap_or_default();
    let log_format = settings.log_format.or(in_file.log_format).unwrap_or_default();
    Ok((command.unwrap_or(Command::Serve), Config { leptos, database_url, redis_url, public_url, limits, log_format }))
}

/// What Leptos itself needs to know: from its table of the file, and `LEPTOS_*`.
fn leptos_options(file: Option<&str>) -> Result<LeptosOptions, ConfigError> {
    let wrong = |error: &dyn std::fmt::Display| ConfigError(format!("{FILE} or LEPTOS_*: {error}"));
    let Some(text) = file else {
        return Ok(get_configuration(None).map_err(|error| wrong(&error))?.leptos_options);
    };
    let tables: toml::Table = toml::from_str(text).map_err(|error| wrong(&error))?;
    let leptos = tables.get("package").and_then(|package| package.get("metadata")?.get("leptos")?.as_table());
    let mut leptos = leptos.cloned().unwrap_or_default();
    // The name of the build is no setting, but Leptos insists on reading it.
    leptos.entry("output-name").or_insert("parlour".into());
    get_config_from_str(&format!("[package.metadata.leptos]\n{leptos}")).map_err(|error| wrong(&error))
}

fn sqlite_in(data: &Path) -> String {
    format!("sqlite://{}", data.join("parlour.db").display())
}

/// Scheme, host and port of a URL, as browsers send them in `Origin`.
fn origin(url: &str) -> Result<String, ConfigError> {
    let wrong = || ConfigError(format!("public-url: {url} is not an address like https://chat.example"));
    let parsed = url::Url::parse(url).map_err(|_| wrong())?;
    if !matches!(parsed.scheme(), "http" | "https") || !matches!(parsed.path(), "" | "/") {
        return Err(wrong());
    }
    Ok(parsed.origin().ascii_serialization())
}

/// A URL fit to be shown: without its password.
pub fn redacted(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut parsed) if parsed.password().is_some() => {
            let _ = parsed.set_password(Some("***"));
            parsed.to_string()
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(arguments: &[&str], file: Option<&str>) -> Result<Config, ConfigError> {
        let arguments = ["parlour"].iter().chain(arguments);
        let matches =
            CommandLine::command().try_get_matches_from(arguments).map_err(|error| ConfigError(error.to_string()))?;
        resolve(&matches, file).map(|(_, config)| config)
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
    fn what_is_wrong_is_named() {
        for (arguments, name) in [
            (&["--prot", "80"][..], "--prot"),
            (&["--addr", "nowhere"], "--addr"),
            (&["--public-url", "chat.example"], "public-url"),
            (&["--redis-url", "redis://127.0.0.1"], "redis-url"),
            (&["--limits", "some"], "--limits"),
            (&["--log-format", "loud"], "--log-format"),
        ] {
            let error = resolved(arguments, None).unwrap_err().to_string();
            assert!(error.contains(name), "{arguments:?}: {error}");
        }
        let unknown: Result<File, _> = toml::from_str("[parlour]\ncolour = 'red'");
        assert!(unknown.err().unwrap().to_string().contains("colour"));
    }

    #[test]
    fn a_public_url_becomes_an_origin() {
        assert_eq!(origin("https://Chat.example:443/").unwrap(), "https://chat.example");
        assert_eq!(origin("http://chat.example:8080").unwrap(), "http://chat.example:8080");
        assert!(origin("https://chat.example/chat/").is_err());
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(redacted("postgres://ann:secret@db/parlour"), "postgres://ann:***@db/parlour");
        assert_eq!(redacted("sqlite://data/parlour.db"), "sqlite://data/parlour.db");
    }
}
