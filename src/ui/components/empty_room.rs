//! What stands in a room in which nobody has spoken yet.

use super::share_link::ShareLink;
use leptos::prelude::*;

#[component]
pub(super) fn EmptyRoom() -> impl IntoView {
    view! {
        <h2>"Nobody has spoken yet."</h2>
        <p>"Share this link; whoever opens it is in."</p>
        <ShareLink within=".empty-room" />
    }
}
