//! The visitor's name in the room.

use super::request_guard::RequestGuard;
use crate::domain::Username;
use leptos::prelude::*;

/// The visitor's name, and the reason if the server refuses it.
#[derive(Clone, Copy)]
pub(crate) struct Identity {
    /// The name, or `None` until the visitor has entered one.
    pub(crate) username: RwSignal<Option<String>>,
    /// The reason if the server refuses the name in this room.
    pub(crate) name_error: RwSignal<Option<String>>,
    /// Whether the dialog that changes the name is open, and the reason if the server refuses the new one.
    pub(crate) is_renaming: RwSignal<bool>,
    pub(crate) rename_error: RwSignal<String>,
    /// The names that the visitor holds in the room: whoever mentions one of them mentions the visitor.
    pub(crate) held: RwSignal<Vec<Username>>,
    /// Guard of the requests to set a name: of several names the last one counts.
    pub(super) joins: RequestGuard,
}

impl Identity {
    pub(crate) fn new(username: Option<String>) -> Self {
        Self {
            username: RwSignal::new(username),
            name_error: RwSignal::default(),
            is_renaming: RwSignal::new(false),
            rename_error: RwSignal::default(),
            held: RwSignal::default(),
            joins: RequestGuard::new(),
        }
    }

    /// Records that the visitor has written under a name.
    pub(super) fn hold(self, name: Username) {
        if self.held.with_untracked(|held| !held.contains(&name)) {
            self.held.update(|held| held.push(name));
        }
    }

    /// Returns whether a mention of this name is one of the visitor.
    pub(crate) fn is_mentioned_by(self, name: &Username) -> bool {
        let is_alike = |own: &str| own.eq_ignore_ascii_case(name.as_str());
        self.held.with(|held| held.iter().any(|held| is_alike(held.as_str())))
            || self.username.with(|own| own.as_deref().is_some_and(is_alike))
    }

    /// Returns whether the composer has to ask for a name.
    pub(crate) fn needs_name(self) -> bool {
        self.is_nameless() || self.name_error.with(Option::is_some)
    }

    /// Returns whether the visitor has not entered a name yet.
    pub(crate) fn is_nameless(self) -> bool {
        self.username.with(Option::is_none)
    }
}
