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

    /// Returns whether the action ends by itself.
    fn ends(self) -> bool {
        matches!(self, Self::Mute | Self::Ban)
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
    /// The owner who took the action; `None` if the host did, or if the name is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Participant>,
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
            by: json.take("by")?,
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
        Self { action, by: None, subject: None, until: None, seconds: None, text: None, target: None }
    }
}

impl Moderation {
    /// Returns one sentence for visitors. `time` writes the end of a mute or ban.
    pub fn sentence(&self, time: fn(Timestamp) -> String) -> String {
        match self.by() {
            Some(by) => format!("{by} {}", self.predicate(time)),
            None => self.predicate(time),
        }
    }

    /// Returns the name that the sentence begins with, if it tells who did it.
    pub fn by(&self) -> Option<&str> {
        let is_told = !matches!(self.action, ModerationAction::Pardon | ModerationAction::HandOver);
        self.by.as_ref().filter(|_| is_told).map(|by| by.username.as_str())
    }

    /// Returns the sentence without the name that it begins with, or all of it if it begins with none.
    pub fn predicate(&self, time: fn(Timestamp) -> String) -> String {
        let subject = self.subject.as_ref().map_or("", |subject| subject.username.as_str());
        let text = self.text.as_deref().filter(|text| !text.is_empty());
        let seconds = self.seconds.filter(|seconds| *seconds > 0);
        let days = seconds.unwrap_or_default() / DAY_SECONDS;
        // What follows a name, and the sentence without one; `%` is the value.
        let (active, passive) = match self.action {
            ModerationAction::Mute if self.until.is_some() => ("muted %", "% was muted"),
            ModerationAction::Mute => ("muted %.", "% is muted."),
            ModerationAction::Ban if self.until.is_some() => ("banned %", "% was banned"),
            ModerationAction::Ban => ("banned %.", "% is banned."),
            ModerationAction::Pardon => ("", "% can write again."),
            ModerationAction::HandOver => ("", "% owns the room now."),
            ModerationAction::SlowMode if seconds.is_some() => {
                ("set slow mode to one message every % seconds.", "Slow mode: one message every % seconds.")
            }
            ModerationAction::SlowMode => ("ended slow mode.", "Slow mode has ended."),
            ModerationAction::Lock => {
                ("locked the room. Nobody new can come in.", "The room was locked. Nobody new can come in.")
            }
            ModerationAction::Unlock => (
                "unlocked the room. Anyone with the link can come in.",
                "The room was unlocked. Anyone with the link can come in.",
            ),
            ModerationAction::Renew => {
                ("made a new link. The old one stopped working.", "There is a new link. The old one stopped working.")
            }
            ModerationAction::Remove => ("removed %, and made a new link.", "% was removed, and there is a new link."),
            ModerationAction::Title if text.is_some() => ("named this room “%”.", "This room is called “%” now."),
            ModerationAction::Title => ("gave this room another name.", "This room has another name now."),
            ModerationAction::Topic if text.is_some() => ("set the topic: %", "Topic: %"),
            ModerationAction::Topic => ("changed the topic.", "This room has another topic now."),
            ModerationAction::Retention if seconds.is_some() => {
                ("set how long messages are kept: %.", "Messages are kept for %.")
            }
            ModerationAction::Retention => (
                "set messages to be kept as long as this site keeps them.",
                "Messages are kept as long as this site keeps them.",
            ),
            ModerationAction::Pin => ("pinned a message.", "A message was pinned."),
            ModerationAction::Unpin => ("unpinned a message.", "A message was unpinned."),
            ModerationAction::Other => ("changed a setting.", "A setting was changed."),
        };
        let value = match self.action {
            ModerationAction::SlowMode => seconds.unwrap_or_default().to_string(),
            ModerationAction::Retention if days == 1 => "1 day".to_owned(),
            ModerationAction::Retention => format!("{days} days"),
            _ => text.unwrap_or(subject).to_owned(),
        };
        let template = if self.by().is_some() { active } else { passive };
        let (before, after) = template.split_once('%').unwrap_or((template, ""));
        let value = if before.len() == template.len() { "" } else { &value };
        let until = self.until.filter(|_| self.action.ends());
        let until = until.map_or_else(String::new, |until| format!(" until {}.", time(until)));
        [before, value, after, &until].concat()
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
        assert_eq!(Moderation { until, ..mute.clone() }.sentence(time), "Bob was muted until 01:00.");
        let by = Some(Participant { username: Username::parse("Marta").unwrap(), tag: AuthorTag::new([3, 4]) });
        let told = Moderation { by: by.clone(), until, ..mute.clone() };
        assert_eq!(told.sentence(time), "Marta muted Bob until 01:00.");
        assert_eq!((told.by(), told.predicate(time).as_str()), (Some("Marta"), "muted Bob until 01:00."));
        for (action, sentence) in [
            (ModerationAction::Lock, "Marta locked the room. Nobody new can come in."),
            (ModerationAction::Renew, "Marta made a new link. The old one stopped working."),
            (ModerationAction::Other, "Marta changed a setting."),
            (ModerationAction::Pardon, "Bob can write again."),
            (ModerationAction::HandOver, "Bob owns the room now."),
        ] {
            assert_eq!(Moderation { action, until: None, ..told.clone() }.sentence(time), sentence);
        }
        let kept = |days| {
            let seconds = Some(days * DAY_SECONDS);
            Moderation { seconds, ..Moderation::new(ModerationAction::Retention) }.sentence(time)
        };
        assert_eq!(
            (kept(1).as_str(), kept(7).as_str()),
            ("Messages are kept for 1 day.", "Messages are kept for 7 days.")
        );
        let named = Moderation { text: Some("100 % “%”".into()), ..Moderation::new(ModerationAction::Title) };
        assert_eq!(named.sentence(time), "This room is called “100 % “%”” now.");
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
