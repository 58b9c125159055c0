//! Standard output of a command. A closed reader ends the command, without a panic or a message.

use crate::server::text_escape::escaped_lines;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Error of writing to standard output.
#[derive(Debug, thiserror::Error)]
#[error("standard output: {0}")]
pub struct OutputError(#[from] io::Error);

impl OutputError {
    /// Returns whether the reader has closed its end, as `head` does after its last line.
    pub fn is_closed(&self) -> bool {
        self.0.kind() == ErrorKind::BrokenPipe
    }
}

/// Writes `text` and a line feed, with control characters escaped: a terminal may be reading.
///
/// # Errors
///
/// Returns an error if the output cannot be written, as when its reader has ended.
pub(super) fn print_line(text: impl Display) -> Result<(), OutputError> {
    let mut output = io::stdout().lock();
    writeln!(output, "{}", escaped_lines(&text.to_string()))?;
    Ok(output.flush()?)
}
