//! The composer's field, and the message that is being edited in it.

use crate::domain::Seq;
use crate::ui::browser::dom;
use leptos::html::Textarea;
use leptos::prelude::*;

/// A handle on the composer's field, and the own message whose text is in it.
#[derive(Clone, Copy)]
pub(crate) struct Editing {
    /// The message being edited; `None` while a new message is written.
    pub(crate) target: RwSignal<Option<Seq>>,
    /// The composer's field.
    pub(crate) field: NodeRef<Textarea>,
    /// Whether the visitor has typed since the frame of the room was shown.
    pub(crate) has_typed: StoredValue<bool>,
}

impl Editing {
    pub(crate) fn new() -> Self {
        Self { target: RwSignal::default(), field: NodeRef::new(), has_typed: StoredValue::default() }
    }

    /// Starts to edit a message.
    pub(crate) fn start(self, seq: Seq) {
        self.target.set(Some(seq));
    }

    /// Gives the composer the focus.
    pub(crate) fn focus(self) {
        if let Some(field) = self.field.get_untracked() {
            let _ = field.focus();
        }
    }

    /// Focuses the composer, unless that would open an on-screen keyboard.
    pub(crate) fn focus_on_desktop(self) {
        if !dom::is_touch() {
            self.focus();
        }
    }
}
