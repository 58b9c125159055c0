//! Keyboard shortcuts of the page.

use super::state::RoomState;
use crate::ui::browser::dom;
use leptos::prelude::*;
use web_sys::KeyboardEvent;

impl RoomState {
    /// Handles a key that was pressed anywhere in the page.
    pub(super) fn handle_shortcut(self, event: &KeyboardEvent) {
        match event.key().as_str() {
            _ if dom::is_typing_outside_input(event) => self.editing.focus(),
            _ if dom::is_ime_event(event) => {}
            "k" if event.ctrl_key() || event.meta_key() => {
                event.prevent_default();
                self.dialogs.toggle_switcher();
            }
            "Escape" if event.default_prevented() || self.dialogs.is_modal_open() => {}
            "Escape" if self.dialogs.sidebar.get_untracked() => self.dialogs.sidebar.set(false),
            "Escape" if self.editing.target.get_untracked().is_some() => self.stop_editing(),
            "Escape" => self.toggle_end(),
            key if key.starts_with("Arrow") && !dom::has_modifier(event) && self.move_focus(key) => {
                event.prevent_default()
            }
            _ => {}
        }
    }
}
