//! `parlour rooms` and `parlour delete`: lists all rooms, and deletes one.

use super::output::print_line;
use super::{CommandResult, OutputError, notify_nodes, parse_room};
use crate::server::config::Config;
use crate::server::store::{RetentionPolicy, RoomSummary, Store};
use crate::server::text_escape::escaped;
use serde_json::json;
use std::io::{BufWriter, Write};

/// Prints all rooms, as a table or as JSON.
///
/// # Errors
///
/// Returns an error if the database cannot be read, or the output cannot be written.
pub(super) async fn list(config: &Config, as_json: bool) -> CommandResult {
    let store = Store::open_beside(&config.database_url).await?;
    let mut sink = BufWriter::new(std::io::stdout());
    if !as_json {
        writeln!(sink, "{:>9} {:>9}  {:<20}  {:<5}  ROOM", "NEWEST", "KEPT", "LAST", "OWNER")
            .map_err(OutputError::from)?;
    }
    let mut after = i64::MIN;
    loop {
        let rooms = store.list_rooms(after).await?;
        let Some(last) = rooms.last() else { break };
        after = last.id;
        for room in &rooms {
            let line = if as_json { object(room) } else { escaped(&line(room)).into_owned() };
            writeln!(sink, "{line}").map_err(OutputError::from)?;
        }
    }
    sink.flush().map_err(OutputError::from)?;
    Ok(store.close().await?)
}

fn line(room: &RoomSummary) -> String {
    let last = room.last_at.map_or_else(|| "-".to_owned(), |last| last.rfc3339()[..16].replace('T', " ") + " UTC");
    let owner = room.owner.as_ref().map_or("-", |owner| owner.as_str());
    let mut notes = Vec::new();
    if room.name.is_private() {
        notes.push("private".to_owned());
    }
    if room.locked {
        notes.push("locked".to_owned());
    }
    if room.slow_mode > 0 {
        notes.push(format!("slow: {} s", room.slow_mode));
    }
    match room.keep {
        RetentionPolicy::Default => {}
        RetentionPolicy::Forever => notes.push("kept forever".to_owned()),
        RetentionPolicy::Days(days) => notes.push(format!("kept {days} days")),
    }
    if let Some(days) = room.retention {
        notes.push(format!("its owner keeps {days} days"));
    }
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
    format!("{:>9} {:>9}  {last:<20}  {owner:<5}  {}{notes}", room.head, room.events, room.name)
}

fn object(room: &RoomSummary) -> String {
    let keep = match room.keep {
        RetentionPolicy::Default => json!(null),
        RetentionPolicy::Forever => json!("forever"),
        RetentionPolicy::Days(days) => json!(days),
    };
    json!({
        "room_name": room.name,
        "private": room.name.is_private(),
        "head": room.head,
        "events": room.events,
        "last_at": room.last_at,
        "owner": room.owner,
        "locked": room.locked,
        "slow_mode": room.slow_mode,
        "keep_days": keep,
        "owner_keep_days": room.retention,
        "title": room.title,
        "topic": room.topic,
    })
    .to_string()
}

/// Deletes a room. Without `yes`, only reports what it would delete.
///
/// # Errors
///
/// Returns an error if there is no such room, or if the database cannot be written.
pub(super) async fn delete(config: &Config, room: &str, yes: bool) -> CommandResult {
    let name = parse_room(room)?;
    let store = Store::open_beside(&config.database_url).await?;
    let found = store.room(&name).await?.ok_or_else(|| format!("delete: there is no room {name}"))?;
    if yes {
        store.delete_room(found.room.id).await?;
        notify_nodes(config, &store).await;
        print_line(format_args!("parlour: deleted {name} and everything in it"))?;
    } else {
        print_line(format_args!(
            "parlour: this would delete {name} and everything in it, up to number {}; add --yes to delete",
            found.head
        ))?;
    }
    Ok(store.close().await?)
}
