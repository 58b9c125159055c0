//! The owner's sections about the room: title and topic, access, messages, and what cannot be undone.

use super::data::{PersonRow, SettingsField, SettingsForm};
use super::form::{Hidden, Select, described_by, path, problem, saved, saved_status};
use crate::domain::room_text::{MAX_TITLE_CHARS, MAX_TOPIC_CHARS};
use leptos::prelude::*;

/// Intervals of slow mode to choose from, in seconds.
const SLOW_MODES: [u32; 5] = [0, 10, 30, 60, 300];

/// Numbers of days to choose from, for which messages are kept.
const RETENTIONS: [u32; 5] = [1, 7, 30, 90, 365];

#[component]
pub(super) fn DescriptionSection(title: String, topic: String, room_name: String) -> impl IntoView {
    let form = SettingsForm::Description;
    let title_problem = described_by(SettingsField::Title);
    let topic_problem = described_by(SettingsField::Topic);
    view! {
        <section class="section" id="room">
            <h2>"Name and topic"</h2>
            <p class="hint">"Only you, the owner, see this and everything below."</p>
            <div class="group">
                <form class="row form" method="post" action=path()>
                    <Hidden form />
                    <label class="field">
                        <span>"Name"</span>
                        <input
                            class="input"
                            name="title"
                            value=title
                            placeholder=room_name
                            autocomplete="off"
                            maxlength=4 * MAX_TITLE_CHARS
                            dir="auto"
                            aria-invalid=title_problem.map(|_| "true")
                            aria-describedby=title_problem
                        />
                    </label>
                    {problem(SettingsField::Title)}
                    <label class="field">
                        <span>"Topic"</span>
                        <input
                            class="input"
                            name="topic"
                            value=topic
                            autocomplete="off"
                            maxlength=4 * MAX_TOPIC_CHARS
                            dir="auto"
                            aria-invalid=topic_problem.map(|_| "true")
                            aria-describedby=topic_problem.unwrap_or("topic-hint")
                        />
                    </label>
                    {problem(SettingsField::Topic)}
                    <p class="hint" id="topic-hint">"One line under the name. Everybody sees it. The address stays."</p>
                    {problem(form.into())}
                    <div class="acts"><button class="button">"Save"</button>{saved(form)}</div>
                </form>
            </div>
        </section>
    }
}

#[component]
pub(super) fn AccessSection(is_locked: bool, invitation: Option<String>) -> impl IntoView {
    let form = SettingsForm::Access;
    view! {
        <section class="section" id="access">
            <h2 id="access-title">"Who may come in"</h2>
            <div class="group">
                <form method="post" action=path() aria-labelledby="access-title" data-saves="">
                    <Hidden form />
                    <Choice value="link" is_chosen=!is_locked name="Anyone with the link" hint="They can read everything that is kept." />
                    <Choice value="locked" is_chosen=is_locked name="Nobody new" hint="Only people who were here before can come in." />
                    {problem(form.into())}
                    <div class="row acts">{saved_status(form)}<button class="button small">"Save"</button></div>
                </form>
                {invitation.map(|link| view! { <Invitation link /> })}
            </div>
        </section>
    }
}

#[component]
fn Choice(value: &'static str, is_chosen: bool, name: &'static str, hint: &'static str) -> impl IntoView {
    view! {
        <label class="choice">
            <input type="radio" name="access" value=value checked=is_chosen />
            <span><b>{name}</b><span class="hint">{hint}</span></span>
        </label>
    }
}

#[component]
fn Invitation(link: String) -> impl IntoView {
    let form = SettingsForm::Renew;
    view! {
        <form class="row" method="post" action=path()>
            <Hidden form />
            <div class="what">
                <b>"Invite link"</b>
                <p class="hint">"A new link makes the old one stop working. Nobody here has to leave."</p>
            </div>
            <div class="acts">{saved(form)}<button class="button-quiet">"Make a new link"</button></div>
            <input class="input link" readonly aria-label="Invite link" value=link />
            {problem(form.into())}
        </form>
    }
}

