//! Moderation: actions of a room's owner on the room and its participants. Each action is an event of the room's log.

use super::{Participant, Seq, Timestamp};
use crate::json::{FromJson, JsonValue};
use serde::{Deserialize, Serialize};

/// Maximum duration of a mute or ban, in seconds: one year.
pub const MAX_MUTE_SECONDS: u32 = 365 * 24 * 60 * 60;

/// Maximum interval of slow mode, in seconds: one hour.
pub const MAX_SLOW_MODE_SECONDS: u32 = 60 * 60;

/// Maximum number of pinned messages of a room.
pub const MAX_PINS: usize = 50;

/// Number of seconds in a day, the unit of retention.
pub const DAY_SECONDS: u32 = 24 * 60 * 60;

/// An action of a room's owner, other than deleting messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModerationAction {
    /// The subject can read but not post for a time.
    Mute,
    /// The subject is disconnected and cannot enter for a time.
    Ban,
    /// Ends the subject's mute or ban.
    Pardon,
    /// Sets the minimum interval between two messages of a participant; 0 seconds ends slow mode.
    SlowMode,
    /// No new visitors can enter.
    Lock,
    /// New visitors can enter again.
    Unlock,
    /// The subject becomes the owner of the room.
    HandOver,
    /// Replaces the invitation to a private room. The previous link becomes invalid; members stay.
    Renew,
    /// Removes the subject from the members of a private room, and replaces its invitation.
    Remove,
    /// Sets the title of the room; an empty text is the room's name again.
    Title,
    /// Sets the topic of the room; an empty text removes it.
    Topic,
    /// Sets for how long the room keeps its messages; 0 seconds is as long as the site does.
    Retention,
    /// Pins a message for everybody.
    Pin,
    /// Takes off a pin.
    Unpin,
    /// An action that this version does not know.
    #[serde(other)]
    Other,
}

impl FromJson for ModerationAction {
    fn from_json(json: JsonValue) -> Option<Self> {
        String::from_json(json).map(|name| Self::from_name(&name))
    }
}

impl ModerationAction {
    const ALL: [Self; 14] = [
        Self::Mute,
        Self::Ban,
        Self::Pardon,
        Self::SlowMode,
        Self::Lock,
        Self::Unlock,
        Self::HandOver,
        Self::Renew,
        Self::Remove,
        Self::Title,
        Self::Topic,
        Self::Retention,
        Self::Pin,
        Self::Unpin,
    ];

    /// Returns the action with this name in frames; [`Other`](Self::Other) if there is none.
    pub fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|action| action.as_str() == name).unwrap_or(Self::Other)
    }

    /// Returns the name of the action in frames.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mute => "mute",
            Self::Ban => "ban",
            Self::Pardon => "pardon",
            Self::SlowMode => "slow_mode",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::HandOver => "hand_over",
            Self::Renew => "renew",
            Self::Remove => "remove",
            Self::Title => "title",
            Self::Topic => "topic",
            Self::Retention => "retention",
            Self::Pin => "pin",
            Self::Unpin => "unpin",
            Self::Other => "other",
        }
    }

    /// Returns whether the action has a subject, who is identified by one of their messages.
    pub fn has_subject(self) -> bool {
        matches!(self, Self::Mute | Self::Ban | Self::Pardon | Self::HandOver | Self::Remove)
    }

    /// Returns whether the action is about a message, not about its author.
    pub fn has_message(self) -> bool {
        matches!(self, Self::Pin | Self::Unpin)
    }

    /// Returns whether the action sets a text of the room, which replaces the one before.
    pub fn has_text(self) -> bool {
        matches!(self, Self::Title | Self::Topic)
    }
}

/// A moderation action, as sent to all participants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moderation {
    /// The action.
    pub action: ModerationAction,
    /// The subject, if the action has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Participant>,
    /// The end of the action, if it is temporary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The interval of slow mode, or the retention, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
    /// The title or the topic; `None` once another has replaced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The number of the message that is pinned or was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Seq>,
}

impl Moderation {
    /// Returns an action without further values.
    pub fn new(action: ModerationAction) -> Self {
        Self { action, subject: None, until: None, seconds: None, text: None, target: None }
    }
}

impl std::fmt::Display for Moderation {
    /// Writes one sentence for visitors.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.subject.as_ref().map_or("", |subject| subject.username.as_str());
        match (self.action, self.seconds) {
            (ModerationAction::Mute, _) => write!(f, "{name} is muted for a while."),
            (ModerationAction::Ban, _) => write!(f, "{name} is banned for a while."),
            (ModerationAction::Pardon, _) => write!(f, "{name} may talk here again."),
            (ModerationAction::SlowMode, Some(seconds)) if seconds > 0 => {
                write!(f, "Slow mode: one message every {seconds} seconds.")
            }
            (ModerationAction::SlowMode, _) => f.write_str("Slow mode has ended."),
            (ModerationAction::Lock, _) => f.write_str("The room is locked: nobody else comes in."),
            (ModerationAction::Unlock, _) => f.write_str("The room is unlocked: others may come in."),
            (ModerationAction::HandOver, _) => write!(f, "The room belongs to {name} now."),
            (ModerationAction::Renew, _) => {
                f.write_str("The invitation was renewed: the link from before leads nowhere.")
            }
            (ModerationAction::Remove, _) => write!(f, "{name} was removed from the room, and its invitation renewed."),
            (ModerationAction::Title, _) => match self.text.as_deref() {
                Some(title) if !title.is_empty() => write!(f, "This room is called “{title}” now."),
                _ => f.write_str("This room has another name now."),
            },
            (ModerationAction::Topic, _) => match self.text.as_deref() {
                Some(topic) if !topic.is_empty() => write!(f, "Topic: {topic}"),
                _ => f.write_str("This room has another topic now."),
            },
            (ModerationAction::Retention, Some(seconds)) if seconds > 0 => {
                write!(f, "Messages are kept for {} days.", seconds / DAY_SECONDS)
            }
            (ModerationAction::Retention, _) => f.write_str("Messages are kept as long as this site keeps them."),
            (ModerationAction::Pin, _) => f.write_str("A message was pinned."),
            (ModerationAction::Unpin, _) => f.write_str("A message was unpinned."),
            (ModerationAction::Other, _) => f.write_str("The room's owner has changed something."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AuthorTag, Username};

    #[test]
    fn an_act_is_told_in_one_sentence() {
        let subject = Participant { username: Username::parse("Bob").unwrap(), tag: AuthorTag::new([1, 2]) };
        let mute = Moderation { subject: Some(subject), ..Moderation::new(ModerationAction::Mute) };
        assert_eq!(mute.to_string(), "Bob is muted for a while.");
        let slow = |seconds| Moderation { seconds, ..Moderation::new(ModerationAction::SlowMode) };
        assert_ne!(slow(Some(10)).to_string(), slow(Some(0)).to_string());
    }

    #[test]
    fn an_action_has_one_name() {
        for action in ModerationAction::ALL.into_iter().chain([ModerationAction::Other]) {
            assert_eq!(serde_json::to_value(action).unwrap(), action.as_str());
            assert_eq!(ModerationAction::from_json(action.as_str().into()), Some(action));
        }
    }

    #[test]
    fn actions_of_a_later_version_can_be_read() {
        let later: Moderation = serde_json::from_str(r#"{"action": "dance", "partner": 7}"#).unwrap();
        assert_eq!(later.action, ModerationAction::Other);
    }
}
