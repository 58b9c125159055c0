//! The page of an address that leads nowhere: says why.

use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub(crate) fn NotFoundPage(
    /// One sentence.
    reason: String,
) -> impl IntoView {
    view! {
        <Title text="No such room · Parlour" />
        <main class="not-found">
            <h1>"There is no such room."</h1>
            <p>{reason}</p>
            <a class="button-quiet" href="/">"To the front page"</a>
        </main>
    }
}
