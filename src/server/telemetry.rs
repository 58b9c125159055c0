//! Logs: what is written, and how.

use super::config::LogFormat;
use std::fmt::Write as _;
use std::io::{self, Write};
use tracing_subscriber::EnvFilter;

/// What is written without `RUST_LOG`.
const USUALLY: &str = "info,sqlx=warn,sea_orm_migration=warn";

/// Starts to log to standard error. `RUST_LOG` chooses what; an error if it cannot be understood.
pub fn start(format: LogFormat) -> Result<(), String> {
    let chosen = std::env::var_os("RUST_LOG").map(|chosen| chosen.to_string_lossy().into_owned());
    let chosen = chosen.unwrap_or_else(|| USUALLY.to_owned());
    let filter = EnvFilter::try_new(&chosen).map_err(|error| format!("RUST_LOG: {chosen}: {error}"))?;
    let writer = || Escaped(io::stderr());
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(writer);
    match format {
        LogFormat::Text => logs.init(),
        LogFormat::Json => logs.json().flatten_event(true).init(),
    }
    Ok(())
}

/// Writes whole entries, each as one line: what visitors send is in some of them, and must not end a line, colour it, or
/// turn it round.
struct Escaped<W>(W);

impl<W: Write> Write for Escaped<W> {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        self.0.write_all(escape(&String::from_utf8_lossy(entry)).as_bytes())?;
        Ok(entry.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The entry with what is no plain character as `\uNNNN`, which is good in JSON too.
fn escape(entry: &str) -> String {
    let (entry, end) = entry.strip_suffix('\n').map_or((entry, ""), |entry| (entry, "\n"));
    let mut line = String::with_capacity(entry.len() + 1);
    for c in entry.chars() {
        if is_stray(c) {
            write!(line, "\\u{:04x}", u32::from(c)).expect("writing to a String");
        } else {
            line.push(c);
        }
    }
    line + end
}

/// Control characters, line and paragraph separators, and what changes the direction of text.
fn is_stray(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_one_line_of_plain_characters() {
        let mut written = Vec::new();
        let entry = "GET /a\r\nFAKE \u{1b}[31m\u{9b}2J \u{202e}é\u{2028}\t😀\n";
        Escaped(&mut written).write_all(entry.as_bytes()).unwrap();
        let line = "GET /a\\u000d\\u000aFAKE \\u001b[31m\\u009b2J \\u202eé\\u2028\\u0009😀\n";
        assert_eq!(String::from_utf8(written).unwrap(), line);
    }
}
