//! The settings of a room: forms that work without JavaScript. A visitor sets their name; the owner sets everything
//! else.

mod confirm;
mod data;
mod form;
mod people;
mod programs;
mod room_sections;

pub(super) use confirm::ConfirmPage;
pub use data::{
    ConfirmPageData, CreatedSecret, OwnerSettings, PeoplePage, PersonRow, PersonStatus, ProgramRow, ProgramSettings,
    RefusedSetting, SettingsField, SettingsForm, SettingsPageData,
};

use super::page_title::PageTitle;
use super::settings::people::PeopleSection;
use super::settings::programs::ProgramSections;
use super::settings::room_sections::{AccessSection, DangerSection, DescriptionSection, MessagesSection};
use crate::ui::components::{Icon, Symbol};
use form::{FormContext, Hidden, described_by, problem, saved};
use leptos::prelude::*;

#[component]
pub(crate) fn SettingsPage(data: SettingsPageData) -> impl IntoView {
    let SettingsPageData { room, title, token, username, saved, refused, owner } = data;
    let back = format!("Back to {title}");
    let is_owner = owner.is_some();
    provide_context(FormContext { path: room.settings_path(), token, saved, refused });
    view! {
        <PageTitle text=format!("Settings · {title} · Parlour") />
        <div class="settings-page">
            <header class="page-header">
                <a class="icon-button" href=room.path() aria-label=back.clone() title=back><Icon symbol=Symbol::Back /></a>
                <h1>"Settings " <span class="soft small clip" dir="auto">{title.clone()}</span></h1>
            </header>
            <div class="settings">
                <SettingsNav is_owner />
                <main>
                    {problem(SettingsField::Page)}
                    <UsernameSection username />
                    {owner.map(|owner| view! { <OwnerSections owner room_name=room.title().to_owned() /> })}
                </main>
            </div>
        </div>
    }
}

#[component]
fn SettingsNav(is_owner: bool) -> impl IntoView {
    let of_room = [
        ("#room", "Name and topic"),
        ("#access", "Who may come in"),
        ("#messages", "Messages"),
        ("#people", "People"),
        ("#hooks", "Webhooks"),
        ("#tokens", "Tokens"),
        ("#danger", "Danger zone"),
    ];
    let link = |(href, label): (&'static str, &'static str)| view! { <li><a href=href>{label}</a></li> };
    view! {
        <nav class="settings-nav" aria-label="Settings">
            <h2>"You"</h2>
            <ul>{link(("#you", "Name"))}</ul>
            {is_owner.then(|| view! {
                <h2>"This room"</h2>
                <ul>{of_room.map(link).collect_view()}</ul>
            })}
        </nav>
    }
}

#[component]
fn UsernameSection(username: String) -> impl IntoView {
    let form = SettingsForm::Username;
    let refused = described_by(form.into());
    view! {
        <section class="section" id="you">
            <h2>"You"</h2>
            <div class="group">
                <form class="row form" method="post" action=form::path()>
                    <Hidden form />
                    <label class="field">
                        <span>"Your name"</span>
                        <span class="joined">
                            <input
                                class="input"
                                name="username"
                                value=username
                                autocomplete="nickname"
                                maxlength="256"
                                required
                                dir="auto"
                                aria-invalid=refused.map(|_| "true")
                                aria-describedby=refused.unwrap_or("username-hint")
                            />
                            <button class="button small">"Save"</button>
                        </span>
                    </label>
                    {problem(form.into())}
                    {saved(form)}
                    <p class="hint" id="username-hint">
                        "How others see you in every room here. Older messages keep the name they were sent with."
                    </p>
                </form>
            </div>
        </section>
    }
}

#[component]
fn OwnerSections(owner: OwnerSettings, room_name: String) -> impl IntoView {
    let OwnerSettings { title, topic, is_locked, invitation, slow_mode, retention, retention_limit, people, programs } =
        owner;
    let (heirs, is_private) = (people.heirs.clone(), invitation.is_some());
    view! {
        <DescriptionSection title topic room_name />
        <AccessSection is_locked invitation />
        <MessagesSection slow_mode retention retention_limit />
        <PeopleSection people is_private />
        <ProgramSections programs />
        <DangerSection heirs />
    }
}
