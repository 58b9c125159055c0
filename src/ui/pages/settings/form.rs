//! Parts of the forms on the settings page.

use super::data::{RefusedSetting, SettingsField, SettingsForm};
use crate::ui::components::{Icon, Symbol};
use leptos::prelude::*;

/// The values that all forms of a page share.
#[derive(Clone, Debug)]
pub(super) struct FormContext {
    pub(super) path: String,
    pub(super) token: String,
    pub(super) saved: Option<SettingsForm>,
    pub(super) refused: Option<RefusedSetting>,
}

/// Returns the address that forms are sent to.
pub(super) fn path() -> String {
    expect_context::<FormContext>().path
}

/// The hidden fields of a form: its name, and the token of the visitor.
#[component]
pub(super) fn Hidden(form: SettingsForm) -> impl IntoView {
    let FormContext { token, .. } = expect_context();
    view! {
        <input type="hidden" name="action" value=form.as_str() />
        <input type="hidden" name="token" value=token />
    }
}

/// Returns the id of the reason for which this field was refused, or `None` if it was not.
pub(super) fn described_by(field: SettingsField) -> Option<&'static str> {
    let refused = expect_context::<FormContext>().refused?;
    (refused.field == field).then(|| problem_id(field))
}

fn problem_id(field: SettingsField) -> &'static str {
    match field {
        SettingsField::Title => "title-problem",
        SettingsField::Topic => "topic-problem",
        SettingsField::Form(form) => form.as_str(),
        SettingsField::Page => "page-problem",
    }
}

/// Returns the reason for which this field was refused, if it was.
pub(super) fn problem(field: SettingsField) -> Option<impl IntoView> {
    let refused = expect_context::<FormContext>().refused.filter(|refused| refused.field == field)?;
    Some(
        view! { <p class="problem" id=problem_id(field) role="alert"><Icon symbol=Symbol::Alert small=true /><span dir="auto">{refused.detail}</span></p> },
    )
}

/// Returns the confirmation that this form was saved, if it was the last one.
pub(super) fn saved(form: SettingsForm) -> Option<impl IntoView> {
    let is_saved = expect_context::<FormContext>().saved == Some(form);
    is_saved.then(|| view! { <span class="saved is-visible" role="status"><Icon symbol=Symbol::Check small=true />"Saved"</span> })
}

/// The confirmation of a form that the script saves as soon as it is changed. It is shown once that was done.
pub(super) fn saved_status(form: SettingsForm) -> impl IntoView {
    let is_saved = expect_context::<FormContext>().saved == Some(form);
    view! { <span class="saved" class:is-visible=is_saved role="status"><Icon symbol=Symbol::Check small=true />"Saved"</span> }
}

/// A choice from a list, with the current value selected.
#[component]
pub(super) fn Select(
    name: &'static str,
    /// The label for screen readers.
    label: &'static str,
    options: Vec<(String, String)>,
    #[prop(optional)] selected: Option<String>,
) -> impl IntoView {
    let option = |(value, text): (String, String)| {
        let is_selected = selected.as_ref() == Some(&value);
        view! { <option value=value selected=is_selected>{text}</option> }
    };
    view! {
        <span class="select">
            <select name=name aria-label=label>{options.into_iter().map(option).collect_view()}</select>
            <Icon symbol=Symbol::Select small=true />
        </span>
    }
}
