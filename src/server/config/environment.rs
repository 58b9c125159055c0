//! The environment as a source of settings: Parlour's own variables, and those of other programs.

use super::settings::listen_address;
use super::{ConfigError, FILE, Settings};
use clap::Command;
use leptos::config::LeptosOptions;
use std::ffi::OsString;
use toml::{Table, Value};

/// Prefix of settings that only Parlour reads.
const SETTINGS_PREFIX: &str = "PARLOUR_";

/// Variable with a token, which clients in the same shell read (docs/api.md).
const TOKEN_VARIABLE: &str = "PARLOUR_TOKEN";

/// Prefix of settings that Leptos reads.
const LEPTOS_PREFIX: &str = "LEPTOS_";

/// Default site root of Leptos if there is no settings file.
const SITE_ROOT: &str = "target/site";

/// Returns the command line in which an empty variable counts as unset.
pub(crate) fn without_empty(command_line: Command) -> Command {
    command_line.mut_args(|argument| {
        let value = argument.get_env().and_then(std::env::var_os);
        if value.is_some_and(|value| value.is_empty()) { argument.env(None::<&str>) } else { argument }
    })
}

/// Checks that every variable with Parlour's prefix is a setting.
///
/// # Errors
///
/// Returns an error that names the first variable that is not.
pub(super) fn reject_unknown(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<(), ConfigError> {
    for (name, value) in variables {
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
        let is_ours = name.starts_with(SETTINGS_PREFIX) && name != TOKEN_VARIABLE && !value.is_empty();
        if is_ours && !is_known(&name) && !is_of_service(&name, &value) {
            return Err(ConfigError(format!("{name}: unknown setting; `parlour --help` lists all")));
        }
    }
    Ok(())
}

fn is_known(variable: &str) -> bool {
    Settings::arguments().get_arguments().any(|argument| argument.get_env().is_some_and(|env| env == variable))
}

/// Returns whether Kubernetes or a Docker link created this variable for a service whose name begins with `parlour`
/// (<https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>).
fn is_of_service(name: &str, value: &str) -> bool {
    const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];
    // The rest of the name may repeat the same words: `PARLOUR_PORT_SERVICE_HOST` is of a service `parlour-port`.
    let ends_as_service = |end: &str| {
        let mut parts = end.strip_prefix("PORT_").unwrap_or_default().split('_');
        let is_port = parts.next().is_some_and(|port| port.parse::<u16>().is_ok());
        let is_protocol = parts.next().is_some_and(|protocol| PROTOCOLS.contains(&protocol));
        is_port
            && is_protocol
            && matches!(parts.next(), None | Some("PROTO" | "PORT" | "ADDR"))
            && parts.next().is_none()
    };
    let is_address = value
        .split_once("://")
        .is_some_and(|(protocol, _)| PROTOCOLS.iter().any(|known| known.eq_ignore_ascii_case(protocol)));
    // Each suffix of the name that follows an underscore.
    name.match_indices('_').map(|(at, _)| &name[at + 1..]).any(|end| {
        end == "SERVICE_HOST"
            || end == "SERVICE_PORT"
            || end.starts_with("SERVICE_PORT_")
            || (end == "PORT" && is_address)
            || ends_as_service(end)
    })
}

