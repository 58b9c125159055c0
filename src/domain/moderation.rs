//! Moderation: what the owner of a room does about others in it. Each act is an event of the room's log.

use super::{Participant, Timestamp};
use crate::json::{FromJson, JsonValue, from_str_enum};
use serde::{Deserialize, Serialize};

/// The longest mute or ban, in seconds: a year.
pub const MAX_MUTE_SECONDS: u32 = 365 * 24 * 60 * 60;

/// The slowest slow mode, in seconds: an hour.
pub const MAX_SLOW_MODE_SECONDS: u32 = 60 * 60;

/// What an owner can do, besides removing messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModerationAction {
    /// Somebody can read, but say nothing for a time.
    Mute,
    /// Somebody has to leave, and stay away for a time.
    Ban,
    /// A mute or a ban ends.
    Pardon,
    /// Everybody waits a while between two messages; 0 seconds end it.
    SlowMode,
    /// Nobody else comes in.
    Lock,
    /// Everybody may come in.
    Unlock,
    /// The room belongs to somebody else from now on.
    HandOver,
    /// A private room gets another invitation; the one before leads nowhere. Whoever is in stays.
    Renew,
    /// Somebody is no longer in a private room, which also gets another invitation.
    Remove,
    /// Something that this version does not know.
    #[serde(other)]
    Other,
}

impl FromJson for ModerationAction {
    fn from_json(json: JsonValue) -> Option<Self> {
        from_str_enum(json)
    }
}

impl ModerationAction {
    /// Whether it is about somebody, who is named by one of their messages.
    pub fn has_subject(self) -> bool {
        matches!(self, Self::Mute | Self::Ban | Self::Pardon | Self::HandOver | Self::Remove)
    }
}

/// An act of moderation, as everybody is told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moderation {
    /// What was done.
    pub action: ModerationAction,
    /// To whom, if it is about somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Participant>,
    /// Until when, if it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Of slow mode: how long everybody waits between two messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
}

impl std::fmt::Display for Moderation {
    /// One sentence for visitors.
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
        let mute = Moderation { action: ModerationAction::Mute, subject: Some(subject), until: None, seconds: None };
        assert_eq!(mute.to_string(), "Bob is muted for a while.");
        let slow = |seconds| Moderation { action: ModerationAction::SlowMode, subject: None, until: None, seconds };
        assert_ne!(slow(Some(10)).to_string(), slow(Some(0)).to_string());
    }

    #[test]
    fn what_a_later_version_does_can_be_read() {
        let later: Moderation = serde_json::from_str(r#"{"action": "dance", "partner": 7}"#).unwrap();
        assert_eq!(later.action, ModerationAction::Other);
    }
}
