//! Reactions and pins: the state of them that the log adds up to. Written in the transactions of the log, and read for
//! the messages of a page.

pub(crate) mod pin_batch;
pub(crate) mod reaction_batch;
pub(crate) mod reading;
pub(crate) mod removal;

use crate::domain::{Emoji, Event, EventId, Rejection, RejectionCode, Timestamp};
use crate::server::store::entity::event::{Kind, Model};

/// Effect of an event on reactions or pins.
#[derive(Clone, Debug)]
pub(crate) enum AnnotationOutcome {
    /// The event changes the state, and takes a number.
    Changed,
    /// The state is as it should be already. This event made it so; its number is 0 if it has to be looked for.
    Needless(Box<Event>),
}

/// Returns the text of a reaction's event.
pub(crate) fn reaction_text(emoji: &Emoji, on: bool) -> String {
    format!("{}{}", if on { '+' } else { '-' }, emoji.as_str())
}

/// Parses the text of a reaction's event: the emoji, and whether it was added. Returns `None` if it was removed, with its
/// message or its author.
pub(crate) fn parse_reaction_text(text: &str) -> Option<(Emoji, bool)> {
    let on = text.starts_with('+');
    let emoji = text.strip_prefix(['+', '-']).filter(|emoji| !emoji.is_empty())?;
    Some((Emoji::from_trusted(emoji.to_owned()), on))
}

/// Checks that an event refers to a message that there is.
fn check_target(target: Option<&Model>) -> Result<(), Rejection> {
    match target.filter(|row| row.kind == Kind::Message && row.deleted_by.is_none()) {
        Some(_) => Ok(()),
        None => Err(Rejection::new(RejectionCode::NotFound, "There is no such message.")),
    }
}

/// Returns the id and time of an event that is to be looked for.
fn unknown(id: &EventId) -> (EventId, Timestamp) {
    (id.clone(), Timestamp(0))
}
