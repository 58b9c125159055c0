//! The avatar of an author: initials on a color that belongs to the author's tag.

use crate::domain::{AuthorTag, Username};
use leptos::prelude::*;

#[component]
pub(crate) fn Avatar(username: Username, tag: AuthorTag) -> impl IntoView {
    view! {
        <span class=format!("avatar hue-{}", tag.hue()) aria-hidden="true">
            {username.initials()}
        </span>
    }
}
