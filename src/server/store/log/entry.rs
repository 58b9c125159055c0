//! Append requests, and their results.

use super::mention_candidates::MentionCandidates;
use crate::domain::moderation::{Moderation, ModerationAction};
use crate::domain::{Emoji, Event, EventId, MessageText, Rejection, RejectionCode, RoomName, RoomText, Seq, Username};
use crate::server::auth::identity::AuthorId;
use crate::server::store::annotations::reaction_text;
use crate::server::store::entity::event::{Kind, Model};
use std::borrow::Cow;

/// An event to append to a room's log.
#[derive(Clone, Debug)]
pub(crate) struct AppendRequest {
    pub(crate) room_id: i64,
    /// The room's name, if the room's row is to be stored in the same transaction.
    pub(crate) begins: Option<RoomName>,
    pub(crate) author: AuthorId,
    pub(crate) id: EventId,
    pub(crate) new_event: NewEvent,
}

/// Space that an event takes in the database beside its text, in bytes, rounded up.
const EVENT_OVERHEAD_BYTES: usize = 1 << 10;

impl AppendRequest {
    /// Returns about how much space the event takes in the database, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let text = match &self.new_event {
            NewEvent::Message { text, .. } | NewEvent::Edit { text, .. } => text.as_str().len(),
            NewEvent::Moderate { text, .. } => text.as_ref().map_or(0, |text| text.as_str().len()),
            NewEvent::Delete { .. } | NewEvent::React(_) => 0,
        };
        EVENT_OVERHEAD_BYTES + text
    }
}

/// An event that has no number yet.
#[derive(Clone, Debug)]
pub(crate) enum NewEvent {
    Message {
        username: Username,
        text: MessageText,
        reply_to: Option<Seq>,
        mentions: MentionCandidates,
    },
    Edit {
        target: Seq,
        text: MessageText,
        mentions: MentionCandidates,
    },
    Delete {
        target: Seq,
    },
    Moderate {
        action: ModerationAction,
        subject: Option<Subject>,
        seconds: Option<u32>,
        text: Option<RoomText>,
        /// The name of the owner; `Anonymous` if it is not known, or if the host acts.
        username: Username,
    },
    React(NewReaction),
}

/// A reaction to a message, or the end of one.
#[derive(Clone, Debug)]
pub(crate) struct NewReaction {
    pub(crate) target: Seq,
    pub(crate) emoji: Emoji,
    pub(crate) on: bool,
    pub(crate) username: Username,
    /// Whether the host erases the author: nothing keeps their reactions from ending, and the event names neither them
    /// nor the emoji.
    pub(crate) is_erasure: bool,
}

/// The participant that a moderation action applies to.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// The author of this message.
    AuthorOf(Seq),
    /// A participant known by identity, who need not have written a message.
    Known { author: AuthorId, username: Username },
}

impl Subject {
    /// Returns the subject's stored identity and name, or `None` if `target`, the message that names the subject, is
    /// missing or is no message.
    pub(crate) fn resolve(&self, target: Option<&Model>) -> Option<(Vec<u8>, Username)> {
        match self {
            Self::AuthorOf(_) => target
                .filter(|row| row.kind == Kind::Message)
                .map(|row| (row.author.clone(), Username::from_trusted(row.username.clone()))),
            Self::Known { author, username } => Some((author.as_bytes().to_vec(), username.clone())),
        }
    }
}

/// The result of appending one entry.
#[derive(Clone, Debug)]
pub(crate) enum AppendResult {
    /// The event is in the log now.
    Appended(Event),
    /// The event was in the log already, under the same id.
    Duplicate(Event),
    /// The event is not in the log; the rejection says why.
    Rejected(Rejection),
    /// Another node holds the lock of this room's log.
    RoomLocked,
    /// The event would change nothing, and is not in the log. This event made the state as it is; its number is 0 if it
    /// is not known.
    Needless(Event),
}

impl NewEvent {
    /// Creates a message that replies to none.
    #[cfg(test)]
    pub(crate) fn message(username: Username, text: MessageText) -> Self {
        let mentions = MentionCandidates::find(text.as_str());
        Self::Message { username, text, reply_to: None, mentions }
    }

    /// Returns the number of the message that the event refers to.
    pub(crate) fn target(&self) -> Option<Seq> {
        match self {
            Self::Message { reply_to, .. } => *reply_to,
            Self::Edit { target, .. } | Self::Delete { target } => Some(*target),
            Self::React(reaction) => Some(reaction.target),
            Self::Moderate { subject: Some(Subject::AuthorOf(seq)), .. } => Some(*seq),
            Self::Moderate { .. } => None,
        }
    }

    /// Looks for names that the text may mention. Costs more than any other check of a text, so limits come before it.
    pub(crate) fn find_mentions(&mut self) {
        if let Self::Message { text, mentions, .. } | Self::Edit { text, mentions, .. } = self {
            *mentions = MentionCandidates::find(text.as_str());
        }
    }

