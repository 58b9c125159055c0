//! The reader's position in the message list, which is laid out from its end (scroll offsets are negative). The
//! browser's scroll anchoring is off: this module restores the position after every change, before the next paint.

use super::list_items::ListItems;
use super::scroll_target::{Anchor, ScrollTarget};
use super::timeline::rows::Presentation;
use crate::domain::Seq;
use crate::ui::browser::dom;
use crate::ui::browser::location::{SavedScroll, ScrollPosition};
use leptos::html::Div;
use leptos::prelude::*;
use web_sys::{Element, HtmlElement};

/// Height of the date that floats above the messages, in CSS pixels (`message_item.css`).
const FLOATING_DATE_PX: f64 = 40.0;

/// Distance to the end within which the reader counts as being there, in CSS pixels.
const FOLLOW_THRESHOLD_PX: i32 = 100;

/// Scrolls the message list, and keeps the reader's position when it changes.
#[derive(Clone, Copy)]
pub(crate) struct ScrollAnchor {
    /// The element that scrolls.
    pub(crate) container: NodeRef<Div>,
    /// Whether the end is in view, or within [`FOLLOW_THRESHOLD_PX`].
    at_end: RwSignal<bool>,
    /// The anchor at the last update.
    anchor: StoredValue<Option<Anchor>>,
    target: StoredValue<Option<ScrollTarget>>,
    /// The position from which the visitor last went to the end.
    left: StoredValue<Option<ScrollTarget>>,
    presentations: StoredValue<Vec<Presentation>>,
}

impl ScrollAnchor {
    pub(crate) fn new() -> Self {
        Self {
            container: NodeRef::new(),
            at_end: RwSignal::new(true),
            anchor: StoredValue::new(None),
            target: StoredValue::new(None),
            left: StoredValue::new(None),
            presentations: StoredValue::new(Vec::new()),
        }
    }

    /// Returns whether the reader is at the end, without tracking it.
    pub(super) fn is_at_end(self) -> bool {
        self.at_end.get_untracked()
    }

    /// Returns whether the reader is at the end, and tracks it.
    pub(crate) fn track_at_end(self) -> bool {
        self.at_end.get()
    }

    /// Gives the message list the focus.
    pub(crate) fn focus(self) {
        if let Some(container) = self.container.get_untracked() {
            let _ = container.focus();
        }
    }

    /// Focuses a message.
    pub(crate) fn focus_message(self, seq: Seq) {
        if let Some(item) = self.item(seq) {
            dom::focus(item);
        }
    }

    /// Remembers the position that the visitor leaves for the end, unless they are there.
    pub(super) fn leave(self, more_after: bool) {
        if let SavedScroll::At(position) = self.position(more_after) {
            self.left.set_value(Some(ScrollTarget::Restore(position)));
        }
    }

    /// Returns the position that the visitor has left for the end, once.
    pub(super) fn take_left(self) -> Option<ScrollTarget> {
        let left = self.left.get_value();
        self.left.set_value(None);
        left
    }

    /// Stores which of the messages begin a group, and which show their author's tag.
    pub(crate) fn set_presentations(self, presentations: Vec<Presentation>) {
        self.presentations.set_value(presentations);
    }

    /// Applies the presentations to the rendered messages.
    pub(crate) fn present(self) {
        let Some(container) = self.container.get_untracked() else { return };
        let items = ListItems::of(&container);
        self.presentations.with_value(|presentations| {
            for ([starts_group, shows_tag], index) in presentations.iter().zip(0..) {
                if let Some(classes) = items.get(index).map(|item| item.class_list()) {
                    let _ = classes.toggle_with_force("starts-group", *starts_group);
                    let _ = classes.toggle_with_force("shows-tag", *shows_tag);
                }
            }
        });
    }

    /// Scrolls to `target` once the messages are rendered next.
    pub(super) fn scroll_after_render(self, target: ScrollTarget) {
        self.target.set_value(Some(target));
    }

    /// Replaces the target's message by the nearest one on the loaded page; `None` drops the target.
    pub(super) fn retarget(self, nearest: Option<Seq>) {
        self.target.update_value(|target| *target = target.and_then(|target| Some(target.at(nearest?))));
    }

    /// Keeps the position while more messages are rendered, also at the end of the loaded window, if there is no
    /// target.
    pub(super) fn keep_position(self) {
        let position = self.anchor.get_value().map(|anchor| ScrollTarget::Offset(anchor.seq, anchor.below));
        self.target.update_value(|target| *target = target.or(position));
    }

    /// Restores the position after lines wrap differently: the same fraction of the anchor stays in view.
    pub(super) fn restore_after_resize(self, follows: bool) {
        if let Some(anchor) = self.anchor.get_value().filter(|_| !follows) {
            self.target.update_value(|target| _ = target.get_or_insert(ScrollTarget::Wrapped(anchor)));
        }
        self.restore(follows);
    }

    /// Restores the position after rendering: at the target (which stays until it is rendered), the anchor or the end.
    pub(crate) fn restore(self, follows: bool) {
        match (self.target.get_value(), self.anchor.get_value()) {
            (Some(target), _) if self.is_rendered(target) => self.scroll_to(target),
            (Some(_), _) => {}
            (None, Some(anchor)) if !follows => self.scroll_to(ScrollTarget::Offset(anchor.seq, anchor.below)),
            (None, _) => self.scroll_to(ScrollTarget::Bottom),
        }
    }

