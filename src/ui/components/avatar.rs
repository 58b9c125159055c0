//! The round sign that stands for an author: initials on the author's colour.

use crate::domain::{Tag, Username};
use leptos::prelude::*;

#[component]
pub(super) fn Avatar(username: Username, tag: Tag) -> impl IntoView {
    view! {
        <span class=format!("avatar hue-{}", tag.hue()) aria-hidden="true">
            {username.initials()}
        </span>
    }
}
