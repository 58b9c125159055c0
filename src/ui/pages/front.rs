//! The front page, which asks for a name and a room. It is a plain form, so that it works without JavaScript.

use crate::domain::RoomName;
use crate::ui::components::RecentRoomsSection;
use leptos::prelude::*;
use leptos_meta::{Meta, Title};

/// Description of the site for search engines and link previews.
const FRONT_PAGE_DESCRIPTION: &str =
    "Chat rooms that people enter by link: open a room, share its address, talk. No account, no app.";

/// Values of the form on the front page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrontPageData {
    /// The submitted name, or else the visitor's remembered one.
    pub username: Option<String>,
    /// The submitted room.
    pub room_name: Option<String>,
    /// The token that proves that the request comes from this form and not from a link.
    pub token: Option<String>,
    /// Whether search engines may list the page.
    pub is_indexed: bool,
}

#[component]
pub(crate) fn FrontPage(form: FrontPageData) -> impl IntoView {
    let FrontPageData { username, room_name, token, .. } = form;
    // The server shows the form again only if the room's name is invalid.
    let error = room_name.as_deref().and_then(|name| RoomName::parse_form(name).err());
    let description = error.is_some().then_some("room-name-error");
    view! {
        <Title text="Parlour" />
        <Meta property="og:title" content="Parlour" />
        <Meta property="og:description" content=FRONT_PAGE_DESCRIPTION />
        <Meta name="description" content=FRONT_PAGE_DESCRIPTION />
        <main class="front">
            <p class="front-logo">"Parlour"</p>
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
                        aria-invalid=description.map(|_| "true")
                        aria-describedby=description
                    />
                </label>
                {error.map(|reason| view! { <p id="room-name-error" class="form-error" role="alert">{reason.to_string()}</p> })}
                <p class="front-choices">
                    <button class="button">"Open the room"</button>
                    <button class="button-quiet" formmethod="post">"Open a private room"</button>
                </p>
                <p class="front-hint">"Only people with the link can join."</p>
            </form>
            <RecentRoomsSection />
        </main>
    }
}
