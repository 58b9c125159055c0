//! Fields and results of the forms of a room's settings page.

use crate::domain::event::parse_seq;
use crate::domain::{AuthorTag, Seq};
use crate::ui::{ConfirmPageData, CreatedSecret, SettingsForm};
use axum::response::Response;
use serde::Deserialize;

/// The fields of all forms. The value of `action` decides which of them are used.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct FormFields {
    pub(super) action: Option<String>,
    pub(super) token: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) topic: Option<String>,
    pub(super) access: Option<String>,
    pub(super) value: Option<String>,
    pub(super) person: Option<String>,
    pub(super) confirmed: Option<String>,
    /// The id of a webhook or a token.
    pub(super) id: Option<String>,
    pub(crate) hook_name: Option<String>,
    pub(crate) webhook_url: Option<String>,
    pub(crate) token_label: Option<String>,
    pub(crate) people: Option<String>,
}

impl FormFields {
    /// Returns the form: the one that `action` names, or else the one that the first of its fields belongs to.
    pub(super) fn form(&self) -> Option<SettingsForm> {
        let by_field = [
            (&self.hook_name, SettingsForm::NewHook),
            (&self.webhook_url, SettingsForm::NewHook),
            (&self.token_label, SettingsForm::NewToken),
            (&self.title, SettingsForm::Description),
            (&self.topic, SettingsForm::Description),
            (&self.access, SettingsForm::Access),
            (&self.username, SettingsForm::Username),
        ];
        match self.action.as_deref() {
            Some(action) => SettingsForm::from_name(action),
            None => by_field.into_iter().find_map(|(field, form)| field.as_ref().map(|_| form)),
        }
    }
}

/// Result of a form that was not refused.
pub(crate) enum FormOutcome {
    /// The response to a form that was applied.
    Done(Response),
    /// The visitor has to confirm.
    Asked(Box<ConfirmPageData>),
    /// The page shows a secret once.
    Created(CreatedSecret),
}

/// Parses the person whom a form is about: the number of a message, or `tag-` and a tag.
pub(super) fn parse_person(key: &str) -> Option<(Option<Seq>, Option<AuthorTag>)> {
    if let Some(tag) = key.strip_prefix("tag-") {
        let is_tag = tag.len() == 4 && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
        return is_tag.then(|| (None, Some(AuthorTag::from_trusted(tag.to_ascii_lowercase()))));
    }
    parse_seq(key).map(|seq| (Some(seq), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_named_by_a_message_or_a_tag() {
        assert_eq!(parse_person("42"), Some((Some(42), None)));
        assert_eq!(parse_person("tag-7F3a"), Some((None, Some(AuthorTag::from_trusted("7f3a".into())))));
        for nonsense in ["", "0", "-1", "tag-", "tag-7f3", "tag-7f3g", "tag-é3g", "x", "42&person=1"] {
            assert_eq!(parse_person(nonsense), None, "{nonsense}");
        }
    }
}
