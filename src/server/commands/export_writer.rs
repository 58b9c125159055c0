//! Writes exported messages as a stream: a self-contained HTML page, JSON, or plain text.

use crate::domain::{Message, RoomName};
use crate::server::text_escape::{escaped, escaped_lines};
use html_escape::{encode_double_quoted_attribute, encode_text};
use serde_json::json;
use std::io::{self, Write};

/// The format of exported messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a terminal
    Text,
    /// For a browser: one self-contained file
    Html,
    /// For programs
    Json,
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;\
color:#1b1b1f;background:#fff}ol{list-style:none;padding:0}li{margin:0 0 1rem}\
small,time{color:#62626b;font-size:.85rem}p{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}\
@media(prefers-color-scheme:dark){body{color:#e6e6ea;background:#151518}small,time{color:#9a9aa5}}";

/// An export in progress.
pub(super) struct ExportWriter<W: Write> {
    format: Format,
    sink: W,
    /// Whether a room was begun, and a message in it.
    room: bool,
    message: bool,
}

impl<W: Write> ExportWriter<W> {
    /// Begins an export with this title.
    ///
    /// # Errors
    ///
    /// Returns an error if the sink cannot be written.
    pub(super) fn begin(format: Format, mut sink: W, title: &str) -> io::Result<Self> {
        match format {
            Format::Text => {}
            Format::Html => {
                let title = encode_text(title);
                write!(
                    sink,
                    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
                     <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
                     <style>{STYLE}</style>\n<h1>{title}</h1>\n"
                )?;
            }
            Format::Json => write!(sink, "{{\"rooms\":[")?,
        }
        Ok(Self { format, sink, room: false, message: false })
    }

    /// Begins a room, with its title and topic as far as it has them.
    ///
    /// # Errors
    ///
    /// Returns an error if the sink cannot be written.
    pub(super) fn room(&mut self, name: &RoomName, title: Option<&str>, topic: Option<&str>) -> io::Result<()> {
        self.end_room()?;
        match self.format {
            Format::Text => {
                writeln!(self.sink, "# {}\n", escaped(name.as_str()))?;
                for (label, text) in [("Title", title), ("Topic", topic)] {
                    if let Some(text) = text {
                        writeln!(self.sink, "{label}: {}\n", escaped(text))?;
                    }
                }
            }
            Format::Html => {
                writeln!(self.sink, "<h2>{}</h2>", encode_text(name.as_str()))?;
                for (label, text) in [("Title", title), ("Topic", topic)] {
                    if let Some(text) = text {
                        writeln!(self.sink, "<p>{label}: {}</p>", encode_text(text))?;
                    }
                }
                writeln!(self.sink, "<ol>")?;
            }
            Format::Json => {
                let comma = if self.room { "," } else { "" };
                write!(self.sink, "{comma}\n{{\"room_name\":{},", json!(name))?;
                for (label, text) in [("title", title), ("topic", topic)] {
                    if let Some(text) = text {
                        write!(self.sink, "\"{label}\":{},", json!(text))?;
                    }
                }
                write!(self.sink, "\"messages\":[")?;
            }
        }
        (self.room, self.message) = (true, false);
        Ok(())
    }

    /// Writes a message of the room.
    ///
    /// # Errors
    ///
    /// Returns an error if the sink cannot be written.
    pub(super) fn message(&mut self, message: &Message) -> io::Result<()> {
        let Message { seq, username, tag, text, sent_at, edited, reply_to, mentions, reactions, pinned, .. } = message;
        let counts: Vec<String> = reactions.iter().map(|it| format!("{} {}", it.emoji.as_str(), it.count)).collect();
        let marks = if *pinned { std::iter::once("pinned".to_owned()).chain(counts).collect() } else { counts };
        let (day, time, exact) = (sent_at.day_utc(), sent_at.time_utc(), sent_at.rfc3339());
        let tag = tag.as_str();
        let comma = if self.message { "," } else { "" };
        self.message = true;
        match self.format {
            Format::Text => {
                let edited = if *edited { " (edited)" } else { "" };
                let reply = reply_to.map(|seq| format!(" in reply to #{seq}")).unwrap_or_default();
                // Continuation lines are indented, so that no text can pass for another message. Control characters are
                // escaped, so that none reaches a terminal.
                let (username, text) = (escaped(username.as_str()), escaped_lines(text));
                let marks = if marks.is_empty() { String::new() } else { format!("    ({})\n", marks.join(", ")) };
                let text = text.replace('\n', "\n    ");
                writeln!(self.sink, "{exact} {username} [{tag}] #{seq}{reply}{edited}\n    {text}\n{marks}")
            }
            Format::Html => {
                let (name, edited) = (encode_text(username.as_str()), if *edited { " (edited)" } else { "" });
                let reply = reply_to.map(|seq| format!(" in reply to #{seq}")).unwrap_or_default();
                let exact = encode_double_quoted_attribute(&exact);
                writeln!(
                    self.sink,
                    "<li><b>{name}</b> <small>{tag} #{seq}{reply}</small> \
                     <time datetime=\"{exact}\">{day}, {time} UTC{edited}</time>\n<p>{}</p>{}",
                    encode_text(text),
                    if marks.is_empty() { String::new() } else { format!("\n<small>{}</small>", marks.join(" · ")) }
                )
            }
            Format::Json => {
                let mut message = json!({
                    "seq": seq, "sent_at": sent_at, "username": username, "tag": tag, "edited": edited, "message": text,
                });
                if let Some(reply_to) = reply_to {
                    message["reply_to"] = json!(reply_to);
                }
                if !mentions.is_empty() {
                    message["mentions"] = json!(mentions);
                }
                if !reactions.is_empty() {
                    message["reactions"] = json!(reactions);
                }
                if *pinned {
                    message["pinned"] = json!(true);
                }
                write!(self.sink, "{comma}\n{message}")
            }
        }
    }

    /// Finishes the file, and flushes it.
    ///
    /// # Errors
    ///
    /// Returns an error if the sink cannot be written.
    pub(super) fn end(mut self) -> io::Result<()> {
        self.end_room()?;
        if self.format == Format::Json {
            writeln!(self.sink, "\n]}}")?;
        }
        self.sink.flush()
    }

    fn end_room(&mut self) -> io::Result<()> {
        match self.format {
            Format::Html if self.room => writeln!(self.sink, "</ol>"),
            Format::Json if self.room => write!(self.sink, "\n]}}"),
            _ => Ok(()),
        }
    }
}
