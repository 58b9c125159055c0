//! The question before something that cannot be undone.

use super::data::ConfirmPageData;
use super::form::{FormContext, Hidden};
use crate::ui::pages::page_title::PageTitle;
use leptos::prelude::*;

#[component]
pub(crate) fn ConfirmPage(data: ConfirmPageData) -> impl IntoView {
    let ConfirmPageData { room, token, form, person, heading, detail, label } = data;
    let path = room.settings_path();
    provide_context(FormContext { path: path.clone(), token, saved: None, refused: None });
    view! {
        <PageTitle text=format!("{heading} · Parlour") />
        <main class="settings-page error-page">
            <h1 dir="auto">{heading}</h1>
            <p>{detail}</p>
            <form class="acts" method="post" action=path.clone()>
                <Hidden form />
                <input type="hidden" name="confirmed" value="yes" />
                {person.map(|person| view! { <input type="hidden" name="person" value=person.key /> })}
                // With a query: without one, this would be the address of the answer itself, and lead nowhere.
                <a class="button-quiet" href=format!("{path}?people=1#{}", form.section())>"Cancel"</a>
                <button class="button danger">{label}</button>
            </form>
        </main>
    }
}
