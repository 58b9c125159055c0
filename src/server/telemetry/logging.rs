//! Logs: filter, format and output. Logging never waits and never fails: see `queue.rs`.

mod queue;

use crate::domain::timestamp::Timestamp;
use crate::server::config::LogFormat;
use crate::server::text_escape::{escaped, escaped_lines};
use queue::LogQueue;
use serde_json::json;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::PanicHookInfo;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;
use tracing_subscriber::reload::Handle;

/// The default filter.
const DEFAULT_FILTER: &str = "info,sqlx=warn,sea_orm_migration=warn";

/// sqlx logs unknown parameters of a database URL with their values: passwords may be among them.
const NEVER: &str = "sqlx_postgres::options=off";

/// Maximum time to write the remaining log when the process ends.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

type FilterSetter = Box<dyn Fn(EnvFilter) -> Result<(), String> + Send + Sync>;

/// Function that replaces the filter of the log, once it has been started.
static FILTER: OnceLock<FilterSetter> = OnceLock::new();

/// Whether the log is JSON.
static AS_JSON: AtomicBool = AtomicBool::new(false);

/// The log on standard error, once it has been started.
static LOG: OnceLock<LogQueue> = OnceLock::new();

/// Starts to log to standard error, including panics. `filter` selects the entries.
///
/// # Errors
///
/// Returns an error if `filter` is malformed.
pub fn start(format: LogFormat, filter: Option<&str>) -> Result<(), String> {
    let filter = parse_filter(filter)?;
    let queue = LOG.get_or_init(|| LogQueue::start(own(io::stderr().as_fd()), report_lost));
    let writer = move || EscapingWriter(queue.clone());
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).log_internal_errors(false);
    let logs = logs.with_writer(writer);
    match format {
        LogFormat::Text => {
            let logs = logs.with_filter_reloading();
            let _ = FILTER.set(Box::new(set_by(logs.reload_handle())));
            logs.init();
        }
        LogFormat::Json => {
            let logs = logs.json().flatten_event(true).with_filter_reloading();
            let _ = FILTER.set(Box::new(set_by(logs.reload_handle())));
            logs.init();
            AS_JSON.store(true, Ordering::Relaxed);
        }
    }
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Replaces the log filter.
///
/// # Errors
///
/// Returns an error, and changes nothing, if the filter is malformed.
pub(crate) fn set_filter(filter: Option<&str>) -> Result<(), String> {
    let filter = parse_filter(filter)?;
    FILTER.get().map_or(Ok(()), |set| set(filter))
}

fn parse_filter(chosen: Option<&str>) -> Result<EnvFilter, String> {
    let chosen = chosen.unwrap_or(DEFAULT_FILTER);
    let wrong = |error: &dyn std::fmt::Display| format!("log-filter (RUST_LOG): {chosen}: {error}");
    let filter = EnvFilter::try_new(chosen).map_err(|error| wrong(&error))?;
    Ok(filter.add_directive(NEVER.parse::<Directive>().map_err(|error| wrong(&error))?))
}

fn set_by<S>(handle: Handle<EnvFilter, S>) -> impl Fn(EnvFilter) -> Result<(), String> {
    move |filter| handle.reload(filter).map_err(|error| error.to_string())
}

/// Waits until the log is written, for at most a second. Called at the end of the process.
pub fn flush() {
    if let Some(queue) = LOG.get() {
        queue.flush(FLUSH_TIMEOUT);
    }
}

/// Flushes the log when it is dropped.
pub struct FlushOnDrop;

impl Drop for FlushOnDrop {
    fn drop(&mut self) {
        flush();
    }
}

/// Writes the error that ends the process to standard error. A server does not wait for a reader.
pub fn report_failure(error: &dyn std::fmt::Display, is_server: bool) {
    let line = match is_json() {
        true => json_line("ERROR", &error.to_string()),
        false => format!("parlour: {}\n", escaped_lines(&error.to_string())),
    };
    match LOG.get().filter(|_| is_server) {
        Some(queue) => queue.push(line.as_bytes()),
        None => {
            let _ = io::stderr().write_all(line.as_bytes());
        }
    }
}

/// Writes a line to standard output without waiting, even if standard output is blocked.
pub(crate) fn announce(line: &str) {
    let line = match is_json() {
        true => json_line("INFO", line),
        false => format!("{}\n", escaped(line)),
    };
    let mut output = own(io::stdout().as_fd());
    let _ = std::thread::Builder::new().name("announcement".to_owned()).spawn(move || {
        let _ = output.write_all(line.as_bytes());
    });
}

/// Makes other output of this process JSON too, before [`start`] is called.
pub fn assume_format(format: LogFormat) {
    AS_JSON.store(format == LogFormat::Json, Ordering::Relaxed);
}

/// Returns whether the log, and everything else that this process writes, is JSON.
pub(crate) fn is_json() -> bool {
    AS_JSON.load(Ordering::Relaxed)
}

/// Returns a line in the format of the JSON log, with the version of this executable.
fn json_line(level: &str, message: &str) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let timestamp = Timestamp(since.as_millis() as i64).rfc3339();
    let line = json!({
        "timestamp": timestamp,
        "level": level,
        "message": message,
        "target": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
    });
    format!("{line}\n")
}

/// Returns a separate handle, which does not wait for the lock of the standard one.
fn own(fd: BorrowedFd<'_>) -> Box<dyn Write + Send> {
    match fd.try_clone_to_owned() {
        Ok(fd) => Box::new(File::from(fd)),
        Err(_) => Box::new(io::sink()),
    }
}

fn report_lost(entries: u64) {
    tracing::warn!(entries, "Log entries were lost because standard error was blocked");
}

/// Logs a panic. The default hook would wait for a reader of standard error.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    let message = panic.payload_as_str().unwrap_or("no message");
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    let thread = std::thread::current();
    tracing::error!(location, thread = thread.name(), backtrace, "panicked: {message}");
}

/// Writer of whole entries, each as one line. Some entries contain visitors' text, which must not end a line, color it,
/// or change its direction.
struct EscapingWriter<W>(W);

impl<W: Write> Write for EscapingWriter<W> {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(entry);
        let (line, end) = text.strip_suffix('\n').map_or((&*text, ""), |line| (line, "\n"));
        self.0.write_all(format!("{}{end}", escaped(line)).as_bytes())?;
        Ok(entry.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_one_line_of_plain_characters() {
        let mut written = Vec::new();
        let entry = "GET /a\r\nFAKE \u{1b}[31m\u{9b}2J \u{202e}é\u{2028}\t😀\n";
        EscapingWriter(&mut written).write_all(entry.as_bytes()).unwrap();
        let line = "GET /a\\u000d\\u000aFAKE \\u001b[31m\\u009b2J \\u202eé\\u2028\\u0009😀\n";
        assert_eq!(String::from_utf8(written).unwrap(), line);
    }
}
