//! `parlour token`: creates, lists and revokes tokens of the API, also beside a serving node.

use super::output::print_line;
use super::{CommandResult, notify_nodes, parse_room};
use crate::domain::{RoomName, Timestamp, Username};
use crate::server::config::Config;
use crate::server::store::{MAX_ROOM_TOKENS, Store, TokenRecord};
use crate::server::text_escape::escaped;
use clap::Subcommand;
use serde_json::json;
use std::collections::HashMap;
use std::io::Write;

/// An action on the tokens of the API.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum TokenCommand {
    /// Create a token and print it: it is shown only once
    Create {
        /// The name under which its messages appear, unless they bring another
        label: String,
        /// Valid in this room only: the room, or its link
        #[arg(long, value_name = "ROOM")]
        room: Option<String>,
    },
    /// List the tokens, including those revoked within 30 days: id, room, creation, last use, label
    List {
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Revoke a token: its connections end within a second
    Revoke {
        /// The label, the id that `list` prints, or the token itself
        #[arg(value_name = "LABEL|ID")]
        token: String,
    },
}

/// Runs an action on tokens.
///
/// # Errors
///
/// Returns an error if the action is invalid, or if the database cannot be read or written.
pub(super) async fn run(config: &Config, action: &TokenCommand) -> CommandResult {
    let store = Store::open_beside(&config.database_url).await?;
    match action {
        TokenCommand::Create { label, room } => create(&store, label, room.as_deref()).await?,
        TokenCommand::List { json } => list(&store, *json).await?,
        TokenCommand::Revoke { token } => {
            revoke(&store, token).await?;
            notify_nodes(config, &store).await;
        }
    }
    Ok(store.close().await?)
}

async fn create(store: &Store, label: &str, room: Option<&str>) -> CommandResult {
    let label = Username::parse(label).map_err(|reason| format!("token: {label}: {reason}"))?;
    let room = match room {
        Some(room) => {
            let name = parse_room(room)?;
            let missing = || format!("token: there is no room {name}");
            Some(store.get_or_create_room(&name).await?.ok_or_else(missing)?.room)
        }
        None => None,
    };
    let created = store.create_token(&label, room.as_ref().map(|room| room.id)).await?;
    let created =
        created.ok_or_else(|| format!("token: a room has at most {MAX_ROOM_TOKENS} tokens; revoke one first"))?;
    print_line(created.secret)?;
    // Standard output is the token alone, for scripts.
    let place = room.map_or_else(|| "all rooms".to_owned(), |room| room.name.to_string());
    let note = format!("parlour: created token {} ({label}) for {place}; it is not shown again", created.record.id);
    Ok(writeln!(std::io::stderr(), "{}", escaped(&note))?)
}

async fn list(store: &Store, as_json: bool) -> CommandResult {
    let tokens = store.tokens(None).await?;
    let rooms = store.rooms_of_tokens(&tokens).await?;
    if !as_json {
        print_line(format_args!("{:<8}  {:<20}  {:<20}  {:<20}  LABEL", "ID", "CREATED", "LAST USE", "ROOM"))?;
    }
    for token in &tokens {
        print_line(if as_json { object(token, &rooms) } else { line(token, &rooms) })?;
    }
    Ok(())
}

/// Returns the room of a token, or `None` if it is valid in all rooms or its room was deleted.
fn room_of<'a>(token: &TokenRecord, rooms: &'a HashMap<i64, RoomName>) -> Option<&'a RoomName> {
    token.room_id.and_then(|room_id| rooms.get(&room_id))
}

fn line(token: &TokenRecord, rooms: &HashMap<i64, RoomName>) -> String {
    let time = |time: Option<Timestamp>| {
        time.map_or_else(|| "-".to_owned(), |time| time.rfc3339()[..16].replace('T', " ") + " UTC")
    };
    let room = match (token.room_id, room_of(token, rooms)) {
        (None, _) => "(all)",
        (_, Some(room)) => room.as_str(),
        (_, None) => "(deleted)",
    };
    let note = token.ended_at.map_or_else(String::new, |ended| format!(" (revoked {})", time(Some(ended))));
    let (made, used) = (time(Some(token.made_at)), time(token.used_at));
    format!("{:<8}  {made:<20}  {used:<20}  {room:<20}  {}{note}", token.id, token.label)
}

fn object(token: &TokenRecord, rooms: &HashMap<i64, RoomName>) -> String {
    json!({
        "id": token.id,
        "label": token.label,
        "tag": token.author.tag(),
        "room_name": room_of(token, rooms),
        "all_rooms": token.room_id.is_none(),
        "made_at": token.made_at,
        "used_at": token.used_at,
        "ended_at": token.ended_at,
    })
    .to_string()
}

async fn revoke(store: &Store, wanted: &str) -> CommandResult {
    let tokens = store.tokens(None).await?;
    let label = Username::parse(wanted).ok();
    // A token that was found where it should not be can be revoked by itself.
    let by_itself = store.find_token(wanted).await?.map(|token| token.id);
    let id = by_itself.as_deref().unwrap_or(wanted);
    let of_id: Vec<&TokenRecord> = tokens.iter().filter(|token| token.id == id).collect();
    let labeled = tokens.iter().filter(|token| Some(&token.label) == label.as_ref() && token.ended_at.is_none());
    let found = if of_id.is_empty() { labeled.collect() } else { of_id };
    let token = match found[..] {
        [] => return Err("token: there is no such token".into()),
        [token] => token,
        _ => {
            let ids: Vec<&str> = found.iter().map(|token| token.id.as_str()).collect();
            let several =
                format!("token: several tokens have the label {wanted}; name one by its id: {}", ids.join(", "));
            return Err(several.into());
        }
    };
    let note = if store.revoke_token(&token.id, None).await? { "revoked" } else { "was revoked before:" };
    print_line(format_args!("parlour: {note} token {} ({})", token.id, token.label))?;
    Ok(())
}