    fn is_rendered(self, target: ScrollTarget) -> bool {
        let is_here = matches!(target, ScrollTarget::Offset(..));
        is_here || target.seq().is_none_or(|seq| self.item(seq).is_some())
    }

    /// Scrolls to `target` immediately. A message that is not rendered is ignored.
    pub(super) fn scroll_to(self, target: ScrollTarget) {
        self.target.set_value(None);
        let Some(container) = self.container.get_untracked() else { return };
        let height = f64::from(container.client_height());
        // `wanted` is the distance of the item's lower edge below the upper edge of the timeline. The upper edge of an
        // item moves when it starts a group, or ceases to.
        let to = |seq: Seq, wanted: &dyn Fn(f64) -> f64| {
            if let Some(item) = self.item(seq) {
                let rect = item.get_bounding_client_rect();
                let by = rect.bottom() - edges(&container).0 - wanted(rect.height());
                if by.abs() >= 0.5 {
                    container.scroll_by_with_x_and_y(0.0, by);
                }
            }
        };
        match target {
            ScrollTarget::Bottom => container.set_scroll_top(0),
            ScrollTarget::Center(seq) => to(seq, &|item| (height + item) / 2.0),
            ScrollTarget::Top(seq) => to(seq, &|item| height / 4.0 + item),
            ScrollTarget::Restore(ScrollPosition { seq, below }) => to(seq, &|_| f64::from(below) / 100.0),
            ScrollTarget::Offset(seq, below) => to(seq, &|_| below),
            ScrollTarget::Wrapped(Anchor { seq, below, height }) => {
                to(seq, &|item| if below < height { item * below / height } else { item + below - height });
            }
        }
        self.update();
    }

    /// Keeps the upper edge of a message where it is when its text unfolds. The list grows from its end, upwards.
    pub(crate) fn keep_upper_edge(self, seq: Seq) {
        let edge = move || self.item(seq).map_or(0.0, |item| item.get_bounding_client_rect().top());
        let before = edge();
        request_animation_frame(move || {
            if let Some(container) = self.container.get_untracked() {
                container.scroll_by_with_x_and_y(0.0, edge() - before);
            }
        });
    }

    /// Reads the scroll offset and the anchor from the page.
    pub(crate) fn update(self) {
        let Some(container) = self.container.get_untracked() else { return };
        let at_end = is_at_end(&container);
        if at_end != self.is_at_end() {
            self.at_end.set(at_end);
        }
        self.anchor.set_value(first_in_view(&container));
    }

    /// Returns the current position, to be saved; `more_after` tells whether newer messages are not loaded.
    pub(super) fn position(self, more_after: bool) -> SavedScroll {
        let container = self.container.get_untracked().filter(|container| more_after || !is_at_end(container));
        match container.and_then(|container| first_in_view(&container)) {
            Some(Anchor { seq, below, .. }) => SavedScroll::At(ScrollPosition { seq, below: (below * 100.0) as i32 }),
            None => SavedScroll::End,
        }
    }

    /// Returns the last message that is completely in view.
    pub(super) fn last_in_view(self) -> Option<Seq> {
        let container = self.container.get_untracked()?;
        let lower = edges(&container).1;
        let items = ListItems::of(&container);
        let next = items.partition_point(|item| item.get_bounding_client_rect().bottom() > lower + 1.0);
        items.seq(next.checked_sub(1)?)
    }

    /// Returns whether a message is above the view, or not rendered.
    pub(super) fn is_above(self, seq: Seq) -> bool {
        let Some(container) = self.container.get_untracked() else { return false };
        self.item(seq).is_none_or(|item| item.get_bounding_client_rect().top() < edges(&container).0)
    }

    /// Returns how much lies above and below the view, in CSS pixels.
    pub(super) fn remaining(self) -> (i32, i32) {
        let Some(container) = self.container.get_untracked() else { return (i32::MAX, i32::MAX) };
        let below = -container.scroll_top();
        (container.scroll_height() - container.client_height() - below, below)
    }

    /// Returns the item of a message, whose id is also the fragment that links point to.
    fn item(self, seq: Seq) -> Option<Element> {
        self.container.get_untracked()?.query_selector(&format!("#m{seq}")).ok().flatten()
    }
}

fn is_at_end(container: &HtmlElement) -> bool {
    container.scroll_top() > -FOLLOW_THRESHOLD_PX
}

fn first_in_view(container: &HtmlElement) -> Option<Anchor> {
    let (upper, lower) = edges(container);
    let covered = upper + FLOATING_DATE_PX.min((lower - upper) / 2.0);
    let items = ListItems::of(container);
    let first = items.partition_point(|item| item.get_bounding_client_rect().bottom() > covered + 1.0);
    let rect = items.get(first)?.get_bounding_client_rect();
    Some(Anchor { seq: items.seq(first)?, below: rect.bottom() - upper, height: rect.height() })
}

/// Returns the upper and the lower edge of the view.
fn edges(container: &HtmlElement) -> (f64, f64) {
    let rect = container.get_bounding_client_rect();
    (rect.top(), rect.bottom())
}
