//! Where the reader is in the messages. The list is drawn from its end (a browser counts its scrolling from there, in
//! negative numbers), and the browser does not hold the reader's line itself: after every change it is put back here,
//! before anything is shown.

use crate::domain::Seq;
use crate::ui::browser::address::{Left, Place};
use leptos::html::Div;
use leptos::prelude::*;
use web_sys::{Element, HtmlElement};

/// So near to the end the reader follows, in pixels.
const NEAR: i32 = 100;

/// Where the reader goes when the messages are drawn next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Goal {
    End,
    /// This message, in the middle.
    Middle(Seq),
    /// This message, near the upper edge.
    Top(Seq),
    /// Where the reader was before.
    Back(Place),
    /// The lower edge of this message, so many pixels below the upper edge of the timeline.
    Stay(Seq, f64),
    /// This share of the message, from its lower edge up, below the upper edge of the timeline.
    Share(Seq, f64),
}

/// The uppermost message in view.
#[derive(Clone, Copy, Debug)]
struct Mark {
    seq: Seq,
    /// From the upper edge of the timeline to its lower edge, in pixels.
    below: f64,
    height: f64,
}

impl Goal {
    /// Where an address leads: to where it was left, or else to the message that it names.
    pub(super) fn of(left: Option<Left>, named: Option<Seq>) -> Self {
        match (left, named) {
            (Some(Left::At(place)), _) => Self::Back(place),
            (None, Some(seq)) => Self::Middle(seq),
            (Some(Left::End), _) | (None, None) => Self::End,
        }
    }

    /// The message that it is about.
    pub(super) fn seq(self) -> Option<Seq> {
        match self {
            Self::End => None,
            Self::Middle(seq) | Self::Top(seq) | Self::Stay(seq, _) | Self::Share(seq, _) => Some(seq),
            Self::Back(place) => Some(place.seq),
        }
    }