/// Returns the settings that Leptos needs: from its table in the file, and from `LEPTOS_*`, which take precedence.
///
/// # Errors
///
/// Returns an error that names the invalid setting.
pub(super) fn leptos_options(
    file: Option<&str>,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<LeptosOptions, ConfigError> {
    let wrong = |error: toml::de::Error| ConfigError(format!("{FILE} or LEPTOS_*: {}", error.message()));
    let all: Table = toml::from_str(file.unwrap_or_default()).map_err(wrong)?;
    let table = all.get("package").and_then(|package| package.get("metadata")?.get("leptos")?.as_table());
    let mut table = table.cloned().unwrap_or_default();
    // The name of the build is not a setting, but Leptos requires it.
    table.entry("output-name").or_insert("parlour".into());
    if file.is_none() {
        table.entry("site-root").or_insert(SITE_ROOT.into());
    }
    for (name, value) in variables {
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
        let Some(name) = name.strip_prefix(LEPTOS_PREFIX).filter(|_| !value.is_empty()) else { continue };
        let name = match name {
            "HASH_FILE_NAME" => "hash-file".to_owned(),
            name => name.to_lowercase().replace('_', "-"),
        };
        table.insert(name, value.into_owned().into());
    }
    for (name, value) in &mut table {
        let Value::String(text) = value else { continue };
        match &**name {
            "reload-port" | "reload-external-port" => {
                let port =
                    text.parse::<u16>().map_err(|_| ConfigError(format!("{FILE} or LEPTOS_*: {name}: not a port")))?;
                *value = Value::Integer(port.into());
            }
            "site-addr" => {
                let addr = listen_address(text);
                *text = addr.map_err(|error| ConfigError(format!("{FILE} or LEPTOS_*: {name}: {error}")))?.to_string();
            }
            "hash-files" | "disable-server-fn-hash" | "server-fn-mod-path" => *value = Value::Boolean(*text == "true"),
            "reload-ws-protocol" => *text = text.to_uppercase(),
            _ => {}
        }
    }
    Value::Table(table).try_into().map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(variables: &[(&str, &str)]) -> impl Iterator<Item = (OsString, OsString)> {
        variables.iter().map(|(name, value)| (name.into(), value.into())).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn variables_that_kubernetes_makes_for_services_are_ignored() {
        for (name, value) in [
            ("PARLOUR_SERVICE_HOST", "10.0.0.7"),
            ("PARLOUR_SERVICE_PORT", "3000"),
            ("PARLOUR_SERVICE_PORT_HTTP", "3000"),
            ("PARLOUR_SERVICE_PORT_WEB_2", "3000"),
            ("PARLOUR_PORT", "tcp://10.0.0.7:3000"),
            ("PARLOUR_PORT", "udp://[fd00::7]:3000"),
            ("PARLOUR_PORT_3000_TCP", "tcp://10.0.0.7:3000"),
            ("PARLOUR_PORT_3000_TCP_PROTO", "tcp"),
            ("PARLOUR_PORT_53_UDP_PORT", "53"),
            ("PARLOUR_PORT_9_SCTP_ADDR", "10.0.0.7"),
            ("PARLOUR_WEB_PORT_3000_TCP", "tcp://10.0.0.7:3000"),
            ("PARLOUR_DATA_SERVICE_HOST", "10.0.0.7"),
            ("PARLOUR_COLOUR", ""),
            ("PARLOUR_TOKEN", "plr_abc"),
        ] {
            assert!(reject_unknown(variables(&[(name, value)])).is_ok(), "{name}");
        }
        for (name, value) in [
            ("PARLOUR_PORT", "3000"),
            ("PARLOUR_PORT_3000", "tcp://10.0.0.7:3000"),
            ("PARLOUR_PORT_X_TCP", "x"),
            ("PARLOUR_PORT_3000_TCP_COLOUR", "x"),
            ("PARLOUR_HOST", "10.0.0.7"),
            ("PARLOUR_SERVICE", "x"),
            ("PARLOUR_COLOUR", "red"),
        ] {
            let error = reject_unknown(variables(&[(name, value)])).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn leptos_reads_variables_over_its_file_unless_they_are_empty() {
        let file = "[package.metadata.leptos]\nsite-addr = '127.0.0.1:4000'\nreload-port = 7";
        let read = |file, given: &[(&str, &str)]| leptos_options(file, variables(given)).unwrap();
        let options =
            read(Some(file), &[("LEPTOS_SITE_ADDR", ""), ("LEPTOS_RELOAD_PORT", "8"), ("LEPTOS_ENV", "prod")]);
        assert_eq!((options.site_addr.port(), options.reload_port), (4000, 8));
        assert_eq!(&*options.output_name, "parlour");
        let options = read(None, &[("LEPTOS_SITE_ADDR", "[::1]:80"), ("LEPTOS_RELOAD_WS_PROTOCOL", "wss")]);
        assert_eq!((options.site_addr.port(), &*options.site_root), (80, SITE_ROOT));
        assert!(leptos_options(None, variables(&[("LEPTOS_ENV", "elsewhere")])).is_err());
    }
}
