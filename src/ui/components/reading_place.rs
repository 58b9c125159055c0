//! Where the reader is in the messages. The list is drawn from its end, so what comes before the first message moves
//! nothing; what comes after the last one is made up for, unless the reader is at the end and follows.

use leptos::html::Div;
use leptos::prelude::*;
use web_sys::{Element, HtmlElement};

/// So near to the end the reader follows, in pixels.
const NEAR: i32 = 100;

#[derive(Clone, Copy)]
pub(super) struct ReadingPlace {
    scrolled: NodeRef<Div>,
    /// The id of the last message when it was last looked, and how much lay below it, in pixels.
    mark: StoredValue<Option<(String, f64)>>,
}

impl ReadingPlace {
    pub(super) fn new(scrolled: NodeRef<Div>) -> Self {
        Self { scrolled, mark: StoredValue::new(None) }
    }

    /// The messages have changed: the reader's line stays, or follows the end.
    pub(super) fn keep(self) {
        let Some(scrolled) = self.scrolled.get_untracked() else { return };
        if scrolled.scroll_top() > -NEAR {
            scrolled.set_scroll_top(0);
        } else if let Some((last, below)) = self.mark.get_value()
            && let Ok(Some(last)) = scrolled.query_selector(&format!("#{last}"))
        {
            // Scrolling counts from the end, in negative numbers.
            scrolled.scroll_by_with_x_and_y(0.0, below - space_below(&scrolled, &last));
        }
        self.mark();
    }

    /// Goes to the end.
    pub(super) fn follow(self) {
        if let Some(scrolled) = self.scrolled.get_untracked() {
            scrolled.set_scroll_top(0);
        }
        self.mark();
    }

    /// Remembers the last message and what lies below it.
    pub(super) fn mark(self) {
        let Some(scrolled) = self.scrolled.get_untracked() else { return };
        let last = scrolled.query_selector(".message-list > :last-child").ok().flatten();
        self.mark.set_value(last.map(|last| {
            let below = space_below(&scrolled, &last);
            (last.id(), below)
        }));
    }
}

/// From the lower edge of `last` to the end of the list.
fn space_below(scrolled: &HtmlElement, last: &Element) -> f64 {
    let end = scrolled.first_element_child().map_or(0.0, |content| content.get_bounding_client_rect().bottom());
    end - last.get_bounding_client_rect().bottom()
}
