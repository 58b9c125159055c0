//! What the visitor has not read yet: how many messages, and where the unread line stands. Plain rules.

use crate::domain::Seq;
use std::collections::VecDeque;

/// So many are counted; of more it is only known that they are more.
const COUNTED: usize = 999;

/// How far somebody has read, and what waits below.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    read: Seq,
    waiting: VecDeque<Seq>,
    /// Whether there are more than `waiting` knows.
    more: bool,
    line: Option<Seq>,
    /// How many messages stand below the line.
    new: usize,
}

impl Unread {
    /// Opens a room that was read up to `read` (never, if `None`) and goes up to `head`. `others` are the messages of
    /// others that are loaded, the first of all is `first`; `more_before` tells that there are older ones.
    pub fn open(
        read: Option<Seq>,
        others: impl Iterator<Item = Seq>,
        first: Seq,
        head: Seq,
        more_before: bool,
    ) -> Self {
        // A room that was deleted and opened again begins anew.
        let read = read.unwrap_or(head).min(head);
        let waiting: VecDeque<Seq> = others.filter(|seq| *seq > read).collect();
        let more = more_before && first > read + 1 && !waiting.is_empty();
        let line = (!waiting.is_empty()).then_some(read);
        Self { read, new: waiting.len(), waiting, more, line }
    }

    /// Up to which number everything is read.
    pub fn read(&self) -> Seq {
        self.read
    }

    /// The unread line stands before the first message after this number.
    pub fn line(&self) -> Option<Seq> {
        self.line
    }

    /// The first message that waits to be read.
    pub fn first(&self) -> Option<Seq> {
        self.waiting.front().copied()
    }

    /// How many messages of others wait to be read.
    pub fn count(&self) -> usize {
        self.waiting.len()
    }

    /// `3`, or `50+` when there are more than are known.
    pub fn count_in_words(&self) -> String {
        in_words(self.count(), self.more)
    }

    /// The same for what stands below the line, read since or not.
    pub fn new_in_words(&self) -> String {
        in_words(self.new, self.more)
    }

    /// A message of somebody else has come. `seen` tells whether the visitor sees it come.
    pub fn arrive(&mut self, seq: Seq, seen: bool) {
        // A page may have shown it before.
        if seq <= self.read {
            return;
        }
        if seen && self.waiting.is_empty() {
            self.read = seq;
            return;
        }
        if self.waiting.is_empty() {
            self.line = Some(self.read);
            self.new = 0;
        }
        self.new += 1;
        if self.waiting.len() < COUNTED {
            self.waiting.push_back(seq);
        } else {
            self.more = true;
        }
    }

    /// The visitor has seen everything up to this number.
    pub fn see(&mut self, seq: Seq) {
        self.read = self.read.max(seq);
        while self.waiting.front().is_some_and(|first| *first <= self.read) {
            self.waiting.pop_front();
        }
        if self.waiting.is_empty() {
            self.more = false;
        }
    }

    /// The visitor has spoken, up to which number everything counts as read.
    pub fn speak(&mut self, seq: Seq) {
        self.see(seq);
        self.line = None;
    }
}

fn in_words(count: usize, more: bool) -> String {
    format!("{count}{}", if more { "+" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_visit_has_nothing_unread() {
        let unread = Unread::open(None, 1..=9, 1, 9, false);
        assert_eq!((unread.read(), unread.line(), unread.count()), (9, None, 0));
    }

    #[test]
    fn a_first_visit_in_the_middle_has_nothing_unread_either() {
        let mut unread = Unread::open(None, 1..=9, 1, 40, false);
        unread.arrive(41, false);
        assert_eq!((unread.line(), unread.count()), (Some(40), 1));
    }

    #[test]
    fn a_room_that_began_anew_is_read_as_far_as_it_goes() {
        let mut unread = Unread::open(Some(500), 1..=2, 1, 2, false);
        unread.arrive(3, false);
        unread.see(3);
        assert_eq!((unread.read(), unread.count()), (3, 0));
    }

    #[test]
    fn what_a_page_has_shown_is_no_news() {
        let mut unread = Unread::open(Some(1), 1..=1, 1, 1, false);
        unread.see(3);
        unread.arrive(2, false);
        assert_eq!((unread.line(), unread.count()), (None, 0));
    }

    #[test]
    fn whoever_comes_back_finds_the_line_where_reading_stopped() {
        let unread = Unread::open(Some(7), [5, 8, 9].into_iter(), 1, 9, false);
        assert_eq!((unread.line(), unread.count_in_words().as_str()), (Some(7), "2"));
        let far = Unread::open(Some(7), 51..=100, 51, 100, true);
        assert_eq!(far.count_in_words(), "50+", "there are more above");
    }

    #[test]
    fn what_is_seen_coming_is_read() {
        let mut unread = Unread::open(None, 1..=3, 1, 3, false);
        unread.arrive(4, true);
        assert_eq!((unread.read(), unread.line(), unread.count()), (4, None, 0));
    }

    #[test]
    fn what_comes_unseen_waits_below_a_line_until_it_is_seen() {
        let mut unread = Unread::open(None, 1..=3, 1, 3, false);
        unread.arrive(4, false);
        unread.arrive(6, false);
        assert_eq!((unread.line(), unread.count()), (Some(3), 2));
        unread.see(5);
        assert_eq!(unread.count(), 1);
        unread.see(6);
        assert_eq!((unread.line(), unread.count(), unread.new_in_words().as_str()), (Some(3), 0, "2"));
        unread.arrive(7, false);
        assert_eq!((unread.line(), unread.new_in_words().as_str()), (Some(6), "1"), "a new line for what is new");
    }

    #[test]
    fn whoever_speaks_has_read() {
        let mut unread = Unread::open(Some(1), 2..=3, 1, 3, false);
        unread.speak(4);
        assert_eq!((unread.read(), unread.line(), unread.count()), (4, None, 0));
    }

    #[test]
    fn a_flood_does_not_cost_memory() {
        let mut unread = Unread::open(None, 1..=1, 1, 1, false);
        (2..100_000).for_each(|seq| unread.arrive(seq, false));
        assert_eq!(unread.count_in_words(), "999+");
        unread.see(200_000);
        assert_eq!(unread.count_in_words(), "0");
    }
}
