//! The data of a room's settings page, as this visitor sees it.

use super::origin;
use crate::domain::history::Ownership;
use crate::domain::{AuthorTag, RoomName, Timestamp, Username};
use crate::server::auth::visitor::Visitor;
use crate::server::chat::access::AccessDenied;
use crate::server::chat::room_settings::RoomPerson;
use crate::server::http::state::AppState;
use crate::server::store::{HookDirection, HookSummary, RoomRecord, TokenRecord};
use crate::ui::{
    CreatedSecret, OwnerSettings, PeoplePage, PersonRow, PersonStatus, ProgramRow, ProgramSettings, RefusedSetting,
    SettingsField, SettingsForm, SettingsPageData,
};
use axum::http::HeaderMap;
use serde::Deserialize;
use std::collections::HashMap;

/// Number of people on a page.
const PEOPLE_PER_PAGE: usize = 50;

/// Maximum number of webhooks, and of tokens, in their lists.
const MAX_PROGRAMS: usize = 100;

/// Maximum number of people to choose a new owner from.
const MAX_HEIRS: usize = 200;

/// Query of the page, which the redirect after a form sets.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct SettingsQuery {
    /// The form that was saved.
    #[serde(default)]
    pub(crate) saved: Option<String>,
    /// The person whom the form was about.
    #[serde(default)]
    pub(crate) person: Option<String>,
    /// The number of the page of people.
    #[serde(default)]
    pub(crate) people: Option<String>,
}

/// Values of the page that are not the state of the room: those of a form that was refused.
#[derive(Clone, Debug, Default)]
pub(crate) struct ShownSettings {
    pub(crate) query: SettingsQuery,
    pub(crate) username: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) topic: Option<String>,
    /// Name and address of a webhook, and the label of a token.
    pub(crate) program: [String; 3],
    pub(crate) created: Option<CreatedSecret>,
    pub(crate) refused: Option<RefusedSetting>,
}

/// Returns the settings of a room.
///
/// # Errors
///
/// Returns why the visitor may not enter the room.
pub(crate) async fn settings_page(
    state: &AppState,
    headers: &HeaderMap,
    name: &RoomName,
    visitor: &Visitor,
    shown: ShownSettings,
) -> Result<SettingsPageData, AccessDenied> {
    let found = state.chat.admit(name, visitor).await?;
    let saved = shown.query.saved.as_deref().and_then(SettingsForm::from_name);
    let owner = match found.ownership(&visitor.author) {
        Ownership::Own => Some(owner_settings(state, headers, &found, visitor, &shown).await?),
        Ownership::Other | Ownership::Unowned => None,
    };
    Ok(SettingsPageData {
        title: found.title().to_owned(),
        room: found.room.name,
        token: state.form_tokens.of(&visitor.author),
        username: shown.username.unwrap_or_default(),
        saved,
        refused: shown.refused.map(|refused| at_shown_field(refused, owner.as_ref())),
        owner,
    })
}

/// Moves a reason whose form this page does not have to the top of the page.
fn at_shown_field(refused: RefusedSetting, owner: Option<&OwnerSettings>) -> RefusedSetting {
    let is_shown = match refused.field {
        SettingsField::Page | SettingsField::Form(SettingsForm::Username) => true,
        SettingsField::Form(SettingsForm::Renew) => owner.is_some_and(|owner| owner.invitation.is_some()),
        SettingsField::Form(SettingsForm::HandOver) => owner.is_some_and(|owner| !owner.people.heirs.is_empty()),
        _ => owner.is_some(),
    };
    if is_shown { refused } else { RefusedSetting { field: SettingsField::Page, ..refused } }
}

async fn owner_settings(
    state: &AppState,
    headers: &HeaderMap,
    found: &RoomRecord,
    visitor: &Visitor,
    shown: &ShownSettings,
) -> Result<OwnerSettings, AccessDenied> {
    let people = state.chat.people(found).await?;
    let own = shown.username.as_deref().and_then(|name| Username::parse(name).ok());
    let own = own.unwrap_or_else(Username::anonymous);
    let is_private = found.room.name.is_private();
    let site = origin::own(headers, state.config.public_url.as_deref()).unwrap_or_default();
    Ok(OwnerSettings {
        title: shown.title.clone().unwrap_or_else(|| found.title().to_owned()),
        topic: shown.topic.clone().or_else(|| found.topic.clone()).unwrap_or_default(),
        is_locked: found.locked,
        invitation: is_private.then(|| site + &found.invitation()),
        slow_mode: found.slow_mode,
        retention: found.retention,
        retention_limit: state.chat.retention_limit(found).map(|days| days.get()),
        programs: programs(state, found, visitor, shown).await?,
        people: people_page(&people, (own, visitor.author.tag()), &shown.query),
    })
}