    /// Returns the names that the text may mention, or `None` if the event has no text of a message.
    pub(crate) fn mentions(&self) -> Option<&MentionCandidates> {
        match self {
            Self::Message { mentions, .. } | Self::Edit { mentions, .. } => Some(mentions),
            Self::Delete { .. } | Self::Moderate { .. } | Self::React(_) => None,
        }
    }

    /// Returns the subject of a moderation action, or `None` if there is no subject or a message identifies it.
    pub(crate) fn known_subject(&self) -> Option<&AuthorId> {
        match self {
            Self::Moderate { subject: Some(Subject::Known { author, .. }), .. } => Some(author),
            _ => None,
        }
    }

    /// Returns whether the event takes the place of an earlier text, which is then blanked.
    pub(crate) fn removes_text(&self) -> bool {
        match self {
            Self::Delete { .. } => true,
            Self::Moderate { action, .. } => action.has_text(),
            Self::React(reaction) => reaction.is_erasure,
            Self::Message { .. } | Self::Edit { .. } => false,
        }
    }

    /// Checks that a room can begin with this event.
    ///
    /// # Errors
    ///
    /// Returns the rejection that an empty log gives to this event.
    pub(crate) fn may_begin_room(&self) -> Result<(), Rejection> {
        let (code, detail) = match self {
            Self::Message { reply_to: None, .. } => return Ok(()),
            Self::Moderate { .. } => (RejectionCode::Forbidden, "Only the owner of the room can do this."),
            Self::Message { .. } | Self::Edit { .. } | Self::Delete { .. } | Self::React(_) => {
                (RejectionCode::NotFound, "There is no such message.")
            }
        };
        Err(Rejection::new(code, detail))
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Message { .. } => Kind::Message,
            Self::Edit { .. } => Kind::Edited,
            Self::Delete { .. } => Kind::Deleted,
            Self::Moderate { .. } => Kind::Moderated,
            Self::React(_) => Kind::Reacted,
        }
    }

    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Message { text, .. } | Self::Edit { text, .. } => text.as_str().into(),
            Self::React(NewReaction { emoji, on, is_erasure: false, .. }) => reaction_text(emoji, *on).into(),
            Self::React(_) => "".into(),
            Self::Delete { .. } | Self::Moderate { .. } => "".into(),
        }
    }

    /// Returns whether `stored` is the same event, sent before. A text that was deleted since cannot be compared any
    /// more, and counts as equal.
    pub(crate) fn matches(&self, stored: &Model) -> bool {
        let same_text = match self {
            Self::Moderate { action, subject, text, .. } => {
                // A text that was replaced since cannot be compared any more.
                let same_text = |done: &Moderation| {
                    done.text.is_none() || done.text.as_deref() == text.as_ref().map(RoomText::as_str)
                };
                let same_tag = |done: &Moderation| match (subject, &done.subject) {
                    (Some(Subject::Known { author, .. }), Some(subject)) => author.tag() == subject.tag,
                    _ => true,
                };
                serde_json::from_str(&stored.text)
                    .map_or(true, |done: Moderation| done.action == *action && same_tag(&done) && same_text(&done))
            }
            _ => stored.text == self.text() || stored.text.is_empty(),
        };
        stored.kind == self.kind() && stored.target == self.target() && same_text
    }

    /// Applies an edit or a deletion to its message; a reply only needs it. `above` says that the author is the owner or
    /// the host, who may delete any message.
    ///
    /// # Errors
    ///
    /// Returns a rejection if the message is missing or deleted, or if `author` lacks permission.
    pub(crate) fn apply_to_target(
        &self,
        target: Option<&mut Model>,
        author: &AuthorId,
        above: bool,
        seq: Seq,
    ) -> Result<(), Rejection> {
        let gone = || Rejection::new(RejectionCode::NotFound, "There is no such message.");
        let message = target.filter(|row| row.kind == Kind::Message && row.deleted_by.is_none()).ok_or_else(gone)?;
        if matches!(self, Self::Message { .. }) {
            return Ok(());
        }
        let may = message.author == author.as_bytes() || above && matches!(self, Self::Delete { .. });
        if !may {
            return Err(Rejection::new(RejectionCode::Forbidden, "Only its author can change a message."));
        }
        match self {
            Self::Delete { .. } => message.deleted_by = Some(seq),
            _ => message.edited_by = Some(seq),
        }
        Ok(())
    }

    pub(crate) fn to_model(&self, entry: &AppendRequest, seq: Seq, at: i64) -> Model {
        let username = match self {
            Self::Message { username, .. } | Self::React(NewReaction { username, is_erasure: false, .. }) => {
                username.as_str().to_owned()
            }
            Self::Moderate { username, .. } if *username != Username::anonymous() => username.as_str().to_owned(),
            _ => String::new(),
        };
        Model {
            room_id: entry.room_id,
            seq,
            author: entry.author.as_bytes().to_vec(),
            id: entry.id.as_str().to_owned(),
            kind: self.kind(),
            at,
            username,
            target: self.target(),
            text: self.text().into_owned(),
            edited_by: None,
            deleted_by: None,
        }
    }
}
