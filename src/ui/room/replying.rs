//! The message that the composer replies to.

use crate::domain::{Quote, Seq};
use leptos::prelude::*;

/// The message that the visitor replies to, if any.
#[derive(Clone, Copy)]
pub(crate) struct Replying {
    pub(crate) quote: RwSignal<Option<Quote>>,
}

impl Replying {
    pub(crate) fn new(quote: Option<Quote>) -> Self {
        Self { quote: RwSignal::new(quote) }
    }

    /// Returns the number of the message.
    pub(crate) fn target(self) -> Option<Seq> {
        self.quote.with(|quote| quote.as_ref().map(|quote| quote.seq))
    }
}
