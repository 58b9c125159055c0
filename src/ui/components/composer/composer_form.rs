//! The form that posts and edits messages. It is a plain form, which the browser submits until the page is hydrated.

use super::draft::{Draft, direction};
use super::editing::{fill_for_editing, submit_edit};
use super::mention_options::{MentionOptions, MentionOptionsList};
use super::reply_bar::ReplyBar;
use crate::domain::Seq;
use crate::domain::message::{MAX_MESSAGE_CHARS, MessageTextError};
use crate::ui::browser::{clock, dom};
use crate::ui::components::common::derived::{is_filled, text, when};
use crate::ui::components::common::icon::{Icon, Symbol};
use crate::ui::rejected_form::RejectedForm;
use crate::ui::room::RoomState;
use crate::ui::room::outbox::OutboxCommand;
use leptos::html::{Form, Input};
use leptos::prelude::*;
use web_sys::{KeyboardEvent, SubmitEvent};

/// Minimum time between two typing notifications, in milliseconds.
const TYPING_INTERVAL_MS: f64 = 2500.0;

/// Number of remaining characters at which the counter appears.
const COUNTER_THRESHOLD: usize = 200;

/// Step in which the remaining characters are announced to screen readers.
const ANNOUNCE_STEP: usize = 50;

#[component]
pub(crate) fn Composer(
    /// A form that the server has refused.
    rejected: Option<RejectedForm>,
) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let identity = room.identity;
    let (form, name) = (NodeRef::<Form>::new(), NodeRef::<Input>::new());
    let draft = Draft::new(room);
    let (message, rejected_name, reason) = match rejected {
        Some(RejectedForm { message, username, detail, .. }) => (message, username, Some(detail)),
        None => (String::new(), None, None),
    };
    // The form contains a name only if the name was refused or is new.
    if rejected_name.is_some() { identity.name_error } else { draft.rejection }.set(reason);
    let last_typing_at = StoredValue::new(0.0);
    draft.restore_draft();
    fill_for_editing(room, draft);
    draft.share();

    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        let typed = draft.value().trim().to_owned();
        // The text stays in the field, so that the visitor can shorten it.
        if typed.chars().count() > MAX_MESSAGE_CHARS {
            draft.rejection.set(Some(MessageTextError::TooLong.to_string()));
            return;
        }
        if let Some(target) = room.editing.target.get_untracked() {
            submit_edit(room, target, typed);
            return;
        }
        let given = name.get_untracked().filter(|_| identity.needs_name()).map(|name| name.value().trim().to_owned());
        let given = given.filter(|name| !name.is_empty());
        if let Some(name) = given.clone() {
            room.join(name, typed.is_empty());
        }
        if !typed.is_empty() {
            let username = given.or_else(|| identity.username.get_untracked());
            let reply_to = room.replying.target.get_untracked();
            room.submit(OutboxCommand::Post { username, text: typed.clone(), reply_to });
            draft.clear(&typed);
            room.set_reply(None);
            last_typing_at.set_value(0.0);
        }
    };
    let offered = text(move || identity.name_error.get().as_deref().and_then(offered_name).unwrap_or_default());
    let use_offered = move |_| {
        if let Some(name) = name.get_untracked() {
            name.set_value(&offered.get_untracked());
            let _ = form.get_untracked().map(|form| form.request_submit());
        }
    };
    let options = MentionOptions::new(room);
    let on_input = move |_| {
        let value = draft.save();
        options.update();
        if !value.is_empty() && clock::now() - last_typing_at.get_value() > TYPING_INTERVAL_MS {
            last_typing_at.set_value(clock::now());
            room.send_typing();
        }
    };
    let on_keydown = move |event: KeyboardEvent| match event.key().as_str() {
        _ if options.handle_key(&event) => event.prevent_default(),
        "Enter"
            if !dom::is_ime_event(&event)
                && (event.ctrl_key() || event.meta_key() || !event.shift_key() && !dom::is_touch()) =>
        {
            event.prevent_default();
            let _ = form.get_untracked().map(|form| form.request_submit());
        }
        "ArrowUp" if room.editing.target.get_untracked().is_none() && room.edit_newest() => event.prevent_default(),
        _ => {}
    };

    let page = room.page.get_untracked();
    let action = text(move || room.page.with(|page| page.room.path()));
    let is_nameless = when(move || identity.is_nameless() && identity.name_error.with(Option::is_none));
    let error = text(move || identity.name_error.get().or(draft.rejection.get()).unwrap_or_default());
    let is_editing = when(move || room.editing.target.with(Option::is_some));
    let name_type = text(move || if identity.needs_name() { "text" } else { "hidden" });
    let name_value = rejected_name.or_else(|| page.username.as_ref().map(ToString::to_string));
    let is_required = when(move || !room.hydrated.get());
    let label = text(move || {
        let joins = room.hydrated.get() && identity.needs_name() && draft.length.get() == 0;
        match (is_editing.get(), joins) {
            (true, _) => "Save",
            (false, true) => "Join",
            (false, false) => "Send",
        }
    });
    let asks_name = when(move || identity.needs_name());
    let edited = text(move || match room.editing.target.get() {
        Some(seq) => format!(" your message{}", sent_at(room, seq)),
        None => String::new(),
    });
    view! {
        // Without JavaScript, or if the module does not load, new messages need a reload.
        <p class="room-reload">"New messages don’t appear by themselves here. " <a href="">"Show new messages"</a></p>
        <form class="composer" method="post" action=action node_ref=form on:submit=on_submit>
            <p class="composer-hint" class:is-visible=is_nameless>"You’re reading along. Add your name to join in."</p>
            <input type="hidden" name="id" value=page.form_id.as_str().to_owned() />
            <MentionOptionsList options=options />
            <div class="composer-box">
                <ReplyBar />
                <div class="composer-context" class:is-visible=is_editing>
                    <Icon symbol=Symbol::Edit />
                    <p class="clip"><b>"Editing"</b><span>{edited}</span></p>
                    <button
                        type="button"
                        class="icon-button"
                        aria-label="Cancel editing"
                        title="Cancel editing"
                        on:click=move |_| room.stop_editing()
                    >
                        <Icon symbol=Symbol::Close />
                    </button>
                </div>
                <label class="composer-named" class:is-visible=asks_name>
                    <span>"Name"</span>
                    <input
                        class="composer-name"
                        name="username"
                        type=name_type
                        value=name_value
                        placeholder="Your name"
                        aria-label="Your name"
                        autocomplete="nickname"
                        maxlength="256"
                        dir="auto"
                        node_ref=name
                    />
                </label>
                <div class="composer-row">
                    <textarea
                        id="message"
                        name="message"
                        rows="1"
                        required=is_required
                        placeholder="Message"
                        aria-label="Message"
                        dir=text(move || direction(draft.length.get()))
                        node_ref=room.editing.field
                        aria-autocomplete="list"
                        aria-controls="mention-options"
                        aria-activedescendant=options.active_id()
                        on:keydown=on_keydown
                        on:input=on_input
                        on:blur=move |_| options.close()
                    >
                        {textarea_content(&message)}
                    </textarea>
                    <button class="button send"><Icon symbol=Symbol::Send /><span>{label}</span></button>
                </div>
            </div>
            <p class="form-error" class:is-visible=is_filled(error) role="alert"><Icon symbol=Symbol::Alert small=true /><span>{error}</span></p>
            <button type="button" class="button-plain composer-offer" class:is-visible=is_filled(offered) on:click=use_offered>
                "Use " <bdi>{offered}</bdi>
            </button>
            {character_counter(draft.length)}
        </form>
    }
}

