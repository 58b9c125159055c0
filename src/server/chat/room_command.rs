//! Commands of a visitor to a room: texts as they come from outside, parsed into events to append.

use crate::domain::moderation::ModerationAction;
use crate::domain::{AuthorTag, MessageText, Rejection, Seq, Username};
use crate::server::store::{NewEvent, Subject};

/// Something for a room's log; texts are as they came from outside.
pub(crate) enum RoomCommand<'a> {
    /// To say something.
    Post { username: Username, message: &'a str },
    /// To put another text in place of an own message.
    Edit { target: Seq, text: &'a str },
    /// To remove a message: an own one, or as the owner of the room.
    Delete { target: Seq },
    /// To do something about the room, as its owner.
    Moderate { action: ModerationAction, target: Option<Seq>, tag: Option<AuthorTag>, seconds: Option<u32> },
}

impl RoomCommand<'_> {
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

    /// Bytes of text as they came.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Post { message: text, .. } | Self::Edit { text, .. } => text.len(),
            Self::Delete { .. } | Self::Moderate { .. } => 0,
        }
    }

    /// By which tag it names somebody, if no message does.
    pub(super) fn tag(&self) -> Option<AuthorTag> {
        match self {
            Self::Moderate { action, target: None, tag, .. } if action.has_subject() => tag.clone(),
            _ => None,
        }
    }
}
