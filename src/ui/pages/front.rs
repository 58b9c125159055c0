//! The front page, which asks for a room and a name, and lists the visitor's rooms. It is a plain form, so that it works
//! without JavaScript.

use super::sample::SampleConversation;
use crate::domain::RoomName;
use crate::ui::components::RecentRoomsSection;
use crate::ui::room_list_data::{ROOM_LIST_DATA_ID, RoomListData};
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::{Meta, Title};

/// Description of the site for search engines and link previews.
const FRONT_PAGE_DESCRIPTION: &str =
    "Chat rooms that people enter by link: open a room, share its address, talk. No account, no app.";

/// Values of the form on the front page, and the visitor's rooms.
#[derive(Clone, Debug)]
pub struct FrontPageData {
    /// The submitted name, or else the visitor's remembered one.
    pub username: Option<String>,
    /// The submitted room.
    pub room_name: Option<String>,
    /// Whether the form opens a private room.
    pub is_private: bool,
    /// The host of the site, if it is known.
    pub host: Option<String>,
    /// The rooms that the server knows to be the visitor's.
    pub list: RoomListData,
    /// Whether search engines may list the page.
    pub is_indexed: bool,
}

#[component]
pub(crate) fn FrontPage(data: FrontPageData) -> impl IntoView {
    let FrontPageData { username, room_name, is_private, host, list, .. } = data;
    // The server shows the form again only if the room's name is invalid.
    let error = room_name.as_deref().and_then(|name| RoomName::parse_form(name).err());
    let description = if error.is_some() { "room-name-error" } else { "room-name-hint" };
    let is_invalid = error.is_some().then_some("true");
    // On phones, known rooms come first. Those that only the browser knows come last, so that nothing moves.
    let class = if list.rooms.is_empty() { "front-main" } else { "front-main knows-rooms" };
    let script = list.to_script();
    provide_context(list);
    view! {
        <Title text="Parlour" />
        <Meta property="og:title" content="Parlour" />
        <Meta property="og:description" content=FRONT_PAGE_DESCRIPTION />
        <Meta name="description" content=FRONT_PAGE_DESCRIPTION />
        <div class="front">
            <header>
                <a class="front-mark" href="/">
                    <svg viewBox="0 0 24 24" aria-hidden="true">
                        <path fill-rule="evenodd" d="M5 23V9a7 7 0 0 1 14 0v10H10.5L5 23Zm10.3-8.6a1.4 1.4 0 1 0 0-2.8 1.4 1.4 0 0 0 0 2.8Z" />
                    </svg>
                    "Parlour"
                </a>
            </header>
            <main class=class>
                <div>
                    <h1>"Open a room, share the link, talk."</h1>
                    <p class="front-lead">
                        "Parlour is a small chat on somebody’s own server. No account, no app: a link is all anyone needs."
                    </p>
                    <form class="front-form" method="post" action="/">
                        <fieldset class="segmented">
                            <legend class="visually-hidden">"Kind of room"</legend>
                            <label><input type="radio" name="kind" value="public" checked=!is_private />"Public room"</label>
                            <label><input type="radio" name="kind" value="private" checked=is_private />"Private room"</label>
                        </fieldset>
                        <div class="field">
                            <label for="room">
                                <span class="of-public">"Room"</span>
                                <span class="of-private">"Title"</span>
                            </label>
                            <span class="joined">
                                {host.map(|host| view! { <span class="lead of-public">{host}"/"</span> })}
                                <input
                                    class="input"
                                    id="room"
                                    name="room_name"
                                    value=room_name
                                    placeholder="harbour"
                                    autocomplete="off"
                                    autocapitalize="none"
                                    spellcheck="false"
                                    required
                                    dir="auto"
                                    aria-invalid=is_invalid
                                    aria-describedby=description
                                />
                            </span>
                            {error.map(|reason| view! { <p id="room-name-error" class="form-error" role="alert">{reason.to_string()}</p> })}
                            <p id="room-name-hint" class="hint">
                                <span class="of-public">"Anyone who knows the name can come in."</span>
                                <span class="of-private">"You get a link. Only people with the link can join."</span>
                            </p>
                        </div>
                        <label class="field">
                            <span>"Your name"</span>
                            <input class="input" name="username" value=username autocomplete="nickname" maxlength="256" dir="auto" />
                        </label>
                        <button class="button">"Open the room"</button>
                    </form>
                </div>
                <div class="front-side">
                    <RecentRoomsSection />
                    <SampleConversation />
                </div>
            </main>
        </div>
        <script type="application/json" id=ROOM_LIST_DATA_ID nonce=use_nonce()>{script}</script>
    }
}
