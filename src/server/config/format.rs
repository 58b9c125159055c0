//! The format of the log before the settings are read, for an error of reading them.

use super::{FILE, LogFormat};
use clap::ValueEnum;
use std::ffi::OsString;

const FLAG: &str = "--log-format";
const VARIABLE: &str = "PARLOUR_LOG_FORMAT";

/// Name of the setting in the file.
const SETTING: &str = "log-format";

/// Returns the format of the log, as far as the command line, the environment and the file tell before they are read.
pub fn log_format_of_arguments() -> LogFormat {
    let file = || std::fs::read_to_string(FILE).unwrap_or_default();
    guess(&std::env::args_os().collect::<Vec<_>>(), std::env::var_os(VARIABLE), file).unwrap_or_default()
}

/// Returns the format that the first of them names: the flag, the variable, the file. A file that is not TOML has lines,
/// too.
fn guess(arguments: &[OsString], variable: Option<OsString>, file: impl FnOnce() -> String) -> Option<LogFormat> {
    let arguments: Vec<&str> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    let parse = |value: &str| LogFormat::from_str(value, false).ok();
    let apart = arguments.windows(2).find(|pair| pair[0] == FLAG).map(|pair| pair[1]);
    let joined = || arguments.iter().find_map(|argument| argument.strip_prefix(FLAG)?.strip_prefix('='));
    let in_file = || {
        let text = file();
        let mut values = text.lines().filter_map(|line| line.trim().strip_prefix(SETTING)?.trim().strip_prefix('='));
        values.find_map(|value| parse(value.trim().trim_matches(['"', '\''])))
    };
    let flag = apart.or_else(joined).and_then(parse);
    flag.or_else(|| variable.as_deref().and_then(|value| value.to_str()).and_then(parse)).or_else(in_file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_wins_then_the_variable_then_the_file() {
        let of = |arguments: &[&str], variable: Option<&str>, file: &str| {
            let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
            guess(&arguments, variable.map(OsString::from), || file.to_owned())
        };
        let (text, json) = (Some(LogFormat::Text), Some(LogFormat::Json));
        assert_eq!(of(&["parlour", "--log-format", "json", "--nope"], None, ""), json);
        assert_eq!(of(&["parlour", "--log-format=text"], Some("json"), "log-format = 'json'"), text);
        assert_eq!(of(&["parlour", "--nope"], Some("json"), "log-format = 'text'"), json);
        assert_eq!(of(&["parlour"], Some(""), "this is not TOML\n log-format=\"json\""), json);
        assert_eq!(of(&["parlour", "--log-format"], Some("yaml"), "# log-format = 'json'"), None);
    }
}
