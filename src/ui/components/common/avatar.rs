//! The avatar of an author: initials on a color that belongs to the author's tag.

use crate::domain::{AuthorTag, Username, username};
use crate::ui::browser::text;
use leptos::prelude::*;

#[component]
pub(crate) fn Avatar(username: Username, tag: AuthorTag) -> impl IntoView {
    view! {
        <span class=format!("avatar hue-{}", tag.hue()) aria-hidden="true">
            {initials(&username)}
        </span>
    }
}

/// Returns the initials of a username.
pub(crate) fn initials(username: &Username) -> String {
    if cfg!(target_arch = "wasm32") { text::initials(username.as_str(), 2) } else { username.initials() }
}

/// Returns the first letter of a title.
pub(crate) fn first_letter(title: &str) -> String {
    if cfg!(target_arch = "wasm32") { text::initials(title, 1) } else { username::first_letter(title) }
}
