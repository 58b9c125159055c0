//! Parlour's own part of the file: the table `[parlour]`. A similar table in another place is an error, because it
//! would otherwise be overlooked.

use super::settings::Settings;
use super::{ConfigError, FILE};
use serde::Deserialize;
use toml::{Table, Value};

/// Parlour's own table. The others belong to Leptos, which reads them itself.
const TABLE: &str = "parlour";

/// Prefix of names that are meant to be Parlour's table.
const TABLE_PREFIX: &str = "parl";

/// Name of the address to listen on, and the table of Leptos that has it.
const SITE_ADDR: &str = "site-addr";
const LEPTOS_TABLE: [&str; 3] = ["package", "metadata", "leptos"];

#[derive(Default, Deserialize)]
struct File {
    #[serde(default)]
    parlour: Settings,
}

/// Returns the settings in this text.
///
/// # Errors
///
/// Returns an error that names the line, but does not repeat it, because it may contain a password.
pub(super) fn settings(text: &str) -> Result<Settings, ConfigError> {
    let wrong = |error: toml::de::Error| ConfigError(format!("{FILE}: {}", without_source(text, &error)));
    let all: Table = toml::from_str(text).map_err(wrong)?;
    let wrong_place = |addr: &str| {
        let place = "use site-addr in the table [package.metadata.leptos]";
        ConfigError(format!("{FILE}: {addr} is in the wrong place: {place}"))
    };
    if let Some(addr) = misplaced_addr(&all, &mut Vec::new()) {
        return Err(wrong_place(addr));
    }
    for (name, value) in &all {
        let table = value.as_table();
        if name != TABLE && name.to_lowercase().starts_with(TABLE_PREFIX) {
            return Err(ConfigError(format!("{FILE}: {name} is not a table of Parlour; its table is [{TABLE}]")));
        }
        if name == TABLE && table.is_none() {
            return Err(ConfigError(format!("{FILE}: {name} is not a table; put settings below [{TABLE}]")));
        }
        if name == "addr" || table.is_some_and(|table| name != "package" && table.contains_key("addr")) {
            return Err(wrong_place("addr"));
        }
        let inside = table.filter(|_| name != TABLE).into_iter().flat_map(Table::keys);
        let leptos = table.filter(|_| name == "package").and_then(leptos).into_iter().flat_map(Table::keys);
        if let Some(setting) = std::iter::once(name).chain(inside).chain(leptos).find(|name| is_setting(name)) {
            return Err(ConfigError(format!("{FILE}: {setting} must be in the table [{TABLE}]")));
        }
    }
    Ok(toml::from_str::<File>(text).map_err(wrong)?.parlour)
}

/// Returns the message and the line of an error. The error's own text repeats the line, which may contain a password.
fn without_source(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or_else(String::new, |before| format!("line {}: ", before.matches('\n').count() + 1));
    format!("{line}{}", error.message())
}

/// Returns the first key, at any depth, that means the address to listen on and is not where Leptos reads it. `path` leads
/// to the table.
fn misplaced_addr<'a>(table: &'a Table, path: &mut Vec<&'a str>) -> Option<&'a str> {
    table.iter().find_map(|(name, value)| {
        let is_addr = name.to_lowercase().replace('_', "-") == SITE_ADDR;
        if is_addr && !(name == SITE_ADDR && *path == LEPTOS_TABLE) {
            return Some(name.as_str());
        }
        let lists = value.as_array().into_iter().flatten();
        path.push(name);
        let found =
            std::iter::once(value).chain(lists).filter_map(Value::as_table).find_map(|t| misplaced_addr(t, path));
        path.pop();
        found
    })
}

fn leptos(package: &Table) -> Option<&Table> {
    package.get("metadata")?.get("leptos").and_then(Value::as_table)
}

fn is_setting(name: &str) -> bool {
    Settings::arguments()
        .get_arguments()
        .any(|argument| argument.get_env().is_some() && argument.get_long() == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        settings(text).err().unwrap_or_else(|| panic!("{text}")).to_string()
    }

    #[test]
    fn a_setting_outside_its_table_is_named() {
        for (text, name) in [
            ("[parlor]\nlimits = 'off'", "parlor"),
            ("[Parlour]", "Parlour"),
            ("limits = 'off'\n[parlour]\ndata = 'x'", "limits"),
            ("[chat]\ndatabase-url = 'x'", "database-url"),
            ("[package.metadata.leptos]\nsite-addr = 'x'\nredis-url = 'x'", "redis-url"),
            ("[parlour]\ncolour = 'red'", "colour"),
            ("parlour = 7", "parlour"),
            ("site-addr = '127.0.0.1:80'", "site-addr"),
            ("[parlour]\nsite-addr = '127.0.0.1:80'", "site-addr"),
            ("[package]\nsite-addr = '127.0.0.1:80'", "site-addr"),
            ("[package.metadata]\nsite-addr = '127.0.0.1:80'", "site-addr"),
            ("[package.metadata.leptos]\nsite_addr = '127.0.0.1:80'", "site_addr"),
            ("[[workspace.metadata.leptos]]\nsite-addr = '127.0.0.1:80'", "site-addr"),
            ("Site-Addr = '127.0.0.1:80'", "Site-Addr"),
            ("[parlour]\nsite_addr = '127.0.0.1:80'", "package.metadata.leptos"),
            ("[parlour]\naddr = '127.0.0.1:80'", "package.metadata.leptos"),
            ("[server]\naddr = '127.0.0.1:80'", "package.metadata.leptos"),
        ] {
            let error = error(text);
            assert!(error.contains(name) && error.contains(FILE), "{text}: {error}");
        }
    }

    #[test]
    fn an_error_names_the_line_and_does_not_repeat_it() {
        for text in [
            "[parlour]\nredis-url = redis://:hush@x",
            "[parlour]\nredis-url = 'redis://:hush@x",
            "[parlour]\nredis-url = ['hush']",
        ] {
            let error = error(text);
            assert!(error.contains("line 2") && !error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn tables_of_other_programs_are_ignored() {
        let text = "other = 1\n[package]\nname = 'x'\n[package.metadata.leptos]\nsite-addr = 'x'\n[tool.x]\nlimits = 1\n\
                    [parlour]\ndata = 'y'";
        assert_eq!(settings(text).unwrap().data, Some("y".into()));
        assert!(settings("").unwrap().data.is_none());
    }
}
