//! Commands of a visitor to a room. Their texts are unvalidated; parsing turns them into events to append.

use crate::domain::moderation::{DAY_SECONDS, ModerationAction};
use crate::domain::{AuthorTag, Emoji, MessageText, Rejection, RejectionCode, RoomText, Seq, Username};
use crate::server::store::{MentionCandidates, NewEvent, NewReaction, Subject};

/// A command for a room's log, with unvalidated texts.
pub(crate) enum RoomCommand<'a> {
    /// Posts a message.
    Post { username: Username, message: &'a str, reply_to: Option<Seq> },
    /// Replaces the text of an own message.
    Edit { target: Seq, text: &'a str },
    /// Deletes a message: an own one, or any as the owner of the room.
    Delete { target: Seq },
    /// Takes a moderation action, as the owner of the room.
    Moderate {
        action: ModerationAction,
        target: Option<Seq>,
        tag: Option<AuthorTag>,
        seconds: Option<u32>,
        text: Option<&'a str>,
        username: Username,
    },
    /// Reacts to a message, or no longer does.
    React { target: Seq, emoji: &'a str, on: bool, username: Username },
}

impl RoomCommand<'_> {
    /// Validates the texts, and returns the event to append, whose mentions are not looked for yet.
    ///
    /// # Errors
    ///
    /// Returns a rejection if a text is invalid.
    pub(super) fn parse(self) -> Result<NewEvent, Rejection> {
        Ok(match self {
            Self::Post { username, message, reply_to } => {
                let text = MessageText::parse(message)?;
                NewEvent::Message { username, text, reply_to, mentions: MentionCandidates::default() }
            }
            Self::Edit { target, text } => {
                let text = MessageText::parse(text)?;
                NewEvent::Edit { target, text, mentions: MentionCandidates::default() }
            }
            Self::Delete { target } => NewEvent::Delete { target },
            Self::React { target, emoji, on, username } => {
                let emoji = Emoji::parse(emoji)?;
                NewEvent::React(NewReaction { target, emoji, on, username, is_erasure: false })
            }
            Self::Moderate { action, target, seconds, text, username, .. } => {
                let text = Self::room_text(action, text)?;
                let is_whole = |seconds: u32| seconds.is_multiple_of(DAY_SECONDS);
                if action == ModerationAction::Retention && !seconds.is_some_and(is_whole) {
                    let detail = "`seconds` says for how long: whole days, or 0 for as long as the site.";
                    return Err(Rejection::new(RejectionCode::Invalid, detail));
                }
                NewEvent::Moderate { action, subject: target.map(Subject::AuthorOf), seconds, text, username }
            }
        })
    }

    /// Returns the text that the action sets, or `None` if it sets none.
    fn room_text(action: ModerationAction, text: Option<&str>) -> Result<Option<RoomText>, Rejection> {
        if !action.has_text() {
            return Ok(None);
        }
        let missing = || Rejection::new(RejectionCode::Invalid, "This action needs `text`.");
        let text = text.ok_or_else(missing)?;
        let parsed = match action {
            ModerationAction::Title => RoomText::parse_title(text),
            _ => RoomText::parse_topic(text),
        };
        Ok(Some(parsed?))
    }

    /// Returns the length of its text, in bytes, as it was received.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Post { message: text, .. } | Self::Edit { text, .. } => text.len(),
            Self::Moderate { text, .. } => text.map_or(0, str::len),
            Self::Delete { .. } | Self::React { .. } => 0,
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