    /// The same goal with another message.
    pub(super) fn at(self, seq: Seq) -> Self {
        match self {
            Self::End => Self::End,
            Self::Middle(_) => Self::Middle(seq),
            Self::Top(_) => Self::Top(seq),
            Self::Back(place) => Self::Back(Place { seq, ..place }),
            Self::Stay(_, below) => Self::Stay(seq, below),
            Self::Share(_, share) => Self::Share(seq, share),
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct ReadingPlace {
    pub(super) scrolled: NodeRef<Div>,
    /// Whether the end is in view, or so near that the reader follows.
    at_the_end: RwSignal<bool>,
    /// As it was when it was last looked.
    mark: StoredValue<Option<Mark>>,
    goal: StoredValue<Option<Goal>>,
}

impl ReadingPlace {
    pub(super) fn new() -> Self {
        Self {
            scrolled: NodeRef::new(),
            at_the_end: RwSignal::new(true),
            mark: StoredValue::new(None),
            goal: StoredValue::new(None),
        }
    }

    pub(super) fn is_at_the_end(self) -> bool {
        self.at_the_end.get_untracked()
    }

    /// Whether the end is in view, for those who want to hear of it.
    pub(super) fn at_the_end(self) -> bool {
        self.at_the_end.get()
    }

    /// Goes there once the messages are drawn next.
    pub(super) fn aim(self, goal: Goal) {
        self.goal.set_value(Some(goal));
    }

    /// The page that was to hold the goal has come, and this is the message in it that is nearest; or it did not come.
    pub(super) fn redirect(self, nearest: Option<Seq>) {
        self.goal.update_value(|goal| *goal = goal.and_then(|goal| Some(goal.at(nearest?))));
    }

    /// More is about to be drawn above or below: the reader stays at the line in view, at the end of a piece of the room
    /// too, unless on the way elsewhere.
    pub(super) fn stay(self) {
        self.goal.update_value(|goal| *goal = goal.or(self.mark.get_value().map(|it| Goal::Stay(it.seq, it.below))));
    }

    /// Lines break elsewhere now: of the message that is read, as much is in view as was.
    pub(super) fn rewrap(self, follows: bool) {
        if let Some(Mark { seq, below, height }) = self.mark.get_value().filter(|_| !follows) {
            self.goal.update_value(|goal| _ = goal.get_or_insert(Goal::Share(seq, below / height)));
        }
        self.keep(follows);
    }

    /// The messages were drawn anew: the reader goes where they wanted, or stays, or follows the end.
    pub(super) fn keep(self, follows: bool) {
        match (self.goal.get_value(), self.mark.get_value()) {
            // What is not drawn yet is gone to when it is.
            (Some(goal), _) if self.can_go(goal) => self.go(goal),
            (Some(_), _) => {}
            (None, Some(mark)) if !follows => self.go(Goal::Stay(mark.seq, mark.below)),
            (None, _) => self.go(Goal::End),
        }
    }

    fn can_go(self, goal: Goal) -> bool {
        let scrolled = self.scrolled.get_untracked();
        let is_here = matches!(goal, Goal::Stay(..));
        is_here || goal.seq().is_none_or(|seq| scrolled.is_some_and(|scrolled| line(&scrolled, seq).is_some()))
    }

    /// Goes there now. What is not drawn is not gone to.
    pub(super) fn go(self, goal: Goal) {
        self.goal.set_value(None);
        let Some(scrolled) = self.scrolled.get_untracked() else { return };
        let height = f64::from(scrolled.client_height());
        // `wanted` is where the lower edge of the line shall be, below the upper edge of the timeline. The upper edge of
        // a line moves when it begins to lead a group, or ceases to.
        let to = |seq: Seq, wanted: &dyn Fn(f64) -> f64| {
            if let Some(line) = line(&scrolled, seq) {
                let area = line.get_bounding_client_rect();
                let by = area.bottom() - edges(&scrolled).0 - wanted(area.height());
                if by.abs() >= 0.5 {
                    scrolled.scroll_by_with_x_and_y(0.0, by);
                }
            }
        };
        match goal {
            Goal::End => scrolled.set_scroll_top(0),
            Goal::Middle(seq) => to(seq, &|line| (height + line) / 2.0),
            Goal::Top(seq) => to(seq, &|line| height / 4.0 + line),
            Goal::Back(Place { seq, below }) => to(seq, &|_| f64::from(below) / 100.0),
            Goal::Stay(seq, below) => to(seq, &|_| below),
            Goal::Share(seq, share) => to(seq, &|line| line * share),
        }
        self.look();
    }

    /// Looks where the reader is, and remembers it.
    pub(super) fn look(self) {
        let Some(scrolled) = self.scrolled.get_untracked() else { return };
        let at_the_end = is_at_the_end(&scrolled);
        if at_the_end != self.is_at_the_end() {
            self.at_the_end.set(at_the_end);
        }
        self.mark.set_value(first_in_view(&scrolled));
    }

    /// Where the reader is this very moment; `more` is whether messages follow that are not loaded.
    pub(super) fn now(self, more: bool) -> Left {
        let scrolled = self.scrolled.get_untracked().filter(|scrolled| more || !is_at_the_end(scrolled));
        match scrolled.and_then(|scrolled| first_in_view(&scrolled)) {
            Some(Mark { seq, below, .. }) => Left::At(Place { seq, below: (below * 100.0) as i32 }),
            None => Left::End,
        }
    }

    /// The last message that is wholly in view.
    pub(super) fn last_in_view(self) -> Option<Seq> {
        let scrolled = self.scrolled.get_untracked()?;
        let lower = edges(&scrolled).1;
        let lines = Lines::of(&scrolled)?;
        let next = lines.first(|line| line.get_bounding_client_rect().bottom() > lower + 1.0);
        (0..next).rev().find_map(|index| seq(&lines.get(index)?))
    }

    /// Whether this message is above what is in view, or not drawn at all.
    pub(super) fn is_above(self, seq: Seq) -> bool {
        let Some(scrolled) = self.scrolled.get_untracked() else { return false };
        line(&scrolled, seq).is_none_or(|line| line.get_bounding_client_rect().top() < edges(&scrolled).0)
    }

    /// How much lies above and below what is in view, in pixels.
    pub(super) fn left(self) -> (i32, i32) {
        let Some(scrolled) = self.scrolled.get_untracked() else { return (i32::MAX, i32::MAX) };
        let below = -scrolled.scroll_top();
        (scrolled.scroll_height() - scrolled.client_height() - below, below)
    }
}

/// What the list has drawn, from top to bottom.
struct Lines(web_sys::HtmlCollection);

impl Lines {
    fn of(scrolled: &HtmlElement) -> Option<Self> {
        scrolled.query_selector(".message-list").ok().flatten().map(|list| Self(list.children()))
    }

    fn get(&self, index: u32) -> Option<Element> {
        self.0.item(index)
    }

    /// The index of the first line of which this is true; it is then true of all that follow.
    fn first(&self, is: impl Fn(&Element) -> bool) -> u32 {
        let (mut from, mut to) = (0, self.0.length());
        while from < to {
            let middle = (from + to) / 2;
            if self.get(middle).is_some_and(|line| is(&line)) {
                to = middle;
            } else {
                from = middle + 1;
            }
        }
        from
    }
}

fn is_at_the_end(scrolled: &HtmlElement) -> bool {
    scrolled.scroll_top() > -NEAR
}

fn first_in_view(scrolled: &HtmlElement) -> Option<Mark> {
    let upper = edges(scrolled).0;
    let lines = Lines::of(scrolled)?;
    let first = lines.first(|line| line.get_bounding_client_rect().bottom() > upper + 1.0);
    (first..lines.0.length()).find_map(|index| {
        let line = lines.get(index)?;
        let area = line.get_bounding_client_rect();
        Some(Mark { seq: seq(&line)?, below: area.bottom() - upper, height: area.height() })
    })
}

/// The upper and the lower edge of what is in view.
fn edges(scrolled: &HtmlElement) -> (f64, f64) {
    let area = scrolled.get_bounding_client_rect();
    (area.top(), area.bottom())
}

fn line(scrolled: &HtmlElement, seq: Seq) -> Option<Element> {
    scrolled.query_selector(&format!("#m{seq}")).ok().flatten()
}

fn seq(line: &Element) -> Option<Seq> {
    line.get_attribute("data-seq")?.parse().ok()
}
