//! The people of a room, with what its owner can do about each.

use super::data::{PeoplePage, PersonRow, PersonStatus, SettingsForm};
use super::form::{Hidden, Select, path, problem};
use crate::domain::Timestamp;
use crate::ui::components::{Avatar, Icon, Symbol};
use leptos::either::Either;
use leptos::prelude::*;

/// Durations of mutes and bans to choose from, in seconds.
const MUTES: [(u32, &str); 5] =
    [(600, "10 minutes"), (3600, "1 hour"), (86_400, "1 day"), (604_800, "7 days"), (2_592_000, "30 days")];
const BANS: [(u32, &str); 5] =
    [(3600, "1 hour"), (86_400, "1 day"), (604_800, "7 days"), (2_592_000, "30 days"), (31_536_000, "1 year")];

impl PersonRow {
    /// Returns the name, with the tag if another person has the same name.
    pub(super) fn distinct_name(&self) -> String {
        match self.shows_tag {
            true => format!("{} ({})", self.username, self.tag.as_str()),
            false => self.username.to_string(),
        }
    }
}

#[component]
pub(super) fn PeopleSection(people: PeoplePage, is_private: bool) -> impl IntoView {
    let PeoplePage { people, page, pages, own, changed, .. } = people;
    let is_empty = people.is_empty();
    view! {
        <section class="section" id="people">
            <h2>"People"</h2>
            {problem(SettingsForm::Pardon.into())}
            {changed.map(|person| view! { <ChangedBar person page /> })}
            {is_empty.then(|| view! { <p class="hint">"Nobody else is here yet."</p> })}
            <ul class="group">
                {own.map(|(username, tag)| view! {
                    <li class="row">
                        <Avatar username=username.clone() tag />
                        <div class="what"><b dir="auto">{username.to_string()}</b><p class="hint">"owner, that’s you"</p></div>
                    </li>
                })}
                {people.into_iter().map(|person| view! { <Person person page is_private /> }).collect_view()}
            </ul>
            {(pages > 1).then(|| view! { <Pages page pages /> })}
        </section>
    }
}

/// The last change about somebody, with Undo.
#[component]
fn ChangedBar(person: PersonRow, page: usize) -> impl IntoView {
    let text = match person.status {
        PersonStatus::Banned(until) => Some((" is banned until ", Some(until))),
        PersonStatus::Muted(until) => Some((" is muted until ", Some(until))),
        PersonStatus::Removed => Some((" was removed, and the link replaced.", None)),
        _ => None,
    };
    let name = person.distinct_name();
    match text {
        Some((text, until)) => Either::Left(view! {
            <form class="bar" method="post" action=path()>
                <PersonFields form=SettingsForm::Pardon person page />
                <Icon symbol=Symbol::Ban />
                <span role="status"><bdi>{name}</bdi>{text}{until.map(|at| view! { <Time at /> "." })}</span>
                {until.map(|_| view! { <button class="button-quiet">"Undo"</button> })}
            </form>
        }),
        None => Either::Right(view! {
            <p class="bar good" role="status"><span><bdi>{name}</bdi>" can write again."</span></p>
        }),
    }
}

#[component]
fn PersonFields(form: SettingsForm, person: PersonRow, page: usize) -> impl IntoView {
    view! {
        <Hidden form />
        <input type="hidden" name="person" value=person.key />
        <input type="hidden" name="people" value=page />
    }
}

#[component]
fn Person(person: PersonRow, page: usize, is_private: bool) -> impl IntoView {
    let (username, tag) = (person.username.clone(), person.tag.clone());
    let tag_text = person.shows_tag.then(|| tag.as_str().to_owned());
    let pardon = match person.status {
        PersonStatus::Removed => Some("Let back in"),
        PersonStatus::Banned(_) => Some("Lift the ban"),
        PersonStatus::Muted(_) => Some("Unmute"),
        _ => None,
    };
    let is_out = matches!(person.status, PersonStatus::Removed | PersonStatus::Banned(_));
    let row = person.clone();
    let choice = move |form, label, times: &'static [(u32, &'static str)]| {
        view! { <Choose person=row.clone() page form label times /> }
    };
    view! {
        <li class="row">
            <Avatar username=username.clone() tag=tag />
            <div class="what">
                <b dir="auto">{username.to_string()}</b>
                <p class="hint"><Status person=person.clone() />{tag_text.map(|tag| view! { " · " <span class="tag">{tag}</span> })}</p>
            </div>
            <div class="acts">
                {pardon.map(|label| view! { <Act person=person.clone() page form=SettingsForm::Pardon label /> })}
                {(!is_out && !person.is_muted).then(|| choice(SettingsForm::Mute, "Mute", &MUTES))}
                {(!is_out).then(|| choice(SettingsForm::Ban, "Ban", &BANS))}
                {(!is_out && is_private).then(|| view! { <Act person=person.clone() page form=SettingsForm::Remove label="Remove…" /> })}
            </div>
        </li>
    }
}

#[component]
fn Status(person: PersonRow) -> impl IntoView {
    let (text, at) = match person.status {
        PersonStatus::Removed => ("removed from the room", None),
        PersonStatus::Banned(until) => ("banned until ", Some(until)),
        PersonStatus::Muted(until) => ("muted until ", Some(until)),
        PersonStatus::Here => ("here now", None),
        PersonStatus::Wrote(at) => ("last message ", Some(at)),
        PersonStatus::Member => ("was here", None),
    };
    view! { {text} {at.map(|at| view! { <Time at /> })} }
}

#[component]
fn Time(at: Timestamp) -> impl IntoView {
    view! { <time datetime=at.rfc3339()>{format!("{} at {} UTC", at.day_utc(), at.time_utc())}</time> }
}

/// A button that acts on somebody. The name is in its label for screen readers.
#[component]
fn Act(person: PersonRow, page: usize, form: SettingsForm, label: &'static str) -> impl IntoView {
    let name = person.distinct_name();
    let class = if form == SettingsForm::Remove { "button-quiet danger" } else { "button-quiet" };
    view! {
        <form method="post" action=path()>
            <PersonFields form person page />
            <button class=class>{label}<span class="visually-hidden">" " <bdi>{name}</bdi></span></button>
        </form>
    }
}

/// A button that unfolds a choice of durations.
#[component]
fn Choose(
    person: PersonRow,
    page: usize,
    form: SettingsForm,
    label: &'static str,
    times: &'static [(u32, &'static str)],
) -> impl IntoView {
    let name = person.distinct_name();
    let class = if form == SettingsForm::Ban { "button-quiet danger" } else { "button-quiet" };
    let options = times.iter().map(|(seconds, text)| (seconds.to_string(), (*text).to_owned())).collect();
    view! {
        <details class="choose" name="choose">
            <summary class=class>{label}"…"<span class="visually-hidden">" " <bdi>{name}</bdi></span></summary>
            <form method="post" action=path()>
                <PersonFields form person page />
                <Select name="value" label="For how long" options />
                <button class=class>{label}</button>
            </form>
        </details>
    }
}

#[component]
fn Pages(page: usize, pages: usize) -> impl IntoView {
    let link = |page: usize| format!("?people={page}#people");
    view! {
        <nav class="pages" aria-label="People">
            {(page > 1).then(|| view! { <a class="button-quiet" href=link(page - 1) rel="prev">"Previous"</a> })}
            <span class="hint">{format!("Page {page} of {pages}")}</span>
            {(page < pages).then(|| view! { <a class="button-quiet" href=link(page + 1) rel="next">"Next"</a> })}
        </nav>
    }
}
