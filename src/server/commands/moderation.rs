//! `parlour remove`, `ban`, `pardon`, `pin`, `unpin`, `title` and `topic`: the host's actions in a room. They are recorded in the room's
//! log like the owner's actions, and also apply to the owner.

use super::message_ref::MessageRef;
use super::output::print_line;
use super::{CommandResult, notify_nodes, parse_room};
use crate::domain::moderation::{MAX_MUTE_SECONDS, Moderation, ModerationAction};
use crate::domain::{EventBody, RoomText, Timestamp, Username};
use crate::server::config::Config;
use crate::server::store::{AppendResult, NewEvent, Store, Subject};
use std::str::FromStr;

/// Duration of a ban: a number and `m`, `h` or `d`, up to a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BanDuration {
    seconds: u32,
}

impl FromStr for BanDuration {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or("expected a number with `m`, `h` or `d` (minutes, hours or days), up to 365d")
    }
}

fn parse(text: &str) -> Option<BanDuration> {
    let unit = match text.chars().next_back()? {
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    let number: u32 = text[..text.len() - 1].parse().ok()?;
    let seconds = number.checked_mul(unit).filter(|seconds| (1..=MAX_MUTE_SECONDS).contains(seconds))?;
    Some(BanDuration { seconds })
}

/// Deletes a message.
///
/// # Errors
///
/// Returns an error if the message does not exist, or if the database cannot be written.
pub(super) async fn remove(config: &Config, message: &MessageRef) -> CommandResult {
    act(config, message, NewEvent::Delete { target: message.seq }).await
}

/// Bans the author of a message from its room.
///
/// # Errors
///
/// Returns an error if the message does not exist, or if the database cannot be written.
pub(super) async fn ban(config: &Config, message: &MessageRef, time: BanDuration) -> CommandResult {
    moderate(config, message, ModerationAction::Ban, Some(time.seconds)).await
}

/// Lifts the ban and the mute of a message's author.
///
/// # Errors
///
/// Returns an error if the message does not exist, or if the database cannot be written.
pub(super) async fn pardon(config: &Config, message: &MessageRef) -> CommandResult {
    moderate(config, message, ModerationAction::Pardon, None).await
}

async fn moderate(
    config: &Config,
    message: &MessageRef,
    action: ModerationAction,
    seconds: Option<u32>,
) -> CommandResult {
    let subject = Some(Subject::AuthorOf(message.seq));
    act(config, message, NewEvent::Moderate { action, subject, seconds, text: None, username: Username::anonymous() })
        .await
}

/// Pins a message, or takes off its pin.
///
/// # Errors
///
/// Returns an error if the message does not exist, if the room has too many pins, or if the database cannot be written.
pub(super) async fn pin(config: &Config, message: &MessageRef, action: ModerationAction) -> CommandResult {
    let subject = Some(Subject::AuthorOf(message.seq));
    act(
        config,
        message,
        NewEvent::Moderate { action, subject, seconds: None, text: None, username: Username::anonymous() },
    )
    .await
}

/// Shows the title or the topic of a room, or sets it if there is a text.
///
/// # Errors
///
/// Returns an error if there is no such room, if the text is invalid, or if the database cannot be written.
pub(super) async fn describe(
    config: &Config,
    room: &str,
    action: ModerationAction,
    text: Option<&str>,
) -> CommandResult {
    let name = parse_room(room)?;
    let store = Store::open_beside(&config.database_url).await?;
    let found = store.room(&name).await?.ok_or_else(|| format!("there is no room {name}"))?;
    if let Some(text) = text {
        let parsed = match action {
            ModerationAction::Title => RoomText::parse_title(text),
            _ => RoomText::parse_topic(text),
        };
        let text = Some(parsed.map_err(|error| format!("{name}: {error}"))?);
        let change = NewEvent::Moderate { action, subject: None, seconds: None, text, username: Username::anonymous() };
        if let AppendResult::Rejected(rejection) = store.append_as_host(found.room.id, change).await? {
            return Err(format!("{name}: {}", rejection.detail).into());
        }
        notify_nodes(config, &store).await;
    }
    let found = store.room(&name).await?.ok_or_else(|| format!("there is no room {name}"))?;
    let shown = match action {
        ModerationAction::Title => found.title(),
        _ => found.topic.as_deref().unwrap_or_default(),
    };
    print_line(shown)?;
    Ok(store.close().await?)
}

async fn act(config: &Config, MessageRef { room: name, seq }: &MessageRef, new_event: NewEvent) -> CommandResult {
    let store = Store::open_beside(&config.database_url).await?;
    let found = store.room(name).await?.ok_or_else(|| format!("there is no room {name}"))?;
    let event = match store.append_as_host(found.room.id, new_event).await? {
        AppendResult::Appended(event) | AppendResult::Duplicate(event) | AppendResult::Needless(event) => event,
        AppendResult::Rejected(rejection) => return Err(format!("{name}/{seq}: {}", rejection.detail).into()),
        AppendResult::RoomLocked => {
            return Err(format!("{name}: another process is writing to this room; try again").into());
        }
    };
    notify_nodes(config, &store).await;
    match event.body {
        EventBody::Moderated(done) => {
            let until = done.until.map_or_else(String::new, |until| format!(" Until {}.", until.rfc3339()));
            let tag = done.subject.as_ref().map_or_else(String::new, |subject| format!(" ({})", subject.tag.as_str()));
            let sentence = Moderation { until: None, ..done }.sentence(Timestamp::rfc3339);
            print_line(format_args!("parlour: in {name}: {sentence}{tag}{until}"))?;
        }
        _ => print_line(format_args!("parlour: deleted message {seq} from {name}"))?,
    }
    Ok(store.close().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit_and_is_a_year_at_most() {
        for (text, seconds) in [("30m", 1800), ("12h", 43_200), ("7d", 604_800), ("365d", MAX_MUTE_SECONDS)] {
            assert_eq!(parse(text), Some(BanDuration { seconds }), "{text}");
        }
        for text in ["", "d", "7", "0d", "-1h", "366d", "99999999d", "7 d", "1.5h", "7ö"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
