//! The data of the settings page.

use crate::domain::{AuthorTag, RoomName, Timestamp, Username};

/// A form of the settings page. Its name is the value of the field `action`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsForm {
    /// The visitor's name.
    Username,
    /// Title and topic of the room.
    Description,
    /// Whether new visitors may enter.
    Access,
    /// A new invitation.
    Renew,
    /// The interval of slow mode.
    SlowMode,
    /// The time for which messages are kept.
    Retention,
    /// Muting somebody.
    Mute,
    /// Banning somebody.
    Ban,
    /// Lifting a mute or a ban.
    Pardon,
    /// Removing a member of a private room.
    Remove,
    /// A new webhook.
    NewHook,
    /// The end of a webhook.
    EndHook,
    /// A new token.
    NewToken,
    /// The end of a token.
    EndToken,
    /// Handing the room over.
    HandOver,
    /// Deleting the room.
    Delete,
}

impl SettingsForm {
    const ALL: [Self; 16] = [
        Self::Username,
        Self::Description,
        Self::Access,
        Self::Renew,
        Self::SlowMode,
        Self::Retention,
        Self::Mute,
        Self::Ban,
        Self::Pardon,
        Self::Remove,
        Self::NewHook,
        Self::EndHook,
        Self::NewToken,
        Self::EndToken,
        Self::HandOver,
        Self::Delete,
    ];

    /// Returns the form with this name, or `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.as_str() == name)
    }

    /// Returns the name of the form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Username => "username",
            Self::Description => "description",
            Self::Access => "access",
            Self::Renew => "renew",
            Self::SlowMode => "slow_mode",
            Self::Retention => "retention",
            Self::Mute => "mute",
            Self::Ban => "ban",
            Self::Pardon => "pardon",
            Self::Remove => "remove",
            Self::NewHook => "hook",
            Self::EndHook => "end_hook",
            Self::NewToken => "token",
            Self::EndToken => "end_token",
            Self::HandOver => "hand_over",
            Self::Delete => "delete",
        }
    }

    /// Returns the id of the section that contains the form.
    pub fn section(self) -> &'static str {
        match self {
            Self::Username => "you",
            Self::Description => "room",
            Self::Access | Self::Renew => "access",
            Self::SlowMode | Self::Retention => "messages",
            Self::Mute | Self::Ban | Self::Pardon | Self::Remove => "people",
            Self::NewHook | Self::EndHook => "hooks",
            Self::NewToken | Self::EndToken => "tokens",
            Self::HandOver | Self::Delete => "danger",
        }
    }
}

/// The field that a refusal is shown at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsField {
    /// The title of the room.
    Title,
    /// The topic of the room.
    Topic,
    /// All fields of a form.
    Form(SettingsForm),
    /// No field: the visitor may not send the form.
    Page,
}

impl From<SettingsForm> for SettingsField {
    fn from(form: SettingsForm) -> Self {
        Self::Form(form)
    }
}

/// A form that the server has refused, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedSetting {
    /// The place of the reason.
    pub field: SettingsField,
    /// The reason, in a sentence.
    pub detail: String,
}

/// The settings of a visitor in a room.
#[derive(Clone, Debug)]
pub struct SettingsPageData {
    /// The room.
    pub room: RoomName,
    /// The title of the room.
    pub title: String,
    /// The token that proves that a form belongs to a page of this visitor.
    pub token: String,
    /// The visitor's name, or the one that was refused; empty without one.
    pub username: String,
    /// The form that was saved last, if this page follows it.
    pub saved: Option<SettingsForm>,
    /// The form that was refused, if this page answers it.
    pub refused: Option<RefusedSetting>,
    /// The part that only the owner sees.
    pub owner: Option<OwnerSettings>,
}

/// The settings of a room, for its owner.
#[derive(Clone, Debug)]
pub struct OwnerSettings {
    /// The title, or the one that was refused.
    pub title: String,
    /// The topic, or the one that was refused.
    pub topic: String,
    /// Whether no new visitors can enter.
    pub is_locked: bool,
    /// The invitation of a private room.
    pub invitation: Option<String>,
    /// The interval of slow mode, in seconds; 0 without slow mode.
    pub slow_mode: u32,
    /// The number of days for which messages are kept; `None` as long as the host keeps them.
    pub retention: Option<u32>,
    /// The number of days for which the host keeps them; `None` without a limit.
    pub retention_limit: Option<u32>,
    /// The people.
    pub people: PeoplePage,
    /// The webhooks and tokens.
    pub programs: ProgramSettings,
}

/// The programs that write in a room, or read it.
#[derive(Clone, Debug, Default)]
pub struct ProgramSettings {
    /// The webhooks.
    pub hooks: Vec<ProgramRow>,
    /// The tokens.
    pub tokens: Vec<ProgramRow>,
    /// Whether the site delivers events to addresses that owners name.
    pub has_outgoing: bool,
    /// Name and address of a webhook that was refused, and the label of a token.
    pub typed: [String; 3],
    /// The secret of the webhook or token that was just created, which is shown once.
    pub created: Option<CreatedSecret>,
}

/// The secret of a webhook or a token that was just created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedSecret {
    /// The form that has created it.
    pub form: SettingsForm,
    /// The purpose of the text.
    pub label: &'static str,
    /// The address, secret or token.
    pub text: String,
}

/// A webhook or a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramRow {
    /// Identifies it in forms.
    pub id: String,
    /// The name.
    pub name: String,
    /// The target of an outgoing webhook.
    pub url: Option<String>,
    /// The state, in a few words.
    pub state: String,
    /// Whether it fails, or has ended because it failed.
    pub is_failing: bool,
    /// Whether it is in force.
    pub is_active: bool,
}

/// A page of the people in a room.
#[derive(Clone, Debug, Default)]
pub struct PeoplePage {
    /// The people on this page.
    pub people: Vec<PersonRow>,
    /// The number of this page, from 1, and the number of pages.
    pub page: usize,
    /// The number of pages.
    pub pages: usize,
    /// The owner, whom the first page shows.
    pub own: Option<(Username, AuthorTag)>,
    /// The people to whom the room can be handed over.
    pub heirs: Vec<PersonRow>,
    /// The person who was muted or banned last, if this page follows the form.
    pub changed: Option<PersonRow>,
}

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    /// Identifies the person in forms.
    pub key: String,
    /// The name.
    pub username: Username,
    /// Distinguishes people with the same name.
    pub tag: AuthorTag,
    /// Whether another one has the same name.
    pub shows_tag: bool,
    /// The status.
    pub status: PersonStatus,
    /// Whether they are muted, in addition to `status`.
    pub is_muted: bool,
}

/// The status of somebody in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonStatus {
    /// They were removed from the private room.
    Removed,
    /// They are banned until this time.
    Banned(Timestamp),
    /// They are muted until this time.
    Muted(Timestamp),
    /// They have the room open.
    Here,
    /// They wrote their newest message at this time.
    Wrote(Timestamp),
    /// They were in the room.
    Member,
}

/// A question before something that cannot be undone.
#[derive(Clone, Debug)]
pub struct ConfirmPageData {
    /// The room.
    pub room: RoomName,
    /// The token that proves that the form belongs to a page of this visitor.
    pub token: String,
    /// The form to send.
    pub form: SettingsForm,
    /// The subject of the form, if it has one.
    pub person: Option<PersonRow>,
    /// The question.
    pub heading: String,
    /// The consequence.
    pub detail: &'static str,
    /// The label of the button.
    pub label: &'static str,
}
