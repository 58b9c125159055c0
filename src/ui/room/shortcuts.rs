//! Keyboard shortcuts of the page.

use super::state::RoomState;
use crate::ui::browser::dom;
use leptos::prelude::*;
use web_sys::{Event, KeyboardEvent};

impl RoomState {
    /// Handles a key that was pressed anywhere in the page.
    pub(super) fn handle_shortcut(self, event: &KeyboardEvent) {
        match event.key().as_str() {
            _ if self.reply_by_key(event) => event.prevent_default(),
            _ if dom::is_typing_outside_input(event) => self.editing.focus(),
            _ if dom::is_ime_event(event) => {}
            "k" if dom::is_shortcut(event) => {
                event.prevent_default();
                self.dialogs.toggle_switcher();
            }
            "Escape" if event.default_prevented() || self.dialogs.is_modal_open() => {}
            "Escape" if self.dialogs.sidebar.get_untracked() => self.dialogs.sidebar.set(false),
            "Escape" if self.editing.target.get_untracked().is_some() => self.stop_editing(),
            "Escape" if self.replying.target.get_untracked().is_some() => self.set_reply(None),
            "Escape" => self.toggle_end(),
            key if !event.default_prevented() && !dom::has_modifier(event) && self.move_focus(key) => {
                event.prevent_default()
            }
            _ => {}
        }
    }

    /// Appends a text that is pasted while no field has the focus to the composer's text.
    pub(super) fn handle_paste(self, event: &Event) {
        let field =
            self.editing.field.get_untracked().filter(|_| !event.default_prevented() && !dom::has_focused_input());
        if let (Some(field), Some(text)) = (field, dom::pasted_text(event)) {
            event.prevent_default();
            field.set_value(&(field.value() + &text));
            let _ = field.focus();
            // The composer saves the draft as if the visitor had typed it.
            let _ = Event::new("input").map(|event| field.dispatch_event(&event));
        }
    }
}
