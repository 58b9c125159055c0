//! `parlour hook`: creates, lists and ends the webhooks of rooms, beside a serving node.

use super::output::print_line;
use super::{CommandResult, OutputError, parse_room};
use crate::domain::{RoomName, Timestamp};
use crate::server::chat::hooks::{create_incoming, create_outgoing};
use crate::server::config::Config;
use crate::server::store::{HookDirection, HookSummary, Store};
use crate::server::text_escape::escaped;
use clap::Subcommand;
use serde_json::json;
use std::io::{BufWriter, Write};

/// A command on webhooks.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum HookCommand {
    /// Create an incoming webhook, or an outgoing one with --to; prints its address or its secret, once
    Create {
        /// The room, or its link
        room: String,
        /// The name under which an incoming webhook posts; a label for an outgoing one
        name: String,
        /// The URL to which the room's events are posted
        #[arg(long, value_name = "URL")]
        to: Option<String>,
    },
    /// List the webhooks of a room, or of all
    List {
        /// The room, or its link
        room: Option<String>,
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// End a webhook
    Revoke {
        /// The id, as it was printed
        id: String,
    },
}

/// Runs a command on webhooks.
///
/// # Errors
///
/// Returns an error if there is no such room or webhook, if the name or the URL is invalid, or if the database cannot be
/// written.
pub(super) async fn run(config: &Config, command: &HookCommand) -> CommandResult {
    match command {
        HookCommand::Create { room, name, to } => create(config, room, name, to.as_deref()).await,
        HookCommand::List { room, json } => list(config, room.as_deref(), *json).await,
        HookCommand::Revoke { id } => revoke(config, id).await,
    }
}

async fn create(config: &Config, room: &str, name: &str, to: Option<&str>) -> CommandResult {
    let (room, store) = (parse_room(room)?, Store::open_beside(&config.database_url).await?);
    let room_id = room_id(&store, &room).await?;
    match to {
        None => {
            let hook = create_incoming(&store, room_id, name).await.map_err(|error| format!("hook: {error}"))?;
            print_line(format_args!(
                "parlour: created the incoming webhook {} of {room}. Its address is not shown again:\n{}{}{}",
                hook.id,
                site(config),
                room.path(),
                hook.shown_once
            ))?;
        }
        Some(url) => {
            let hook = create_outgoing(&store, room_id, name, url, &config.webhook_hosts).await;
            let hook = hook.map_err(|error| format!("hook: {error}"))?;
            print_line(format_args!(
                "parlour: created the outgoing webhook {} of {room}. Its secret is not shown again:\n{}",
                hook.id, hook.shown_once
            ))?;
            if !config.outgoing_webhooks {
                print_line("Nothing is delivered until the server runs with --outgoing-webhooks on.")?;
            }
        }
    }
    Ok(store.close().await?)
}

async fn room_id(store: &Store, room: &RoomName) -> Result<i64, Box<dyn std::error::Error>> {
    let found = store.room(room).await?;
    Ok(found.ok_or_else(|| format!("hook: there is no room {room}; it begins with its first message"))?.room.id)
}

/// Returns the origin under which the site is reached, as far as the settings tell.
fn site(config: &Config) -> String {
    config.public_url.clone().unwrap_or_else(|| format!("http://{}", config.leptos.site_addr))
}

async fn list(config: &Config, room: Option<&str>, as_json: bool) -> CommandResult {
    let store = Store::open_beside(&config.database_url).await?;
    let room_id = match room {
        Some(room) => Some(room_id(&store, &parse_room(room)?).await?),
        None => None,
    };
    let mut sink = BufWriter::new(std::io::stdout());
    if !as_json {
        writeln!(sink, "{:<16}  {:<20}  {:<20}  STATE", "ID", "ROOM", "NAME").map_err(OutputError::from)?;
    }
    for hook in store.hooks(room_id).await? {
        let line = if as_json { object(&hook) } else { escaped(&line(&hook)).into_owned() };
        writeln!(sink, "{line}").map_err(OutputError::from)?;
    }
    sink.flush().map_err(OutputError::from)?;
    Ok(store.close().await?)
}

fn line(hook: &HookSummary) -> String {
    let minute = |time: &Timestamp| time.rfc3339()[..16].replace('T', " ") + " UTC";
    let state = match &hook.direction {
        HookDirection::Incoming { used_at } => {
            let used =
                used_at.as_ref().map_or_else(|| "never used".to_owned(), |used| format!("used {}", minute(used)));
            format!("incoming, {used}")
        }
        HookDirection::Outgoing { url, failing_since, next_try_at, failure } => {
            let failing = match (failing_since, next_try_at, failure) {
                (Some(since), Some(next), Some(failure)) if hook.is_active() => {
                    format!(", failing since {}, next try {}: {failure}", minute(since), minute(next))
                }
                (_, _, Some(failure)) => format!(": {failure}"),
                _ => String::new(),
            };
            format!("outgoing to {url}{failing}")
        }
    };
    let ended = hook.ended_at.as_ref().map_or_else(String::new, |ended| format!("ended {}, ", minute(ended)));
    format!("{:<16}  {:<20}  {:<20}  {ended}{state}", hook.id, hook.room, hook.name)
}

fn object(hook: &HookSummary) -> String {
    let mut object = json!({
        "id": hook.id,
        "room_name": hook.room,
        "name": hook.name,
        "made_at": hook.made_at,
        "ended_at": hook.ended_at,
    });
    let more = match &hook.direction {
        HookDirection::Incoming { used_at } => json!({"direction": "incoming", "used_at": used_at}),
        HookDirection::Outgoing { url, failing_since, next_try_at, failure } => json!({
            "direction": "outgoing",
            "url": url,
            "failing_since": failing_since,
            "next_try_at": next_try_at,
            "failure": failure,
        }),
    };
    if let (Some(object), Some(more)) = (object.as_object_mut(), more.as_object()) {
        object.extend(more.clone());
    }
    object.to_string()
}

async fn revoke(config: &Config, id: &str) -> CommandResult {
    let store = Store::open_beside(&config.database_url).await?;
    if !store.end_hook(id, None).await? {
        return Err(format!("hook: there is no webhook {id} in force; `parlour hook list` shows all").into());
    }
    print_line(format_args!("parlour: ended the webhook {id}"))?;
    Ok(store.close().await?)
}
