//! The page of an address where no other is shown: says why.

use crate::ui::PageError;
use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub(crate) fn ErrorPage() -> impl IntoView {
    let PageError { heading, reason } = use_context::<Option<PageError>>().flatten().unwrap_or_default();
    view! {
        <Title text=format!("{} · Parlour", heading.trim_end_matches('.')) />
        <main class="error-page">
            <h1>{heading}</h1>
            <p>{reason}</p>
            <a class="button-quiet" href="/">"To the front page"</a>
        </main>
    }
}
