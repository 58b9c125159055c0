//! The front page: a name, a room, and in. A plain form, so it works without script.

use crate::domain::{KnownUsername, RoomName};
use crate::ui::FormToken;
use crate::ui::components::RecentRoomsSection;
use leptos::prelude::*;
use leptos_meta::{Meta, Title};
use leptos_router::hooks::use_query_map;

#[component]
pub(crate) fn FrontPage() -> impl IntoView {
    let query = use_query_map().read_untracked();
    // What was typed into the form, or else the name that the visitor goes by.
    let known = use_context::<KnownUsername>().and_then(|known| known.0).map(|name| name.to_string());
    let username = query.get("username").or(known);
    let token = use_context::<Option<FormToken>>().flatten().map(|FormToken(token)| token);
    let room_name = query.get("room_name");
    // Whoever comes back here with a room was turned away: the name cannot be one.
    let refused = room_name.as_deref().and_then(|name| RoomName::parse_form(name).err());
    let described = refused.is_some().then_some("room-name-error");
    view! {
        <Title text="Parlour" />
        <Meta property="og:title" content="Parlour" />
        <Meta property="og:description" content="Open a room, share the link, talk." />
        <main class="front">
            <p class="front-mark">"Parlour"</p>
            <h1>"Open a room, share the link, talk."</h1>
            <form class="front-form" method="get" action="/">
                {token.map(|token| view! { <input type="hidden" name="token" value=token /> })}
                <label>
                    "Your name"
                    <input name="username" value=username autocomplete="nickname" maxlength="256" dir="auto" />
                </label>
                <label>
                    "Room"
                    <input
                        name="room_name"
                        value=room_name
                        placeholder="harbour"
                        autocomplete="off"
                        autocapitalize="none"
                        spellcheck="false"
                        required
                        dir="auto"
                        aria-invalid=described.map(|_| "true")
                        aria-describedby=described
                    />
                </label>
                {refused.map(|reason| view! { <p id="room-name-error" class="form-error" role="alert">{reason.to_string()}</p> })}
                <p class="front-choices">
                    <button class="button">"Enter"</button>
                    <button class="button-quiet" formmethod="post">"Open a private room"</button>
                </p>
                <p class="front-hint">"Into a private room come only those who have its link."</p>
            </form>
            <RecentRoomsSection />
        </main>
    }
}
