//! The invitation in a room without messages.

use crate::ui::components::sidebar::share_link::ShareLink;
use leptos::prelude::*;

#[component]
pub(crate) fn EmptyRoom() -> impl IntoView {
    view! {
        <h2>"It’s quiet in here."</h2>
        <p>"Send the link to somebody."</p>
        <ShareLink />
    }
}
