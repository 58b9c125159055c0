//! The state of the visitor's reactions.

use super::request_guard::RequestId;
use crate::domain::{Emoji, EventId, Seq};
use leptos::prelude::*;

/// A reaction that is not answered yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PendingReaction {
    /// The visit of the room in which it was made.
    pub(super) visit: RequestId,
    pub(super) id: EventId,
    pub(super) target: Seq,
    pub(super) emoji: Emoji,
    pub(super) on: bool,
}

/// The state of reacting. Copies share one state.
#[derive(Clone, Copy)]
pub(crate) struct Reacting {
    pub(super) pending: RwSignal<Vec<PendingReaction>>,
    /// The message for which the palette is open.
    pub(crate) palette: RwSignal<Option<Seq>>,
    /// The pinned message whose bar the visitor has hidden.
    pub(crate) hidden_pin: RwSignal<Option<Seq>>,
    /// Whether the reactions are about to be read.
    pub(super) is_reading: StoredValue<bool>,
}

impl Reacting {
    pub(crate) fn new() -> Self {
        Self {
            pending: RwSignal::default(),
            palette: RwSignal::default(),
            hidden_pin: RwSignal::default(),
            is_reading: StoredValue::default(),
        }
    }
}
