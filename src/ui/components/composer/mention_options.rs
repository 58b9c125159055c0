//! Names to complete a mention with: a list above the composer, while its text has the beginning of one at the caret.

use crate::api::load_names;
use crate::domain::{AuthorTag, Username};
use crate::ui::browser::dom;
use crate::ui::components::common::avatar::initials;
use crate::ui::components::common::derived::{text, when};
use crate::ui::room::RoomState;
use crate::ui::room::completion::{MAX_OPTIONS, MentionPrefix};
use crate::ui::room::request_guard::{RequestGuard, RequestId};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;
use web_sys::{Event, KeyboardEvent, MouseEvent};

/// Delay after the last key before the server is asked for further names.
const NAMES_DEBOUNCE: Duration = Duration::from_millis(150);

/// Maximum number of spaces in a name that the server is asked for.
const MAX_ASKED_SPACES: usize = 2;

/// A name that is offered, the tag of its holder if it is known, and whether they are here.
type MentionOption = (String, Option<AuthorTag>, bool);

/// The list, which the keys of the composer's field control.
#[derive(Clone, Copy)]
pub(super) struct MentionOptions {
    room: RoomState,
    /// The beginning of the name at the caret.
    prefix: RwSignal<Option<MentionPrefix>>,
    /// The names; none while the list is closed.
    names: RwSignal<Vec<MentionOption>>,
    selected: RwSignal<usize>,
    requests: RequestGuard,
}

impl MentionOptions {
    pub(super) fn new(room: RoomState) -> Self {
        let (prefix, names, selected) = (RwSignal::new(None), RwSignal::default(), RwSignal::new(0));
        Self { room, prefix, names, selected, requests: RequestGuard::new() }
    }

    /// Offers names for the text in the field: of those who are here, then of those who wrote, then of the holders whom
    /// the server knows.
    pub(super) fn update(self) {
        let field = self.room.editing.field.get_untracked();
        let prefix = field.and_then(|field| {
            let caret = field.selection_end().ok()??;
            MentionPrefix::at(&field.value(), caret as usize)
        });
        let request = self.requests.begin();
        self.selected.set(0);
        let Some(prefix) = prefix else { return self.close() };
        let mut names = Vec::new();
        let mut offer = |name: &Username, tag: &AuthorTag, is_here: bool| {
            self.offer(&mut names, &prefix, name.as_str(), Some(tag), is_here);
        };
        self.room.presence.participants.with_untracked(|participants| {
            participants.iter().for_each(|it| offer(&it.username, &it.tag, true));
        });
        self.room.timeline.with_untracked(|timeline| {
            timeline.messages().rev().for_each(|message| offer(&message.username, &message.tag, false));
        });
        // A text that goes on after a name is not asked for with every key.
        let is_full = names.len() == MAX_OPTIONS || prefix.name.matches(' ').count() > MAX_ASKED_SPACES;
        self.names.set(names);
        self.prefix.set(Some(prefix));
        if !is_full {
            set_timeout(move || self.load(request), NAMES_DEBOUNCE);
        }
    }

    /// Adds a name that begins so, unless it is offered already or the visitor's own.
    fn offer(
        self,
        names: &mut Vec<MentionOption>,
        prefix: &MentionPrefix,
        name: &str,
        tag: Option<&AuthorTag>,
        is_here: bool,
    ) {
        let is_own = self.room.identity.username.with_untracked(|own| own.as_deref() == Some(name));
        let is_new = names.iter().all(|(known, ..)| known != name);
        if names.len() < MAX_OPTIONS && is_new && !is_own && name != "Anonymous" && prefix.begins(name) {
            names.push((name.to_owned(), tag.cloned(), is_here));
        }
    }

    fn load(self, request: RequestId) {
        let Some(prefix) = self.prefix.get_untracked().filter(|_| self.requests.is_latest(request)) else { return };
        spawn_local(async move {
            let held = load_names(&self.room.path(), &prefix.name).await;
            if self.requests.is_latest(request) {
                let mut names = self.names.get_untracked();
                held.iter().for_each(|name| self.offer(&mut names, &prefix, name.as_str(), None, false));
                self.names.set(names);
            }
        });
    }

