//! The effective settings as `parlour config` shows them, with the source of each.

use super::settings::{Indexing, Limits, OutgoingWebhooks, Settings};
use super::{Config, FILE, Rates, redacted};
use clap::{Arg, ArgMatches, parser::ValueSource};
use std::fmt;
use std::num::NonZeroU32;
use std::path::Path;

/// The name of a rate's setting, and its value.
type NamedRate = (&'static str, fn(&Rates) -> NonZeroU32);

/// The rates by the names of their settings.
const RATES: [NamedRate; 12] = [
    ("messages-per-second", |rates| rates.messages_per_second),
    ("message-burst", |rates| rates.message_burst),
    ("messages-per-second-per-address", |rates| rates.messages_per_second_per_address),
    ("message-burst-per-address", |rates| rates.message_burst_per_address),
    ("message-kilobytes-per-minute", |rates| rates.message_kilobytes_per_minute),
    ("requests-per-second", |rates| rates.requests_per_second),
    ("request-burst", |rates| rates.request_burst),
    ("connections-per-address", |rates| rates.connections_per_address),
    ("joins-per-minute", |rates| rates.joins_per_minute),
    ("rooms-per-hour", |rates| rates.rooms_per_hour),
    ("visitors-per-hour", |rates| rates.visitors_per_hour),
    ("max-connections", |rates| rates.max_connections),
];

/// A setting without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveSetting {
    /// The name in the file and, after `--`, on the command line.
    pub name: String,
    /// The effective value.
    pub value: String,
    /// The source: the flag, the variable, the file, or `default`.
    pub origin: String,
}

impl fmt::Display for EffectiveSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<32} {:<40} {}", self.name, self.value, self.origin)
    }
}

/// Returns all settings, in the order of `--help`.
pub(super) fn effective_settings(config: &Config, matches: &ArgMatches, file: &toml::Table) -> Vec<EffectiveSetting> {
    let command = Settings::arguments();
    let settings = command.get_arguments().filter(|argument| argument.get_env().is_some());
    settings
        .map(|setting| {
            let name = setting.get_long().unwrap_or_default().to_owned();
            let value = value(config, &name).unwrap_or_default();
            let origin = match (&*name, &config.database_url_file, &config.redis_url_file) {
                ("database-url", Some(path), _) | ("redis-url", _, Some(path)) => path.display().to_string(),
                _ => origin(setting, &name, matches, file),
            };
            EffectiveSetting { origin, name, value }
        })
        .collect()
}

impl Rates {
    /// Returns whether the setting of this name is one of the rates.
    pub(crate) fn is_name(setting: &str) -> bool {
        RATES.iter().any(|(name, _)| *name == setting)
    }
}

/// Returns the effective value of a setting by its name, or `None` if there is no such setting.
fn value(config: &Config, name: &str) -> Option<String> {
    let none = || "(none)".to_owned();
    let path = |path: &Path| path.display().to_string();
    if let Some((_, of)) = RATES.iter().find(|(rate, _)| *rate == name) {
        return Some(config.rates.as_ref().map_or_else(|| "(lifted)".to_owned(), |rates| of(rates).to_string()));
    }
    Some(match name {
        "addr" => config.leptos.site_addr.to_string(),
        "database-url" => redacted(&config.database_url),
        "database-url-file" => config.database_url_file.as_deref().map_or_else(none, path),
        "redis-url-file" => config.redis_url_file.as_deref().map_or_else(none, path),
        "metrics-addr" => config.metrics_addr.map_or_else(|| "(with the site)".to_owned(), |addr| addr.to_string()),
        "log-filter" => config.log_filter.clone().unwrap_or_else(|| "info".to_owned()),
        "database-wait-seconds" => config.database_wait.as_secs().to_string(),
        "redis-url" => config.redis_url.as_deref().map_or_else(none, redacted),
        "data" => config.data.display().to_string(),
        "public-url" => config.public_url.clone().unwrap_or_else(none),
        "allowed-hosts" if config.allowed_hosts.is_empty() => none(),
        "allowed-hosts" => config.allowed_hosts.join(","),
        "trusted-proxies" if config.trusted_proxies.is_empty() => none(),
        "trusted-proxies" => config.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        "limits" => word(if config.rates.is_some() { Limits::On } else { Limits::Off }),
        "front-page-indexed" => word(if config.front_page_indexed { Indexing::On } else { Indexing::Off }),
        "outgoing-webhooks" if config.outgoing_webhooks => word(OutgoingWebhooks::On),
        "outgoing-webhooks" => word(OutgoingWebhooks::Off),
        "webhook-hosts" if config.webhook_hosts.is_empty() => none(),
        "webhook-hosts" => config.webhook_hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        "retention-days" => config.retention_days.map_or_else(|| "(forever)".to_owned(), |days| days.to_string()),
        "log-format" => word(config.log_format),
        _ => return None,
    })
}

/// Returns a choice as it is spelled in the settings.
fn word(choice: impl clap::ValueEnum) -> String {
    choice.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

fn origin(setting: &Arg, name: &str, matches: &ArgMatches, file: &toml::Table) -> String {
    let at = |path: &[&str]| {
        let (last, tables) = path.split_last()?;
        tables.iter().try_fold(file, |table, name| table.get(*name)?.as_table())?.get(*last)
    };
    let in_file = match name {
        "addr" => at(&["package", "metadata", "leptos", "site-addr"]),
        name => at(&["parlour", name]),
    };
    match (matches.value_source(setting.get_id().as_str()), setting.get_env()) {
        (Some(ValueSource::CommandLine), _) => format!("--{name}"),
        (Some(ValueSource::EnvVariable), Some(variable)) => variable.display().to_string(),
        _ if in_file.is_some() => FILE.to_owned(),
        _ => "default".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::server::config::tests::resolved;

    #[test]
    fn every_setting_is_shown_with_where_it_comes_from() {
        let file =
            "[package.metadata.leptos]\nsite-addr = '127.0.0.1:4000'\n[parlour]\ndata = 'x'\nlog-format = 'json'";
        let flags = ["--log-format", "text", "--limits", "off", "--trusted-proxies", "10.0.0.0/8,::1"];
        let shown = resolved(&flags, Some(file)).unwrap().shown;
        let of = |name: &str| {
            let setting = shown.iter().find(|shown| shown.name == name).unwrap_or_else(|| panic!("{name}"));
            (setting.value.as_str(), setting.origin.as_str())
        };
        assert_eq!(of("addr"), ("127.0.0.1:4000", "Leptos.toml"));
        assert_eq!(of("data"), ("x", "Leptos.toml"));
        assert_eq!(of("database-url"), ("sqlite://x/parlour.db", "default"));
        assert_eq!(of("log-format"), ("text", "--log-format"));
        assert_eq!(of("trusted-proxies"), ("10.0.0.0/8,::1/128", "--trusted-proxies"));
        assert_eq!(of("message-burst"), ("(lifted)", "default"));
        assert_eq!(of("redis-url"), ("(none)", "default"));
        for setting in &shown {
            assert!(!setting.value.is_empty(), "{} is not known here", setting.name);
        }
        let on = resolved(&[], None).unwrap().shown;
        assert!(on.iter().all(|setting| setting.value != "(lifted)"), "{on:?}");
    }
}
