//! Parses the command line: settings and a command.

use super::commands::Command;
use super::config::{self, Config, ConfigError, Settings, redacted};
use super::telemetry::logging;
use clap::{CommandFactory, FromArgMatches, Parser};

/// Parlour: a chat that people enter by link. Without settings it serves http://127.0.0.1:3000 and stores everything in
/// ./data.
#[derive(Parser)]
#[command(
    name = "parlour",
    version,
    after_help = "Settings can also be in the environment or in ./Leptos.toml. Flags override the environment, which overrides the file."
)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    _settings: Settings,
}

/// Reads the command line, the environment and the file. Like clap, prints and exits for `--help` and for an invalid
/// flag or value.
///
/// # Errors
///
/// Returns an error that names the invalid setting.
pub fn read() -> Result<(Command, Config), ConfigError> {
    let command_line = config::without_empty(CommandLine::command());
    let matches = command_line.try_get_matches().unwrap_or_else(|error| refuse(&error));
    let CommandLine { command, .. } = CommandLine::from_arg_matches(&matches).unwrap_or_else(|error| refuse(&error));
    Ok((command.unwrap_or(Command::Serve), config::read(&matches)?))
}

/// Reads everything again while the server runs. The process still has the command line and the environment of its
/// start; the file may have changed.
///
/// # Errors
///
/// Returns an error that names the invalid setting.
pub(crate) fn read_again() -> Result<Config, ConfigError> {
    let command_line = config::without_empty(CommandLine::command());
    // The process was started with these arguments, so they are valid.
    let matches = command_line.try_get_matches().unwrap_or_else(|error| refuse(&error));
    config::read(&matches)
}

/// Exits like clap, but redacts URLs: a URL in the wrong place on the command line may contain a password. Writes an object
/// if the log is JSON.
fn refuse(error: &clap::Error) -> ! {
    if !error.use_stderr() {
        error.exit();
    }
    let arguments: Vec<String> = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let values = arguments.iter().filter_map(|argument| argument.split_once('=')).map(|(_, value)| value);
    let urls = arguments.iter().map(String::as_str).chain(values).skip(1);
    let urls: Vec<&str> = urls.filter(|text| text.contains('@') || text.contains("://")).collect();
    let text = error.to_string();
    let repeats_url = urls.iter().any(|url| text.contains(*url));
    let shown = urls.iter().fold(text, |text, url| text.replace(*url, &redacted(url)));
    if logging::is_json() {
        logging::report_failure(&shown.trim_start_matches("error: ").trim_end(), false);
    } else if repeats_url {
        let _ = std::io::Write::write_all(&mut std::io::stderr(), shown.as_bytes());
    } else {
        error.exit();
    }
    std::process::exit(error.exit_code())
}
