//! Where a message is written. A plain form: before the browser has taken over, and where it never does, it posts.

use super::room_state::RoomState;
use crate::api::{ApiError, join_room};
use crate::domain::message::MAX_CHARS;
use crate::domain::{Message, RoomName, Seq};
use crate::ui::Refused;
use crate::ui::browser::{self, clock, kept};
use crate::ui::outbox::Wish;
use leptos::html::{Form, Input, Textarea};
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::{KeyboardEvent, SubmitEvent};

/// The others are told at most so often that something is being written, in milliseconds.
const TYPING_MS: f64 = 2500.0;

/// So many characters before the limit the rest is counted.
const COUNTED: usize = 200;

/// Those who listen are told in steps of so many.
const SPOKEN: usize = 50;

#[component]
pub(super) fn Composer(
    /// A message that was sent by form and refused.
    refused: Option<Refused>,
) -> impl IntoView {
    let room = expect_context::<RoomState>();
    let (form, name, text) = (NodeRef::<Form>::new(), NodeRef::<Input>::new(), NodeRef::<Textarea>::new());
    let (draft, typed_name, reason) = match refused {
        Some(Refused { message, username, detail }) => (message, username, Some(detail)),
        None => (String::new(), None, None),
    };
    // A name comes back where it is what was refused, or new.
    let refused = RwSignal::new(None);
    if typed_name.is_some() { room.name_refused } else { refused }.set(reason);
    let length = RwSignal::new(0);
    let told = StoredValue::new(0.0);
    let joins = StoredValue::new(0);
    let drafted = RwSignal::new(String::new());
    let asks = move || room.username.with(Option::is_none) || room.name_refused.with(Option::is_some);

    // Nothing here sets the fields' values but what the visitor does: what was typed before the browser took over stays.
    let write = move |value: &str| {
        if let Some(text) = text.get_untracked() {
            text.set_value(value);
            length.set(value.chars().count());
            let _ = text.focus();
        }
    };
    take_up(room, text, length, refused);
    edit(room, text, write);
    Effect::new(move || {
        // Another tab may have kept its own draft of the room since, or sent it.
        window_event_listener_untyped("pagehide", move |_| {
            let value = text.get_untracked().map(|text| text.value()).filter(|value| !value.is_empty());
            if let Some(value) = value.filter(|value| drafted.with_untracked(|drafted| drafted == value)) {
                kept::keep_draft(&room.name(), &value);
            }
        });
    });

    let submit = move |event: SubmitEvent| {
        let Some(text) = text.get_untracked() else { return };
        event.prevent_default();
        let typed = text.value().trim().to_owned();
        if let Some(target) = room.editing.get_untracked() {
            finish_editing(room, target, typed);
            return;
        }
        let asked = name.get_untracked().filter(|_| asks()).map(|name| name.value().trim().to_owned());
        let asked = asked.filter(|name| !name.is_empty());
        if let Some(name) = asked.clone() {
            join(room, name, typed.is_empty(), joins);
        }
        if !typed.is_empty() {
            let username = asked.or_else(|| room.username.get_untracked());
            let sent = typed.clone();
            room.wish(Wish::Post { username, text: typed });
            write("");
            kept::forget_draft(&room.name(), &sent);
            refused.set(None);
            told.set_value(0.0);
        }
    };
    let input = move |_| {
        let Some(text) = text.get_untracked() else { return };
        let value = text.value();
        length.set(value.chars().count());
        match room.editing.get_untracked() {
            Some(seq) => kept::keep_edit(&room.name(), seq, &value),
            None => {
                kept::keep_draft(&room.name(), &value);
                drafted.set(value.clone());
            }
        }
        if !value.is_empty() && clock::now() - told.get_value() > TYPING_MS {
            told.set_value(clock::now());
            room.write();
        }
    };
    let key = move |event: KeyboardEvent| {
        let is_empty = || text.get_untracked().is_some_and(|text| text.value().is_empty());
        match event.key().as_str() {
            "Enter" if !event.shift_key() && !browser::composes(&event) && !browser::is_touch() => {
                event.prevent_default();
                let _ = form.get_untracked().map(|form| form.request_submit());
            }
            "ArrowUp" if is_empty() && room.editing.get_untracked().is_none() => {
                if let Some(Message { seq, .. }) = room.last_own() {
                    event.prevent_default();
                    room.editing.set(Some(seq));
                }
            }
            _ => {}
        }
    };

    let page = room.page.get_untracked();
    let button = move || {
        let words = match (room.editing.get(), room.awake.get() && asks() && length.get() == 0) {
            (Some(_), _) => "Save",
            (None, true) => "Join",
            (None, false) => "Send",
        };
        words.to_owned()
    };
    let left = move || {
        let length = length.get();
        match MAX_CHARS.checked_sub(length) {
            Some(left) if left >= COUNTED => String::new(),
            Some(left) => format!("{left} left"),
            None => format!("{} too many", length - MAX_CHARS),
        }
    };
    // To those who listen, not every letter.
    let spoken = move || match MAX_CHARS.checked_sub(length.get()) {
        Some(left) if left >= COUNTED => String::new(),
        Some(left) => format!("Less than {} characters left", (left / SPOKEN + 1) * SPOKEN),
        None => "Too many characters".to_owned(),
    };
    let is_stranger = move || room.username.with(Option::is_none) && room.name_refused.with(Option::is_none);
    let edits = move || room.editing.with(Option::is_some);
    let placeholder = move || format!("Message {}", room.title.get());
    let value = typed_name.or_else(|| page.username.as_ref().map(ToString::to_string));
    view! {
        <form class="composer" method="post" action=Signal::derive(move || room.page.with(|page| page.room.path())) node_ref=form on:submit=submit>
            <p class="composer-hint" class:shown=Signal::derive(is_stranger)>
                "You are reading " <b dir="auto">{room.title}</b> ". Say who you are to join in."
            </p>
            <p class="form-error" role="alert">{Signal::derive(move || room.name_refused.get().or(refused.get()).unwrap_or_default())}</p>
            <p class="composer-editing" class:shown=Signal::derive(edits)>
                "Editing your message"
                <button type="button" class="button-quiet" on:click=move |_| room.stop_editing()>"Cancel"</button>
            </p>
            <input type="hidden" name="id" value=page.form_id.as_str().to_owned() />
            <div class="composer-fields">
                <input
                    class="composer-name"
                    name="username"
                    type=Signal::derive(move || if asks() { "text" } else { "hidden" }.to_owned())
                    value=value
                    placeholder="Your name"
                    aria-label="Your name"
                    autocomplete="nickname"
                    maxlength="256"
                    dir="auto"
                    node_ref=name
                />
                <textarea
                    name="message"
                    rows="1"
                    required=Signal::derive(move || !room.awake.get())
                    placeholder=Signal::derive(placeholder)
                    aria-label="Message"
                    dir="auto"
                    node_ref=text
                    on:keydown=key
                    on:input=input
                >
                    {draft}
                </textarea>
                <button class="button">{Signal::derive(button)}</button>
            </div>
            <p class="composer-left">{Signal::derive(left)}</p>
            <p class="visually-hidden" role="status">{Signal::derive(spoken)}</p>
        </form>
    }
}

