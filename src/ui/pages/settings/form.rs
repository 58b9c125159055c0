//! Parts of the forms on the settings page.

use super::data::{RefusedSetting, SettingsField, SettingsForm};
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
        view! { <p class="problem" id=problem_id(field) role="alert">{alert_icon()}<span dir="auto">{refused.detail}</span></p> },
    )
}

/// Returns the confirmation that this form was saved, if it was the last one.
pub(super) fn saved(form: SettingsForm) -> Option<impl IntoView> {
    let is_saved = expect_context::<FormContext>().saved == Some(form);
    is_saved.then(|| view! { <span class="saved" role="status">{check_icon()}"Saved"</span> })
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
            {icon("M4.5 7.5 10 13l5.5-5.5", "icon icon-s")}
        </span>
    }
}

fn icon(path: &'static str, class: &'static str) -> impl IntoView {
    view! { <svg class=class viewBox="0 0 20 20" aria-hidden="true"><path d=path /></svg> }
}

/// Returns an arrow back, which points to the other side from right to left.
pub(in crate::ui::pages) fn back_icon() -> impl IntoView {
    icon("M12.5 4.5 7 10l5.5 5.5", "icon flips")
}

pub(super) fn check_icon() -> impl IntoView {
    icon("m4.5 10.5 4 4L15.5 6", "icon icon-s")
}

pub(in crate::ui::pages) fn alert_icon() -> impl IntoView {
    icon("M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14Zm0 3.5v4m0 2.6v.1", "icon icon-s")
}

pub(super) fn ban_icon() -> impl IntoView {
    icon("M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM5.2 5.2l9.6 9.6", "icon")
}
