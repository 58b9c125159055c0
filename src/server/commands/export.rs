//! `parlour export` and `parlour erase`: all messages of a room, or everything one identity has written.

use super::export_writer::{ExportWriter, Format};
use super::message_ref::MessageRef;
use super::output::print_line;
use super::{CommandResult, OutputError, notify_nodes, parse_room};
use crate::server::auth::identity::AuthorId;
use crate::server::config::Config;
use crate::server::store::{RoomRecord, Store};
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// The messages to export, and the format.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Export {
    /// The room, or its link
    #[arg(required_unless_present = "author_of", conflicts_with = "author_of")]
    room: Option<String>,
    /// Export everything by the author of this message instead: ROOM/NUMBER, or its link
    #[arg(long, value_name = "MESSAGE")]
    author_of: Option<MessageRef>,
    /// The output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// A new file, readable by its owner only [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Exports a room, or all messages by one author.
///
/// # Errors
///
/// Returns an error if the room or the message does not exist, or if the export cannot be written.
pub(super) async fn export(config: &Config, export: &Export) -> CommandResult {
    let store = Store::open_beside(&config.database_url).await?;
    let (title, author, rooms) = match (&export.room, &export.author_of) {
        (Some(room), _) => {
            let name = parse_room(room)?;
            let RoomRecord { room, .. } =
                store.room(&name).await?.ok_or_else(|| format!("export: there is no room {name}"))?;
            (name.to_string(), None, vec![(room.id, name)])
        }
        (None, Some(message)) => {
            let author = author_of(&store, message).await?;
            (format!("Everything by {}", author.tag().as_str()), Some(author), store.rooms_of(&author).await?)
        }
        (None, None) => return Err("export: no room was given".into()),
    };
    let failed = |error: io::Error| -> Box<dyn std::error::Error> {
        match &export.output {
            Some(file) => format!("export: {}: {error}", file.display()).into(),
            None => OutputError::from(error).into(),
        }
    };
    let sink: Box<dyn Write> = match &export.output {
        Some(file) => {
            let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
            Box::new(opened.map_err(failed)?)
        }
        None => Box::new(std::io::stdout()),
    };
    let mut pages = ExportWriter::begin(export.format, BufWriter::new(sink), &title).map_err(failed)?;
    for (room_id, name) in rooms {
        let found = store.room(&name).await?.filter(|found| found.room.id == room_id);
        let (title, topic) = store.description(room_id, author.as_ref()).await?;
        pages.room(&name, title.as_deref(), topic.as_deref()).map_err(failed)?;
        let mut after = 0;
        loop {
            let (mut messages, more) = store.export_page(room_id, author.as_ref(), after).await?;
            if let Some(found) = &found {
                store.annotate(found, &mut messages).await?;
            }
            for message in &messages {
                pages.message(message).map_err(failed)?;
            }
            match more {
                Some(seq) => after = seq,
                None => break,
            }
        }
    }
    pages.end().map_err(failed)?;
    Ok(store.close().await?)
}

/// Deletes all messages by the author of `message`. Without `yes`, only reports what it would delete.
///
/// # Errors
///
/// Returns an error if the message does not exist, or if the database cannot be written.
pub(super) async fn erase(config: &Config, message: &MessageRef, yes: bool) -> CommandResult {
    let store = Store::open_beside(&config.database_url).await?;
    let author = author_of(&store, message).await?;
    if yes {
        let removed = store.erase(&author).await?;
        notify_nodes(config, &store).await;
        print_line(format_args!("parlour: permanently deleted {removed} messages by {}", author.tag().as_str()))?;
    } else {
        let rooms = store.rooms_of(&author).await?;
        let names: Vec<&str> = rooms.iter().map(|(_, name)| name.as_str()).collect();
        print_line(format_args!(
            "parlour: this would permanently delete everything by {} in {}; add --yes to delete",
            author.tag().as_str(),
            names.join(", ")
        ))?;
    }
    Ok(store.close().await?)
}

async fn author_of(
    store: &Store,
    MessageRef { room, seq }: &MessageRef,
) -> Result<AuthorId, Box<dyn std::error::Error>> {
    let author = store.author_of(room, *seq).await?;
    Ok(author.ok_or_else(|| format!("author-of: the room {room} has no message {seq}"))?)
}
