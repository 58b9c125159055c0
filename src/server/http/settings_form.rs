//! The forms of a room's settings page. Every change of the room is a command in its log, within the same limits as
//! those of the socket.

use super::cookies;
use super::settings_fields::{FormFields, FormOutcome, parse_person};
use super::settings_page::find_person;
use crate::domain::history::Ownership;
use crate::domain::moderation::{DAY_SECONDS, ModerationAction};
use crate::domain::{Rejection, RejectionCode, RememberedUsername, RoomName, RoomText, Username};
use crate::server::auth::visitor::Visitor;
use crate::server::chat::RoomCommand;
use crate::server::http::state::AppState;
use crate::server::store::RoomRecord;
use crate::ui::{ConfirmPageData, CreatedSecret, SettingsField, SettingsForm};
use axum::response::{IntoResponse, Redirect, Response};

type Refused = (SettingsField, Rejection);

/// A form in progress.
struct Submission<'a> {
    state: &'a AppState,
    found: &'a RoomRecord,
    visitor: &'a Visitor,
    known: &'a RememberedUsername,
    fields: &'a FormFields,
}

/// Applies a form.
///
/// # Errors
///
/// Returns the reason for which it is refused, and the field that shows the reason.
pub(crate) async fn submit(
    state: &AppState,
    found: &RoomRecord,
    visitor: &Visitor,
    known: &RememberedUsername,
    fields: &FormFields,
) -> Result<FormOutcome, Refused> {
    let at_page = |rejection| (SettingsField::Page, rejection);
    // A page from before a change of identity. A client that shows no pages has no token.
    if fields.token.as_ref().is_some_and(|token| !state.form_tokens.proves(&visitor.author, token)) {
        let detail = "This page was out of date. Check the values, and save again.";
        return Err(at_page(Rejection::new(RejectionCode::Forbidden, detail)));
    }
    let unknown = || at_page(Rejection::new(RejectionCode::Invalid, "This form is not one of this page."));
    let form = fields.form().ok_or_else(unknown)?;
    let submission = Submission { state, found, visitor, known, fields };
    if form == SettingsForm::Username {
        return submission.username().await.map_err(|rejection| (form.into(), rejection));
    }
    if found.ownership(&visitor.author) != Ownership::Own {
        let detail = "Only the owner of the room can do this.";
        return Err(at_page(Rejection::new(RejectionCode::Forbidden, detail)));
    }
    if form == SettingsForm::Description {
        return submission.description().await;
    }
    submission.change(form).await.map_err(|rejection| (form.into(), rejection)).map_err(|(field, rejection)| {
        // All forms about people show the reason above them.
        let is_of_people = form.section() == SettingsForm::Pardon.section();
        (if is_of_people { SettingsForm::Pardon.into() } else { field }, rejection)
    })
}

