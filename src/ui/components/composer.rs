//! Where a message is written. A plain form: before the browser has taken over, and where it never does, it posts.

use super::room::RoomState;
use crate::ui::Refused;
use leptos::html::{Form, Input, Textarea};
use leptos::prelude::*;
use web_sys::{KeyboardEvent, SubmitEvent};

/// The others are told at most so often that something is being written, in milliseconds.
const TYPING_MS: f64 = 2500.0;

#[component]
pub(super) fn Composer(
    /// A message that was sent by form and refused.
    refused: Option<Refused>,
) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let form = NodeRef::<Form>::new();
    let name = NodeRef::<Input>::new();
    let text = NodeRef::<Textarea>::new();

    let told = StoredValue::new(0.0);
    // Nothing here sets the fields' values from code: what was typed before the browser took over stays.
    let submit = move |event: SubmitEvent| {
        let (Some(name), Some(text)) = (name.get_untracked(), text.get_untracked()) else { return };
        if !room.is_live() {
            return;
        }
        event.prevent_default();
        let said = text.value();
        if said.trim().is_empty() {
            return;
        }
        let username = Some(name.value()).filter(|name| !name.trim().is_empty());
        room.say(username, said.trim().to_owned());
        text.set_value("");
        told.set_value(0.0);
        let _ = text.focus();
    };
    let tell_others = move |_| {
        let now = js_sys::Date::now();
        if now - told.get_value() > TYPING_MS {
            told.set_value(now);
            room.write();
        }
    };
    let send_on_enter = move |event: KeyboardEvent| {
        if event.key() == "Enter" && !event.shift_key() && !event.is_composing() {
            event.prevent_default();
            let _ = form.get_untracked().map(|form| form.request_submit());
        }
    };

    let (action, id) = room.page.with_value(|page| (page.room.path(), page.form_id.as_str().to_owned()));
    let username = room.page.with_value(|page| page.username.clone());
    let username = username.map(|name| name.to_string());
    let (draft, typed_name, reason) = match refused {
        Some(Refused { message, username, detail }) => (message, username, Some(detail)),
        None => (String::new(), None, None),
    };
    let asks = username.is_none() || reason.is_some();
    let username = typed_name.or(username);
    view! {
        <form class="composer" method="post" action=action node_ref=form on:submit=submit>
            {reason.map(|reason| view! { <p class="form-error" role="alert">{reason}</p> })}
            <input type="hidden" name="id" value=id />
            <div class="composer-fields">
                <input
                    class="composer-name"
                    name="username"
                    type=if asks { "text" } else { "hidden" }
                    value=username
                    placeholder="Your name"
                    aria-label="Your name"
                    autocomplete="nickname"
                    dir="auto"
                    node_ref=name
                />
                <textarea
                    name="message"
                    rows="1"
                    required
                    placeholder=format!("Message {}", room.name())
                    aria-label="Message"
                    dir="auto"
                    node_ref=text
                    on:keydown=send_on_enter
                    on:input=tell_others
                >
                    {draft}
                </textarea>
                <button class="button">"Send"</button>
            </div>
        </form>
    }
}
