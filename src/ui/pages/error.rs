//! The page of a URL that leads nowhere, with the reason.

use super::page_title::PageTitle;
use leptos::prelude::*;

/// The reason why a URL has no page, or none for this visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageError {
    /// The problem in a few words.
    pub heading: &'static str,
    /// The reason, in a sentence.
    pub reason: String,
}

impl PageError {
    /// Returns the error of a URL without a room.
    pub fn no_room(reason: String) -> Self {
        Self { heading: "There is no such room.", reason }
    }
}

#[component]
pub(crate) fn ErrorPage(error: PageError) -> impl IntoView {
    let PageError { heading, reason } = error;
    view! {
        <PageTitle text=format!("{} · Parlour", heading.trim_end_matches('.')) />
        <main class="error-page">
            <h1>{heading}</h1>
            <p>{reason}</p>
            <a class="button-quiet" href="/">"Your rooms"</a>
        </main>
    }
}
