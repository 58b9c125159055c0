//! The toolbar of messages, and the actions on a message. One toolbar serves all messages: buttons in each of them would
//! be a third of the page.

use super::dialogs::ModerationTarget;
use super::state::RoomState;
use crate::domain::Seq;
use crate::ui::browser::{dom, location};
use leptos::prelude::*;
use web_sys::Event;

impl RoomState {
    /// Puts the toolbar into the message that an event is in.
    pub(crate) fn show_toolbar(self, event: &Event) {
        let Some(toolbar) = self.toolbar.get_untracked().filter(|_| self.hydrated.get_untracked()) else { return };
        if let Some(message) = dom::closest(event, ".message:not(.is-deleted)")
            && toolbar.parent_element().as_ref() != Some(&message)
            // Moving it would take the focus from the keyboard.
            && dom::find(".toolbar :focus-visible").is_none()
        {
            let _ = message.append_child(&toolbar);
        }
    }

    /// Takes an action on a message, as `data-action` names it.
    pub(crate) fn act_on_message(self, action: &str, seq: Seq) {
        match action {
            "more" => self.dialogs.menu.set(Some(seq)),
            "reply" => self.reply_to(seq),
            "palette" => self.open_palette(seq),
            "pin" => self.toggle_pin(seq),
            "unread" => self.mark_unread(seq),
            // It may have been removed while the menu was open.
            "edit" if self.has_own(seq) => self.editing.start(seq),
            "delete" => self.dialogs.deleting.set(Some(seq)),
            "copy-text" => self.copy(self.text_of(seq).unwrap_or_default()),
            "copy-link" => self.copy(format!("{}{}{seq}", location::origin(), self.path())),
            "mute" | "ban" => self.dialogs.moderating.set(Some(ModerationTarget::AuthorOf(seq))),
            "permalink" => self.open_permalink(seq),
            _ => {}
        }
    }
}
