//! Dialogs and panels of the room, and their subjects.

use crate::domain::moderation::ModerationAction;
use crate::domain::{AuthorTag, Participant, Seq};
use crate::ui::browser::dom;
use leptos::prelude::*;
use web_sys::Event;

/// Subject of the moderation dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ModerationTarget {
    /// The author of a message.
    AuthorOf(Seq),
    /// A participant who is present.
    Participant(Participant),
}

/// An action of the owner, to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModerationRequest {
    /// The action.
    pub(super) action: ModerationAction,
    /// A message of the subject, if the action has one; otherwise `tag` names the subject.
    pub(super) target: Option<Seq>,
    pub(super) tag: Option<AuthorTag>,
    /// The duration of a temporary action.
    pub(super) seconds: u32,
}

/// Open state of the dialogs, and of the sidebar if it is a panel.
#[derive(Clone, Copy)]
pub(crate) struct Dialogs {
    /// Whether the room switcher is open.
    pub(crate) switcher: RwSignal<bool>,
    /// Whether the sidebar is open, on pages too narrow to show it beside the messages.
    pub(crate) sidebar: RwSignal<bool>,
    /// The message whose menu is open.
    pub(crate) menu: RwSignal<Option<Seq>>,
    /// The message to delete once the visitor confirms.
    pub(crate) deleting: RwSignal<Option<Seq>>,
    /// The subject of the moderation dialog.
    pub(crate) moderating: RwSignal<Option<ModerationTarget>>,
}

impl Dialogs {
    pub(crate) fn new() -> Self {
        Self {
            switcher: RwSignal::new(false),
            sidebar: RwSignal::new(false),
            menu: RwSignal::default(),
            deleting: RwSignal::default(),
            moderating: RwSignal::default(),
        }
    }

    /// Returns whether a modal dialog is open.
    pub(crate) fn is_modal_open(self) -> bool {
        self.switcher.get_untracked()
            || self.menu.get_untracked().is_some()
            || self.deleting.get_untracked().is_some()
            || self.moderating.get_untracked().is_some()
    }

    /// Closes the modal dialogs.
    pub(crate) fn close_modals(self) {
        self.switcher.set(false);
        self.menu.set(None);
        self.deleting.set(None);
        self.moderating.set(None);
    }

    /// Closes the sidebar, if it is a panel, when an event is outside of it and of its button.
    pub(super) fn close_sidebar_outside(self, event: &Event) {
        if self.sidebar.get_untracked() && dom::closest(event, "#participants, .people-button, dialog").is_none() {
            self.sidebar.set(false);
        }
    }

    /// Opens the room switcher, or closes it.
    pub(crate) fn toggle_switcher(self) {
        self.switcher.update(|open| *open = !*open);
    }

    /// Opens the sidebar, or closes it.
    pub(crate) fn toggle_sidebar(self) {
        self.sidebar.update(|open| *open = !*open);
    }
}
