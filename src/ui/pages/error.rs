//! The page of a URL that leads nowhere, with the reason.

use super::page_title::PageTitle;
use crate::ui::components::{Icon, Symbol};
use leptos::prelude::*;

/// The kind of a [`PageError`], which is drawn above its heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageErrorKind {
    /// Nothing has this address.
    Missing,
    /// The room lets in only people who were there before.
    Locked,
    /// The visitor is banned.
    Banned,
    /// The visitor may try again later.
    Temporary,
}

/// The reason why a URL has no page, or none for this visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageError {
    /// The kind of the problem.
    pub kind: PageErrorKind,
    /// The problem in a few words.
    pub heading: String,
    /// The reason, in a sentence.
    pub reason: String,
}

impl PageError {
    /// Returns the error of a URL without a room.
    pub fn no_room(reason: String) -> Self {
        Self { kind: PageErrorKind::Missing, heading: "There’s no room here.".to_owned(), reason }
    }
}

#[component]
pub(crate) fn ErrorPage(error: PageError) -> impl IntoView {
    let PageError { kind, heading, reason } = error;
    let symbol = match kind {
        PageErrorKind::Missing => Symbol::Compass,
        PageErrorKind::Locked => Symbol::Lock,
        PageErrorKind::Banned => Symbol::Ban,
        PageErrorKind::Temporary => Symbol::Alert,
    };
    let (class, label) = match kind {
        PageErrorKind::Missing => ("button", "Open a room"),
        _ => ("button-quiet", "Your rooms"),
    };
    let retry = kind == PageErrorKind::Temporary;
    view! {
        <PageTitle text=format!("{} · Parlour", heading.trim_end_matches('.')) />
        <main class="error-page">
            <Icon symbol />
            <h1>{heading}</h1>
            <p>{reason}</p>
            <p class="error-acts">
                {retry.then(|| view! { <a class="button" href="">"Try again"</a> })}
                <a class=class href="/">{label}</a>
            </p>
        </main>
    }
}