/// Goes by this name from now on. If the server does not take it, the composer says why and asks again. Of several
/// names, which `joins` counts, only what becomes of the last one is of interest, and only in the room that was asked.
fn join(room: RoomState, name: String, moves_on: bool, joins: StoredValue<u32>) {
    joins.update_value(|joins| *joins += 1);
    let asked = (joins.get_value(), room.visit.get_value());
    spawn_local(async move {
        let answer = join_room(room.name().to_string(), name.clone()).await;
        if (joins.get_value(), room.visit.get_value()) != asked {
            return;
        }
        let username = match answer {
            Ok(username) => username.to_string(),
            Err(ApiError::Refused(reason)) => return room.name_refused.set(Some(reason)),
            // Without a network the name is tried when something is said.
            Err(_) => name,
        };
        room.name_refused.set(None);
        room.username.set(Some(username));
        room.page.with_untracked(|page| room.connect(&page.room, page));
        if moves_on {
            browser::focus_composer();
        }
    });
}

/// Goes on with what was begun in the room: an edit, or else the draft. Also when another room is opened. What was typed
/// before the browser took over stands below the draft; it becomes one when the room is left, and not sooner, as it may
/// just be on its way as a form.
fn take_up(room: RoomState, text: NodeRef<Textarea>, length: RwSignal<usize>, refused: RwSignal<Option<String>>) {
    let mut early = String::new();
    Effect::new(move |before: Option<String>| {
        let name = room.page.with(|page| page.room.clone());
        let is_first = before.is_none();
        let left = before.filter(|before| before != name.as_str());
        let is_other = left.is_some();
        // Other things of the page change, too.
        if let Some(text) = text.get().filter(|_| is_first || is_other) {
            let typed = text.value();
            if let Some(left) = left.filter(|_| !early.is_empty() && early == typed) {
                kept::keep_draft(&RoomName::from_stored(left), &typed);
            }
            if is_other {
                refused.set(None);
            }
            // Some browsers fill in again what stood in a field before a reload: the draft, or an edit.
            let begun = kept::edited(&name).into_iter().filter(|seq| room.has_own(*seq)).max();
            let begun = begun.filter(|seq| {
                is_other || typed.is_empty() || kept::edit(&name, *seq).is_some_and(|edit| edit == typed)
            });
            let draft = kept::draft(&name).unwrap_or_default();
            if is_other || typed.is_empty() || begun.is_some() {
                text.set_value(&draft);
            } else if !typed.contains(draft.trim()) {
                text.set_value(&format!("{draft}\n{typed}"));
            }
            if begun.is_some() {
                room.editing.set(begun);
            } else if is_first {
                early = text.value();
            }
            length.set(text.value().chars().count());
        }
        name.to_string()
    });
}

/// Fills the composer with the message that is to be edited, as far as that has come, and with the draft when it is over.
fn edit(room: RoomState, text: NodeRef<Textarea>, write: impl Fn(&str) + Copy + 'static) {
    // The draft that waits meanwhile: another tab may let go of the one that is kept.
    let mut draft = String::new();
    Effect::new(move |before: Option<(u32, Option<Seq>)>| {
        let (visit, editing) = (room.visit.get_value(), room.editing.get());
        let before = before.filter(|before| before.0 == visit).and_then(|(_, editing)| editing);
        match editing {
            Some(seq) => {
                if let Some(text) = text.get_untracked().filter(|_| before.is_none()) {
                    draft = text.value();
                }
                // What was typed before the browser took over, or came back refused, is not kept yet.
                if !draft.is_empty() {
                    kept::keep_draft(&room.name(), &draft);
                }
                if let Some(text) = kept::edit(&room.name(), seq).or_else(|| room.text_of(seq)) {
                    write(&text);
                }
            }
            None if before.is_some() => write(&draft),
            None => {}
        }
        (visit, editing)
    });
}

fn finish_editing(room: RoomState, target: Seq, text: String) {
    if text.is_empty() {
        room.removing.set(Some(target));
        return;
    }
    if room.text_of(target).as_ref() != Some(&text) {
        room.wish(Wish::Edit { target, text });
    }
    room.stop_editing();
}
