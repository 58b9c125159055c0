//! A room in which nobody has spoken yet.

use super::share_link::ShareLink;
use leptos::prelude::*;

#[component]
pub(super) fn EmptyRoom() -> impl IntoView {
    view! {
        <div class="empty-room">
            <h2>"Nobody has spoken yet."</h2>
            <p>"Share this link; whoever opens it is in."</p>
            <ShareLink />
        </div>
    }
}