impl Submission<'_> {
    fn room(&self) -> &RoomName {
        &self.found.room.name
    }

    /// Returns the name under which the visitor acts.
    fn acting_username(&self) -> Username {
        self.known.0.clone().unwrap_or_else(Username::anonymous)
    }

    async fn username(&self) -> Result<FormOutcome, Rejection> {
        let username = Username::parse(self.fields.username.as_deref().unwrap_or_default())?;
        if let Some(taken) = self.state.chat.taken(self.room(), &username, self.visitor).await? {
            return Err(taken);
        }
        let mut response = self.saved(SettingsForm::Username);
        cookies::set_username_cookie(&mut response, &username, self.visitor.cookie_suffix, &self.state.config);
        Ok(FormOutcome::Done(response))
    }

    /// Sets title and topic, if they have changed. Both are checked before one is set.
    async fn description(&self) -> Result<FormOutcome, Refused> {
        let at = |field| move |rejection: Rejection| (field, rejection);
        let FormFields { title, topic, .. } = self.fields;
        let title = title.as_deref().map(RoomText::parse_title).transpose();
        let title = title.map_err(Rejection::from).map_err(at(SettingsField::Title))?;
        let topic = topic.as_deref().map(RoomText::parse_topic).transpose();
        let topic = topic.map_err(Rejection::from).map_err(at(SettingsField::Topic))?;
        // The field shows the name where there is no title.
        let name = self.room().title();
        let shown = title.as_ref().map(|title| if title.as_str() == name { "" } else { title.as_str() });
        if let Some(title) = shown.filter(|title| *title != self.found.own_title().unwrap_or_default()) {
            self.set_text(ModerationAction::Title, title).await.map_err(at(SettingsField::Title))?;
        }
        let before = self.found.topic.as_deref().unwrap_or_default();
        if let Some(topic) = topic.as_ref().map(RoomText::as_str).filter(|topic| *topic != before) {
            self.set_text(ModerationAction::Topic, topic).await.map_err(at(SettingsField::Topic))?;
        }
        Ok(FormOutcome::Done(self.saved(SettingsForm::Description)))
    }

    async fn change(&self, form: SettingsForm) -> Result<FormOutcome, Rejection> {
        match form {
            // Handled before.
            SettingsForm::Username | SettingsForm::Description => {}
            SettingsForm::Access => {
                let locks = match self.fields.access.as_deref() {
                    Some("locked") => true,
                    Some("link") => false,
                    _ => return Err(invalid("Choose who may come in.")),
                };
                if locks != self.found.locked {
                    let action = if locks { ModerationAction::Lock } else { ModerationAction::Unlock };
                    self.moderate(action, None).await?;
                }
            }
            SettingsForm::Renew => self.moderate(ModerationAction::Renew, None).await?,
            SettingsForm::SlowMode => {
                let seconds = self.value()?;
                if seconds != self.found.slow_mode {
                    self.moderate(ModerationAction::SlowMode, Some(seconds)).await?;
                }
            }
            SettingsForm::Retention => {
                let days = self.value()?;
                let seconds = days.checked_mul(DAY_SECONDS).ok_or_else(|| invalid("That is too long."))?;
                if days != self.found.retention.unwrap_or_default() {
                    self.moderate(ModerationAction::Retention, Some(seconds)).await?;
                }
            }
            SettingsForm::Mute => self.act(ModerationAction::Mute, Some(self.value()?)).await?,
            SettingsForm::Ban => self.act(ModerationAction::Ban, Some(self.value()?)).await?,
            SettingsForm::Pardon => self.act(ModerationAction::Pardon, None).await?,
            SettingsForm::NewHook => return self.create_hook().await,
            SettingsForm::NewToken => {
                let label = self.fields.token_label.as_deref().unwrap_or_default();
                let created = self.state.chat.create_room_token(self.room(), self.visitor, label).await?;
                let label = "The token. It is shown only now.";
                return Ok(FormOutcome::Created(CreatedSecret { form, label, text: created.secret }));
            }
            SettingsForm::EndHook => {
                self.check_limit()?;
                if !self.state.chat.end_hook(self.found.room.id, self.id()).await? {
                    return Err(Rejection::new(RejectionCode::NotFound, "This room has no such webhook."));
                }
            }
            SettingsForm::EndToken => {
                self.check_limit()?;
                self.state.chat.revoke_room_token(self.room(), self.visitor, self.id()).await?;
            }
            SettingsForm::Remove | SettingsForm::HandOver | SettingsForm::Delete => {
                if self.fields.confirmed.is_none() {
                    return Ok(FormOutcome::Asked(Box::new(self.question(form).await?)));
                }
                match form {
                    SettingsForm::Remove => self.act(ModerationAction::Remove, None).await?,
                    SettingsForm::HandOver => self.act(ModerationAction::HandOver, None).await?,
                    _ => {
                        self.state.chat.delete_room(self.room(), self.visitor).await?;
                        return Ok(FormOutcome::Done(Redirect::to("/").into_response()));
                    }
                }
            }
        }
        Ok(FormOutcome::Done(self.saved(form)))
    }

    fn id(&self) -> &str {
        self.fields.id.as_deref().unwrap_or_default()
    }

    /// Counts a change that is not in the room's log.
    fn check_limit(&self) -> Result<(), Rejection> {
        let checked = self.state.limiter.check_message(&self.visitor.author, self.visitor.network, 0);
        checked.map_err(|limited| limited.rejection("Slow down a little."))
    }

    /// Creates an outgoing webhook if the form has an address, and otherwise an incoming one.
    async fn create_hook(&self) -> Result<FormOutcome, Rejection> {
        let (chat, config, form) = (&self.state.chat, &self.state.config, SettingsForm::NewHook);
        let room_id = self.found.room.id;
        let name = self.fields.hook_name.as_deref().unwrap_or_default();
        self.check_limit()?;
        let (label, text) = match self.fields.webhook_url.as_deref().map(str::trim).filter(|url| !url.is_empty()) {
            Some(_) if !config.outgoing_webhooks => {
                return Err(Rejection::new(RejectionCode::Forbidden, "This site sends no webhooks."));
            }
            Some(url) => {
                let hook = chat.create_outgoing_hook(room_id, name, url, &config.webhook_hosts).await?;
                ("The secret of its signatures. It is shown only now.", hook.shown_once)
            }
            None => {
                let hook = chat.create_incoming_hook(room_id, name).await?;
                let path = self.room().path();
                ("The address that programs post to. It is shown only now.", path + &hook.shown_once)
            }
        };
        Ok(FormOutcome::Created(CreatedSecret { form, label, text }))
    }

    /// Returns the question before a form that cannot be undone.
    async fn question(&self, form: SettingsForm) -> Result<ConfirmPageData, Rejection> {
        let title = self.found.title();
        let person = match form {
            SettingsForm::Delete => None,
            _ => {
                let key = self.fields.person.as_deref().unwrap_or_default();
                let person = find_person(self.state, self.found, key).await?;
                Some(person.ok_or_else(|| invalid("Choose somebody who is in this room."))?)
            }
        };
        let name = person.as_ref().map_or("", |person| person.username.as_str());
        let (heading, detail, label) = match form {
            SettingsForm::HandOver => (
                format!("Hand {title} over to {name}?"),
                "They become the owner, and you cannot take the room back. You stay in it.",
                "Hand over",
            ),
            SettingsForm::Remove => (
                format!("Remove {name} from {title}?"),
                "They cannot come back, and the invite link is replaced. Everybody else stays.",
                "Remove",
            ),
            _ => (
                format!("Delete {title}?"),
                "Every message is deleted, for everybody, at once, and for good. You can’t undo this.",
                "Delete the room",
            ),
        };
        let token = self.state.form_tokens.of(&self.visitor.author);
        Ok(ConfirmPageData { room: self.room().clone(), token, form, person, heading, detail, label })
    }

    fn value(&self) -> Result<u32, Rejection> {
        let value = self.fields.value.as_deref().and_then(|value| value.parse().ok());
        value.ok_or_else(|| invalid("Choose one of these values."))
    }

    async fn set_text(&self, action: ModerationAction, text: &str) -> Result<(), Rejection> {
        let command = RoomCommand::Moderate {
            action,
            target: None,
            tag: None,
            seconds: None,
            text: Some(text),
            username: self.acting_username(),
        };
        self.send(command).await
    }

    async fn moderate(&self, action: ModerationAction, seconds: Option<u32>) -> Result<(), Rejection> {
        self.send(RoomCommand::Moderate {
            action,
            target: None,
            tag: None,
            seconds,
            text: None,
            username: self.acting_username(),
        })
        .await
    }

    /// Takes an action on the person whom the form is about.
    async fn act(&self, action: ModerationAction, seconds: Option<u32>) -> Result<(), Rejection> {
        let key = self.fields.person.as_deref().unwrap_or_default();
        let (target, tag) = parse_person(key).ok_or_else(|| invalid("Choose somebody who is in this room."))?;
        self.send(RoomCommand::Moderate { action, target, tag, seconds, text: None, username: self.acting_username() })
            .await
    }

    async fn send(&self, command: RoomCommand<'_>) -> Result<(), Rejection> {
        self.state.chat.submit_and_wait(self.room(), self.visitor, None, command).await.map(|_| ())
    }

    /// Redirects to the section of a form that was applied.
    fn saved(&self, form: SettingsForm) -> Response {
        let mut location = format!("{}?saved={}", self.room().settings_path(), form.as_str());
        let is_of_people = form.section() == SettingsForm::Pardon.section();
        // Only what was just validated gets into the address.
        if is_of_people && let Some(key) = self.fields.person.as_deref().filter(|key| parse_person(key).is_some()) {
            location.push_str(&format!("&person={key}"));
        }
        if let Some(page) = self.fields.people.as_deref().and_then(|page| page.parse::<u32>().ok()) {
            location.push_str(&format!("&people={page}"));
        }
        location.push_str(&format!("#{}", form.section()));
        Redirect::to(&location).into_response()
    }
}

fn invalid(detail: &str) -> Rejection {
    Rejection::new(RejectionCode::Invalid, detail)
}
