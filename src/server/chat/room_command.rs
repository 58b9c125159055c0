//! Commands of a visitor to a room. Their texts are unvalidated; parsing turns them into events to append.

use crate::domain::moderation::ModerationAction;
use crate::domain::{AuthorTag, MessageText, Rejection, Seq, Username};
use crate::server::store::{NewEvent, Subject};

/// A command for a room's log, with unvalidated texts.
pub(crate) enum RoomCommand<'a> {
    /// Posts a message.
    Post { username: Username, message: &'a str },
    /// Replaces the text of an own message.
    Edit { target: Seq, text: &'a str },
    /// Deletes a message: an own one, or any as the owner of the room.
    Delete { target: Seq },
    /// Takes a moderation action, as the owner of the room.
    Moderate { action: ModerationAction, target: Option<Seq>, tag: Option<AuthorTag>, seconds: Option<u32> },
}

impl RoomCommand<'_> {
    /// Validates the texts, and returns the event to append.
    ///
    /// # Errors
    ///
    /// Returns a rejection if a text is invalid.
    pub(super) fn parse(self) -> Result<NewEvent, Rejection> {
        Ok(match self {
            Self::Post { username, message } => NewEvent::Message { username, text: MessageText::parse(message)? },
            Self::Edit { target, text } => NewEvent::Edit { target, text: MessageText::parse(text)? },
            Self::Delete { target } => NewEvent::Delete { target },
            Self::Moderate { action, target, seconds, .. } => {
                NewEvent::Moderate { action, subject: target.map(Subject::AuthorOf), seconds }
            }
        })
    }

    /// Returns the length of its text, in bytes, as it was received.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Post { message: text, .. } | Self::Edit { text, .. } => text.len(),
            Self::Delete { .. } | Self::Moderate { .. } => 0,
        }
    }

    /// Returns the tag of its subject, or `None` if a message identifies the subject or there is none.
    pub(super) fn tag(&self) -> Option<AuthorTag> {
        match self {
            Self::Moderate { action, target: None, tag, .. } if action.has_subject() => tag.clone(),
            _ => None,
        }
    }
}