    /// Closes the list.
    pub(super) fn close(self) {
        self.requests.begin();
        self.prefix.set(None);
        self.names.set(Vec::new());
    }

    /// Handles a key in the field. Returns whether the list has used it.
    pub(super) fn handle_key(self, event: &KeyboardEvent) -> bool {
        let count = self.names.with_untracked(Vec::len);
        if count == 0 || dom::is_ime_event(event) || dom::has_modifier(event) {
            return false;
        }
        let selected = self.selected.get_untracked();
        match event.key().as_str() {
            "ArrowDown" => self.selected.set((selected + 1) % count),
            "ArrowUp" => self.selected.set((selected + count - 1) % count),
            // A name that is complete needs no choice: Enter sends the message.
            "Enter" if self.is_complete(selected) => {
                self.close();
                return false;
            }
            "Tab" | "Enter" => self.choose(selected),
            "Escape" => self.close(),
            "ArrowLeft" | "ArrowRight" | "Home" | "End" => {
                self.close();
                return false;
            }
            _ => return false,
        }
        true
    }

    /// Returns whether the text already has the whole name.
    fn is_complete(self, index: usize) -> bool {
        let is_typed = |name: &str| {
            self.prefix.with_untracked(|prefix| prefix.as_ref().is_some_and(|it| it.name.eq_ignore_ascii_case(name)))
        };
        self.names.with_untracked(|names| names.get(index).is_some_and(|(name, ..)| is_typed(name)))
    }

    /// Puts a name into the text.
    fn choose(self, index: usize) {
        let name = self.names.with_untracked(|names| names.get(index).map(|(name, ..)| name.clone()));
        let (prefix, field) = (self.prefix.get_untracked(), self.room.editing.field.get_untracked());
        let (Some(name), Some(prefix), Some(field)) = (name, prefix, field) else { return };
        let (value, caret) = prefix.complete(&name);
        field.set_value(&value);
        let _ = field.set_selection_range(caret as u32, caret as u32);
        // The composer saves it as a draft.
        let _ = Event::new("input").map(|event| field.dispatch_event(&event));
        self.close();
        self.room.editing.focus();
    }

    /// Returns the id of the selected option, or nothing while the list is closed.
    pub(super) fn active_id(self) -> impl Fn() -> Option<String> + Send + Sync + Copy {
        move || self.names.with(|names| !names.is_empty()).then(|| option_id(self.selected.get()))
    }
}

fn option_id(index: usize) -> String {
    format!("mention-{index}")
}

/// The list. Its options are static, and those without a name are hidden.
#[component]
pub(super) fn MentionOptionsList(options: MentionOptions) -> impl IntoView {
    let is_open = when(move || options.names.with(|names| !names.is_empty()));
    let option = move |index: usize| {
        let name = move || options.names.with(|names| names.get(index).cloned()).unwrap_or_default();
        let avatar = move || name().1.map_or_else(|| "avatar".to_owned(), |tag| format!("avatar hue-{}", tag.hue()));
        view! {
            <li
                class="option"
                class:is-visible=when(move || options.names.with(|names| index < names.len()))
                id=option_id(index)
                role="option"
                aria-selected=text(move || (options.selected.get() == index).to_string())
                data-index=index
            >
                <span class=text(avatar) aria-hidden="true">{text(move || initials(&Username::from_trusted(name().0)))}</span>
                <span class="clip" dir="auto">{text(move || name().0)}</span>
                <span class="hint">{text(move || if name().2 { "here" } else { "" })}</span>
            </li>
        }
    };
    let on_click = move |event: MouseEvent| {
        let index = dom::closest(&event, ".option").and_then(|option| option.get_attribute("data-index")?.parse().ok());
        index.map(|index| options.choose(index)).unwrap_or_default();
    };
    view! {
        // The field keeps the focus.
        <div class="mention-options" class:is-visible=is_open on:mousedown=|event| event.prevent_default() on:click=on_click>
            <ul role="listbox" id="mention-options" aria-label="Mention somebody">
                {(0..MAX_OPTIONS).map(option).collect_view()}
            </ul>
            <p class="keys" aria-hidden="true">"↑ ↓ choose · Tab or Enter takes it · Esc closes"</p>
        </div>
    }
}
