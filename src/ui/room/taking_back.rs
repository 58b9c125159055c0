//! Takes texts back from the room: unsent messages return to the composer, and others go to the clipboard.

use super::outbox::OutboxCommand;
use super::state::RoomState;
use crate::domain::EventId;
use crate::ui::browser::{dom, storage};
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::Event;

impl RoomState {
    /// Removes a command from the outbox, unless it may be in the log already. Returns it, or returns `None` and shows
    /// a notice.
    fn take_back(self, id: &EventId) -> Option<OutboxCommand> {
        let pending = self.outbox.with_untracked(|outbox| outbox.get(id).cloned())?;
        if pending.tried {
            self.notice.set("That message is on its way already.".to_owned());
            return None;
        }
        self.discard(id);
        Some(pending.command)
    }

    /// Takes an action on a command that is not in the log. The command's buttons may disappear with it, so the focus
    /// moves to the composer.
    pub(crate) fn act_on_pending(self, action: &str, id: &EventId) {
        match action {
            "retry" => self.retry(id),
            "discard" => self.discard(id),
            "cancel" => _ = self.take_back(id),
            "edit-pending" => self.edit_pending(id),
            _ => return,
        }
        self.editing.focus_on_desktop();
    }

    /// Moves a message or an edit from the outbox to the composer.
    fn edit_pending(self, id: &EventId) {
        let Some(field) = self.editing.field.get_untracked() else { return };
        if self.editing.target.get_untracked().is_some() {
            return self.notice.set("Save or cancel the edit in the composer first.".to_owned());
        }
        match self.take_back(id) {
            Some(OutboxCommand::Post { text, reply_to, .. }) => {
                self.set_reply(reply_to.or(self.replying.target.get_untracked()));
                let draft = field.value();
                field.set_value(&if draft.is_empty() { text } else { format!("{draft}\n{text}") });
                // The composer saves it as a draft.
                let _ = Event::new("input").map(|event| field.dispatch_event(&event));
            }
            Some(OutboxCommand::Edit { target, text }) => {
                storage::save_edit(&self.name(), &self.epoch(), target, &text);
                self.editing.start(target);
            }
            _ => {}
        }
        self.editing.focus();
    }

    /// Copies a text to the clipboard. A page without access to it shows the text instead.
    pub(crate) fn copy(self, text: String) {
        spawn_local(async move {
            let is_copied = dom::write_clipboard(&text).await;
            self.notice.set(if is_copied { "Copied.".to_owned() } else { text });
        });
    }
}
