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

impl FromJson for Moderation {
    fn from_json(mut json: JsonValue) -> Option<Self> {
        Some(Self {
            action: json.take("action")?,
            subject: json.take("subject")?,
            until: json.take("until")?,
            seconds: json.take("seconds")?,
            text: json.take("text")?,
            target: json.take("target")?,
        })
    }
}

impl Moderation {
    /// Returns an action without further values.
    pub fn new(action: ModerationAction) -> Self {
        Self { action, subject: None, until: None, seconds: None, text: None, target: None }
    }
}

impl Moderation {
    /// Returns one sentence for visitors. `time` writes the end of a mute or ban.
    pub fn sentence(&self, time: fn(Timestamp) -> String) -> String {
        let name = self.subject.as_ref().map_or("", |subject| subject.username.as_str());
        let text = self.text.as_deref().filter(|text| !text.is_empty());
        match (self.action, self.seconds, self.until, text) {
            (ModerationAction::Mute, _, Some(until), _) => format!("{name} was muted until {}.", time(until)),
            (ModerationAction::Mute, ..) => format!("{name} is muted."),
            (ModerationAction::Ban, _, Some(until), _) => format!("{name} was banned until {}.", time(until)),
            (ModerationAction::Ban, ..) => format!("{name} is banned."),
            (ModerationAction::Pardon, ..) => format!("{name} can write again."),
            (ModerationAction::SlowMode, Some(seconds), ..) if seconds > 0 => {
                format!("Slow mode: one message every {seconds} seconds.")
            }
            (ModerationAction::SlowMode, ..) => "Slow mode has ended.".into(),
            (ModerationAction::Lock, ..) => "The room was locked. Nobody new can come in.".into(),
            (ModerationAction::Unlock, ..) => "The room was unlocked. Anyone with the link can come in.".into(),
            (ModerationAction::HandOver, ..) => format!("{name} owns the room now."),
            (ModerationAction::Renew, ..) => "There is a new link. The old one stopped working.".into(),
            (ModerationAction::Remove, ..) => format!("{name} was removed, and there is a new link."),
            (ModerationAction::Title, .., Some(title)) => format!("This room is called “{title}” now."),
            (ModerationAction::Title, ..) => "This room has another name now.".into(),
            (ModerationAction::Topic, .., Some(topic)) => format!("Topic: {topic}"),
            (ModerationAction::Topic, ..) => "This room has another topic now.".into(),
            (ModerationAction::Retention, Some(seconds), ..) if seconds > 0 => {
                format!("Messages are kept for {} days.", seconds / DAY_SECONDS)
            }
            (ModerationAction::Retention, ..) => "Messages are kept as long as this site keeps them.".into(),
            (ModerationAction::Pin, ..) => "A message was pinned.".into(),
            (ModerationAction::Unpin, ..) => "A message was unpinned.".into(),
            (ModerationAction::Other, ..) => "A setting was changed.".into(),
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
        let time = |at: Timestamp| at.time_utc();
        let mute = Moderation { subject: Some(subject), ..Moderation::new(ModerationAction::Mute) };
        assert_eq!(mute.sentence(time), "Bob is muted.");
        let until = Some(Timestamp(3_600_000));
        assert_eq!(Moderation { until, ..mute }.sentence(time), "Bob was muted until 01:00.");
        let slow = |seconds| Moderation { seconds, ..Moderation::new(ModerationAction::SlowMode) };
        assert_ne!(slow(Some(10)).sentence(time), slow(Some(0)).sentence(time));
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
