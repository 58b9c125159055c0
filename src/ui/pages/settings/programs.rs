//! The programs that write in a room, or read it: webhooks and tokens.

use super::data::{CreatedSecret, ProgramRow, ProgramSettings, SettingsForm};
use super::form::{Hidden, described_by, path, problem, saved};
use crate::ui::components::{Icon, Symbol};
use leptos::prelude::*;

#[component]
pub(super) fn ProgramSections(programs: ProgramSettings) -> impl IntoView {
    let ProgramSettings { hooks, tokens, has_outgoing, typed: [hook_name, webhook_url, token_label], created } =
        programs;
    let (new_hook, new_token) = (SettingsForm::NewHook, SettingsForm::NewToken);
    let created_by = |form| created.clone().filter(|created| created.form == form);
    view! {
        <section class="section" id="hooks">
            <h2>"Webhooks"</h2>
            <p class="hint">"An address that other programs post messages to."</p>
            {problem(SettingsForm::EndHook.into())}
            {saved(SettingsForm::EndHook)}
            {created_by(new_hook).map(|created| view! { <Secret created /> })}
            <div class="group">
                {hooks.into_iter().map(|row| view! { <Program row end=SettingsForm::EndHook /> }).collect_view()}
                <form class="row form" method="post" action=path()>
                    <Hidden form=new_hook />
                    <Field form=new_hook label="New webhook" name="hook_name" value=hook_name hint="Its name in the room" creates=!has_outgoing />
                    {has_outgoing.then(|| view! {
                        <Field form=new_hook label="Send to (empty: it posts here)" name="webhook_url" value=webhook_url hint="https://" creates=true />
                    })}
                    {problem(new_hook.into())}
                </form>
            </div>
        </section>
        <section class="section" id="tokens">
            <h2>"Tokens"</h2>
            <p class="hint">"A program with a token reads and writes here under a name of its own."</p>
            {problem(SettingsForm::EndToken.into())}
            {saved(SettingsForm::EndToken)}
            {created_by(new_token).map(|created| view! { <Secret created /> })}
            <div class="group">
                {tokens.into_iter().map(|row| view! { <Program row end=SettingsForm::EndToken /> }).collect_view()}
                <form class="row form" method="post" action=path()>
                    <Hidden form=new_token />
                    <Field form=new_token label="New token" name="token_label" value=token_label hint="Its name in the room" creates=true />
                    {problem(new_token.into())}
                </form>
            </div>
        </section>
    }
}

#[component]
fn Field(
    form: SettingsForm,
    label: &'static str,
    name: &'static str,
    value: String,
    hint: &'static str,
    /// Whether the form's button is in the frame of the field.
    creates: bool,
) -> impl IntoView {
    let refused = described_by(form.into());
    view! {
        <label class="field">
            <span>{label}</span>
            <span class="joined">
                <input
                    class="input"
                    name=name
                    value=value
                    placeholder=hint
                    autocomplete="off"
                    dir="auto"
                    aria-invalid=refused.map(|_| "true")
                    aria-describedby=refused
                />
                {creates.then(|| view! { <button class="button small">"Create"</button> })}
            </span>
        </label>
    }
}

/// A secret, which is shown once.
#[component]
fn Secret(created: CreatedSecret) -> impl IntoView {
    let CreatedSecret { label, text, .. } = created;
    view! {
        <p class="bar good" role="status"><Icon symbol=Symbol::Check small=true /><span>{label}</span></p>
        <input class="input link" readonly aria-label=label value=text />
    }
}

#[component]
fn Program(row: ProgramRow, end: SettingsForm) -> impl IntoView {
    let ProgramRow { id, name, url, state, is_failing, is_active } = row;
    view! {
        <div class="row">
            <div class="what">
                <b dir="auto">{name.clone()}</b>
                {url.map(|url| view! { <p class="hint" dir="ltr">{url}</p> })}
                <p class=if is_failing { "problem" } else { "hint" } dir="auto">{state}</p>
            </div>
            {is_active.then(|| view! {
                <form class="acts" method="post" action=path()>
                    <Hidden form=end />
                    <input type="hidden" name="id" value=id />
                    <button class="button-quiet danger">"Delete"<span class="visually-hidden">" " <bdi>{name}</bdi></span></button>
                </form>
            })}
        </div>
    }
}
