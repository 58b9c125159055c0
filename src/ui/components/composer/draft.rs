//! The draft in the composer's field: restored when a room is opened, saved while it is typed.

use crate::domain::RoomName;
use crate::domain::message::MAX_MESSAGE_CHARS;
use crate::ui::browser::storage;
use crate::ui::room::RoomState;
use leptos::prelude::*;
use web_sys::HtmlTextAreaElement;

/// Returns the direction of a text of this many characters: a browser needs seconds to find that of a very long one,
/// which cannot be sent anyway.
pub(super) fn direction(length: usize) -> &'static str {
    if length > MAX_MESSAGE_CHARS { "ltr" } else { "auto" }
}

fn fill(field: &HtmlTextAreaElement, value: &str) {
    field.set_dir(direction(value.chars().count()));
    field.set_value(value);
}

/// The text in the composer's field. The field's value is set only by what the visitor does, never by rendering: text
/// typed before hydration stays.
#[derive(Clone, Copy)]
pub(super) struct Draft {
    room: RoomState,
    /// Number of characters in the field.
    pub(super) length: RwSignal<usize>,
    /// The draft that was last typed in this tab. The stored draft may come from another tab.
    typed: RwSignal<String>,
    /// The reason why the server refused the message that was sent as a form.
    pub(super) rejection: RwSignal<Option<String>>,
}

impl Draft {
    pub(super) fn new(room: RoomState) -> Self {
        let rejection = RwSignal::new(None);
        Self { room, length: RwSignal::new(0), typed: RwSignal::new(String::new()), rejection }
    }

    /// Returns the text in the field.
    pub(super) fn value(self) -> String {
        self.room.editing.field.get_untracked().map(|field| field.value()).unwrap_or_default()
    }

    /// Puts a text into the field, and the focus.
    pub(super) fn write(self, value: &str) {
        if let Some(field) = self.room.editing.field.get_untracked() {
            fill(&field, value);
            self.length.set(value.chars().count());
            let _ = field.focus();
        }
    }

    /// Saves the text in the field after the visitor has typed, as a draft or as the edit of a message. Returns the
    /// text.
    pub(super) fn save(self) -> String {
        let value = self.value();
        let name = self.room.name();
        self.length.set(value.chars().count());
        if self.length.get_untracked() <= MAX_MESSAGE_CHARS {
            self.rejection.set(None);
        }
        match self.room.editing.target.get_untracked() {
            Some(seq) => storage::save_edit(&name, seq, &value),
            None => {
                storage::save_draft(&name, &value);
                self.typed.set(value.clone());
            }
        }
        value
    }

    /// Clears the field after its text was sent.
    pub(super) fn clear(self, sent: &str) {
        self.write("");
        storage::remove_draft(&self.room.name(), sent);
        self.rejection.set(None);
    }

    /// Saves the draft of this tab when the page is left: another tab may have saved its own since, or sent it.
    pub(super) fn save_on_leave(self) {
        Effect::new(move || {
            window_event_listener_untyped("pagehide", move |_| {
                let value = self.value();
                if !value.is_empty() && self.typed.with_untracked(|typed| *typed == value) {
                    storage::save_draft(&self.room.name(), &value);
                }
            });
        });
    }

    /// Restores an unfinished edit or the draft of the room, at hydration and when another room is opened. Text that
    /// was typed before hydration is put below the draft. It is saved as a draft when the visitor leaves the room, and
    /// not sooner, because it may be in flight as a form.
    pub(super) fn restore_draft(self) {
        let room = self.room;
        let mut early = String::new();
        Effect::new(move |before: Option<String>| {
            let name = room.page.with(|page| page.room.clone());
            let is_first = before.is_none();
            let previous = before.filter(|before| before != name.as_str());
            let is_other = previous.is_some();
            // The effect also runs when something else of the page changes.
            if let Some(field) = room.editing.field.get().filter(|_| is_first || is_other) {
                let typed = field.value();
                if let Some(previous) = previous.filter(|_| !early.is_empty() && early == typed) {
                    storage::save_draft(&RoomName::from_trusted(previous), &typed);
                }
                if is_other {
                    self.rejection.set(None);
                }
                // Some browsers restore the value of a field after a reload: the draft, or an edit.
                let unfinished = storage::edited_messages(&name).into_iter().filter(|seq| room.has_own(*seq)).max();
                let unfinished = unfinished.filter(|seq| {
                    is_other || typed.is_empty() || storage::edit(&name, *seq).is_some_and(|edit| edit == typed)
                });
                let draft = storage::draft(&name).unwrap_or_default();
                if is_other || typed.is_empty() || unfinished.is_some() {
                    fill(&field, &draft);
                } else if !typed.contains(draft.trim()) {
                    fill(&field, &format!("{draft}\n{typed}"));
                }
                if unfinished.is_some() {
                    room.editing.target.set(unfinished);
                } else if is_first {
                    early = field.value();
                }
                self.length.set(field.value().chars().count());
            }
            name.to_string()
        });
    }
}