#[component]
pub(super) fn MessagesSection(slow_mode: u32, retention: Option<u32>, retention_limit: Option<u32>) -> impl IntoView {
    let text = |seconds: u32| match seconds {
        0 => "Off".to_owned(),
        60 => "1 minute".to_owned(),
        _ if seconds.is_multiple_of(60) => format!("{} minutes", seconds / 60),
        _ => format!("{seconds} seconds"),
    };
    let slow_modes = with_current(&SLOW_MODES, Some(slow_mode)).into_iter().map(|it| (it.to_string(), text(it)));
    // A choice of the owner beyond the host's limit has no effect.
    let retention = retention.filter(|days| retention_limit.is_none_or(|limit| *days < limit));
    let is_within = |days: &u32| retention_limit.is_none_or(|limit| *days < limit);
    let shorter: Vec<u32> = RETENTIONS.into_iter().filter(is_within).collect();
    let longest = retention_limit.map_or_else(|| "Forever".to_owned(), days);
    let retentions = with_current(&shorter, retention).into_iter().map(|it| (it.to_string(), days(it)));
    let retentions = retentions.chain([("0".to_owned(), longest)]).collect();
    view! {
        <section class="section" id="messages">
            <h2>"Messages"</h2>
            <div class="group">
                <SelectRow
                    form=SettingsForm::SlowMode
                    label="Slow mode"
                    hint="How long each person waits between messages."
                    options=slow_modes.collect()
                    selected=slow_mode
                />
                <SelectRow
                    form=SettingsForm::Retention
                    label="Keep messages"
                    hint="Then they are deleted for good."
                    options=retentions
                    selected=retention.unwrap_or(0)
                />
            </div>
        </section>
    }
}

fn days(days: u32) -> String {
    match days {
        1 => "1 day".to_owned(),
        365 => "1 year".to_owned(),
        _ => format!("{days} days"),
    }
}

/// Returns the choices, with the current value among them.
fn with_current(choices: &[u32], current: Option<u32>) -> Vec<u32> {
    let mut all = choices.to_vec();
    all.extend(current);
    all.sort_unstable();
    all.dedup();
    all
}

/// A setting that is chosen from a list.
#[component]
fn SelectRow(
    form: SettingsForm,
    label: &'static str,
    hint: &'static str,
    options: Vec<(String, String)>,
    selected: u32,
) -> impl IntoView {
    view! {
        <form class="row" method="post" action=path() data-saves="">
            <Hidden form />
            <div class="what"><b>{label}</b><p class="hint">{hint}</p></div>
            <div class="acts">
                {saved_status(form)}
                <Select name="value" label options selected=selected.to_string() />
                <button class="button small">"Save"</button>
            </div>
            {problem(form.into())}
        </form>
    }
}

#[component]
pub(super) fn DangerSection(heirs: Vec<PersonRow>) -> impl IntoView {
    let (hand_over, delete) = (SettingsForm::HandOver, SettingsForm::Delete);
    let heir = |person: PersonRow| (person.key.clone(), person.distinct_name());
    let options: Vec<_> =
        [(String::new(), "Choose…".to_owned())].into_iter().chain(heirs.into_iter().map(heir)).collect();
    view! {
        <section class="section" id="danger">
            <h2>"Danger zone"</h2>
            <div class="group danger">
                {(options.len() > 1).then(|| view! {
                    <form class="row" method="post" action=path()>
                        <Hidden form=hand_over />
                        <div class="what">
                            <b>"Hand the room over"</b>
                            <p class="hint">"Somebody else becomes the owner. You stay in the room."</p>
                        </div>
                        <div class="acts">
                            <Select name="person" label="New owner" options />
                            <button class="button-quiet danger">"Hand over…"</button>
                        </div>
                        {problem(hand_over.into())}
                    </form>
                })}
                <form class="row" method="post" action=path()>
                    <Hidden form=delete />
                    <div class="what">
                        <b>"Delete the room"</b>
                        <p class="hint">"For everybody, at once, for good."</p>
                    </div>
                    <div class="acts"><button class="button-quiet danger">"Delete…"</button></div>
                    {problem(delete.into())}
                </form>
            </div>
        </section>
    }
}