/// Returns the free name that the server offers in place of a taken one.
fn offered_name(reason: &str) -> Option<String> {
    Some(reason.strip_suffix(" is free.")?.rsplit_once(". ")?.1.to_owned())
}

/// Returns the time of a message for the bar above the field, or nothing if the message is not loaded.
fn sent_at(room: RoomState, seq: Seq) -> String {
    let time = room.timeline.with_untracked(|timeline| Some(timeline.message(seq)?.sent_at));
    time.map(|at| format!(" from {}", clock::local_time(at))).unwrap_or_default()
}

/// Returns a text as the content of a `<textarea>`. Leptos writes the content of this element as it is, and a browser drops
/// a line break at its beginning (WHATWG HTML, "the textarea element").
fn textarea_content(text: &str) -> String {
    let text =
        if cfg!(target_arch = "wasm32") { text.to_owned() } else { text.replace('&', "&amp;").replace('<', "&lt;") };
    if text.starts_with('\n') { format!("\n{text}") } else { text }
}

/// Returns the counter of remaining characters: a number, and its announcement in steps for screen readers.
fn character_counter(length: RwSignal<usize>) -> impl IntoView {
    let counter = text(move || {
        let length = length.get();
        match MAX_MESSAGE_CHARS.checked_sub(length) {
            Some(remaining) if remaining >= COUNTER_THRESHOLD => String::new(),
            Some(1) => "1 character left".to_owned(),
            Some(remaining) => format!("{remaining} characters left"),
            None => format!("{} characters over", length - MAX_MESSAGE_CHARS),
        }
    });
    let announcement = text(move || match MAX_MESSAGE_CHARS.checked_sub(length.get()) {
        Some(remaining) if remaining >= COUNTER_THRESHOLD => String::new(),
        Some(remaining) => format!("Less than {} characters left", (remaining / ANNOUNCE_STEP + 1) * ANNOUNCE_STEP),
        None => "Too many characters".to_owned(),
    });
    view! {
        <p class="composer-counter">{counter}</p>
        <p class="visually-hidden" role="status">{announcement}</p>
    }
}