async fn programs(
    state: &AppState,
    found: &RoomRecord,
    visitor: &Visitor,
    shown: &ShownSettings,
) -> Result<ProgramSettings, AccessDenied> {
    let hooks = state.chat.hooks(found.room.id).await?;
    let tokens = state.chat.room_tokens(&found.room.name, visitor).await.unwrap_or_default();
    Ok(ProgramSettings {
        hooks: hooks.into_iter().map(hook_row).take(MAX_PROGRAMS).collect(),
        tokens: tokens.into_iter().map(token_row).take(MAX_PROGRAMS).collect(),
        has_outgoing: state.config.outgoing_webhooks,
        typed: shown.program.clone(),
        created: shown.created.clone(),
    })
}

fn time(at: Timestamp) -> String {
    format!("{} at {} UTC", at.day_utc(), at.time_utc())
}

fn used(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "Never used".to_owned(), |at| format!("Last used on {}", time(at)))
}

fn hook_row(hook: HookSummary) -> ProgramRow {
    let is_active = hook.is_active();
    let (url, failure, state) = match hook.direction {
        HookDirection::Incoming { used_at } => (None, None, used(used_at)),
        HookDirection::Outgoing { url, failing_since, failure, .. } => {
            let reason = failure.unwrap_or_default();
            let failure = failing_since.map(|since| format!("Failing since {}: {reason}", time(since)));
            (Some(url), failure, if is_active { "Delivers new events".to_owned() } else { reason })
        }
    };
    let is_failing = failure.is_some();
    let state = failure.unwrap_or(state);
    let state = hook.ended_at.map_or(state.clone(), |at| format!("Ended on {}. {state}", time(at)));
    ProgramRow { id: hook.id, name: hook.name, url, state, is_failing, is_active }
}

fn token_row(token: TokenRecord) -> ProgramRow {
    let state = match token.ended_at {
        Some(at) => format!("Ended on {}", time(at)),
        None => used(token.used_at),
    };
    let name = token.label.to_string();
    ProgramRow { id: token.id, name, url: None, state, is_failing: false, is_active: token.ended_at.is_none() }
}

fn people_page(people: &[RoomPerson], own: (Username, AuthorTag), query: &SettingsQuery) -> PeoplePage {
    let mut named: HashMap<&str, usize> = HashMap::new();
    for person in people {
        *named.entry(person.username.as_str()).or_default() += 1;
    }
    let row = |person: &RoomPerson| person_row(person, named[person.username.as_str()] > 1);
    let pages = people.len().div_ceil(PEOPLE_PER_PAGE).max(1);
    let page = query.people.as_deref().and_then(|page| page.parse().ok()).unwrap_or(1).clamp(1, pages);
    let key = query.person.as_deref();
    let is_heir = |person: &&RoomPerson| !person.author.is_guest() && person.membership.banned_until.is_none();
    PeoplePage {
        people: people.iter().skip((page - 1) * PEOPLE_PER_PAGE).take(PEOPLE_PER_PAGE).map(row).collect(),
        page,
        pages,
        own: Some(own).filter(|_| page == 1),
        heirs: people.iter().filter(is_heir).take(MAX_HEIRS).map(row).collect(),
        changed: people.iter().find(|person| key == Some(person_key(person).as_str())).map(row),
    }
}

/// Returns what identifies a person in forms: their newest message, or else their tag.
fn person_key(person: &RoomPerson) -> String {
    match person.wrote {
        Some((seq, _)) => seq.to_string(),
        None => format!("tag-{}", person.author.tag().as_str()),
    }
}

pub(crate) fn person_row(person: &RoomPerson, shows_tag: bool) -> PersonRow {
    let membership = &person.membership;
    let muted_until = Some(Timestamp(membership.muted_until)).filter(|until| until.0 > 0);
    let status = match (membership.banned_until, muted_until) {
        _ if membership.is_removed() => PersonStatus::Removed,
        (Some(until), _) => PersonStatus::Banned(Timestamp(until)),
        (None, Some(until)) => PersonStatus::Muted(until),
        _ if person.is_here => PersonStatus::Here,
        _ => person.wrote.map_or(PersonStatus::Member, |(_, at)| PersonStatus::Wrote(at)),
    };
    PersonRow {
        key: person_key(person),
        username: person.username.clone(),
        tag: person.author.tag(),
        shows_tag,
        status,
        is_muted: muted_until.is_some(),
    }
}

/// Returns the person whom a form is about.
///
/// # Errors
///
/// Returns an error if the database cannot be read.
pub(crate) async fn find_person(
    state: &AppState,
    found: &RoomRecord,
    key: &str,
) -> Result<Option<PersonRow>, AccessDenied> {
    let people = state.chat.people(found).await?;
    Ok(people.iter().find(|person| person_key(person) == key).map(|person| person_row(person, false)))
}
