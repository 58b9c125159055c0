//! The message that the composer replies to, and the swipe that chooses one.

use crate::domain::Seq;
use leptos::prelude::*;

/// The message that the visitor replies to. It is kept with the draft.
#[derive(Clone, Copy)]
pub(crate) struct Replying {
    /// The number of the message, if there is one.
    pub(crate) target: RwSignal<Option<Seq>>,
    /// The swipe in progress, if any.
    pub(super) swipe: StoredValue<Option<SwipeStart>>,
}

/// The message that a finger is on, and the place where it was put down.
#[derive(Clone, Copy)]
pub(super) struct SwipeStart {
    pub(super) seq: Seq,
    pub(super) x: i32,
    pub(super) y: i32,
    /// The distance so far; 0 until the finger swipes.
    pub(super) distance: i32,
}

impl Replying {
    pub(crate) fn new(target: Option<Seq>) -> Self {
        Self { target: RwSignal::new(target), swipe: StoredValue::default() }
    }
}
