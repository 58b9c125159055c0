//! The draft in the composer's field: restored when a room is opened, saved while the visitor types.

use crate::domain::RoomName;
use crate::domain::message::MAX_MESSAGE_CHARS;
use crate::ui::browser::{dom, storage};
use crate::ui::room::RoomState;
use crate::ui::room::outbox::{OutboxCommand, PendingCommand};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlTextAreaElement, StorageEvent};

/// Returns the direction of a text of this many characters. A browser needs seconds to detect the direction of a very
/// long text, which cannot be sent anyway.
pub(super) fn direction(length: usize) -> &'static str {
    if length > MAX_MESSAGE_CHARS { "ltr" } else { "auto" }
}

fn fill(field: &HtmlTextAreaElement, value: &str) {
    field.set_dir(direction(value.chars().count()));
    field.set_value(value);
}

/// The text in the composer's field. Only actions of the visitor set the field's value, never rendering, so that text
/// typed before hydration stays.
#[derive(Clone, Copy)]
pub(super) struct Draft {
    room: RoomState,
    /// Number of characters in the field.
    pub(super) length: RwSignal<usize>,
    /// The draft that was last typed in this tab. The stored draft may come from another tab.
    typed: RwSignal<String>,
    /// The stored draft that the text of this tab belongs to. Another tab may continue to change it.
    stored: RwSignal<String>,
    /// The draft that is set aside while the visitor edits a message.
    pub(super) aside: RwSignal<String>,
    /// The reason why the server refused the message that was sent as a form.
    pub(super) rejection: RwSignal<Option<String>>,
}

impl Draft {
    pub(super) fn new(room: RoomState) -> Self {
        let rejection = RwSignal::new(None);
        let text = || RwSignal::new(String::new());
        Self { room, length: RwSignal::new(0), typed: text(), stored: text(), aside: text(), rejection }
    }

    /// Returns the text in the field.
    pub(super) fn value(self) -> String {
        self.room.editing.field.get_untracked().map(|field| field.value()).unwrap_or_default()
    }

    /// Puts a text into the field, and focuses it.
    pub(super) fn write(self, value: &str) {
        self.replace(value);
        self.room.editing.focus();
    }

    fn replace(self, value: &str) {
        if let Some(field) = self.room.editing.field.get_untracked() {
            fill(&field, value);
            self.length.set(value.chars().count());
        }
    }

    /// Saves the text in the field after the visitor has typed, as a draft or as the edit of a message. Returns the
    /// text.
    pub(super) fn save(self) -> String {
        let value = self.value();
        let name = self.room.name();
        self.room.editing.has_typed.set_value(true);
        self.length.set(value.chars().count());
        if self.length.get_untracked() <= MAX_MESSAGE_CHARS {
            self.rejection.set(None);
        }
        match self.room.editing.target.get_untracked() {
            Some(seq) => storage::save_edit(&name, &self.room.epoch(), seq, &value),
            None => {
                // Erasing a text must not remove a draft that another tab has written.
                if !value.is_empty() || storage::draft(&name).unwrap_or_default() == self.stored.get_untracked() {
                    storage::save_draft(&name, &value);
                }
                self.typed.set(value.clone());
                self.stored.set(value.clone());
            }
        }
        value
    }

    /// Clears the field after its text was sent.
    pub(super) fn clear(self, sent: &str) {
        self.write("");
        self.typed.set(String::new());
        self.stored.set(String::new());
        storage::remove_draft(&self.room.name(), sent);
        self.rejection.set(None);
    }

    /// Shares the draft with other tabs, and saves this tab's draft when the visitor leaves the page, because another
    /// tab may have saved or sent another one since.
    pub(super) fn share(self) {
        Effect::new(move || {
            dom::on_window("storage", Box::new(move |event| self.follow_other_tabs(event.unchecked_ref())));
            let on_hide = move |_| {
                let value = self.value();
                if !value.is_empty() && self.typed.with_untracked(|typed| *typed == value) {
                    storage::save_draft(&self.room.name(), &value);
                }
            };
            dom::on_window("pagehide", Box::new(on_hide));
        });
    }

    /// Follows changes of the draft by other tabs. A draft that they have sent is removed here too; if they erase
    /// theirs, the text of this tab stays stored.
    fn follow_other_tabs(self, event: &StorageEvent) {
        let (key, name) = (event.key().unwrap_or_default(), self.room.name());
        let (before, after) = (event.old_value().unwrap_or_default(), event.new_value().unwrap_or_default());
        if storage::is_draft_key(&key, &name) {
            let (stored, typed) = (self.stored.get_untracked(), self.typed.get_untracked());
            if after.is_empty() && !typed.is_empty() {
                storage::save_draft(&name, &typed);
                self.stored.set(typed);
            } else if before == stored && (after.starts_with(&stored) || stored.starts_with(&after)) {
                self.stored.set(after);
            }
        } else if storage::is_outbox_key(&key, Some(&name))
            && let Some(OutboxCommand::Post { text, .. }) = PendingCommand::parse_stored(&after).map(|it| it.command)
        {
            self.on_sent_elsewhere(&text);
        }
    }

    fn on_sent_elsewhere(self, sent: &str) {
        let is_edit = self.room.editing.target.get_untracked().is_some();
        let draft = if is_edit { self.aside.get_untracked() } else { self.value() };
        if draft.trim() == sent || self.stored.get_untracked().trim() == sent {
            self.typed.set(String::new());
            self.stored.set(String::new());
            self.aside.set(String::new());
            self.room.set_reply(None);
            if !is_edit {
                self.replace("");
            }
        }
    }

    /// Restores an unfinished edit or the draft of the room, at hydration and when another room is opened. Appends text
    /// that was typed before hydration to the draft. That text is not saved as a draft until the visitor leaves the
    /// room, because it may be in flight as a form.
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
                // Some browsers restore the value of a field after a reload, which may be the draft or an edit.
                let unfinished = room.unfinished_edit().filter(|seq| {
                    is_other || typed.is_empty() || storage::edit(&name, *seq).is_some_and(|edit| edit == typed)
                });
                let draft = storage::draft(&name).unwrap_or_default();
                self.stored.set(draft.clone());
                if is_other {
                    self.typed.set(String::new());
                }
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
