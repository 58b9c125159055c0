//! Unread messages of a room: their number and the position of the unread divider. Pure logic.

use crate::domain::Seq;
use crate::domain::history::MAX_UNREAD_COUNT;

/// Maximum number of unread messages that are counted; a higher number is shown with a plus sign.
const MAX_UNREAD: usize = 999;

/// The visitor's read position in a room and the unread messages after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    read: Seq,
    unread: Vec<Seq>,
    /// Number of unread messages that are not loaded, as far as they were counted.
    unloaded: usize,
    /// Whether there are more unread messages than were counted.
    more: bool,
    divider: Option<Seq>,
    /// Number of messages below the divider.
    new_count: usize,
}

impl Unread {
    /// Opens a room whose log goes up to `head` and that was read up to `read`; `None` at the first visit, where
    /// everything counts as read. `others` are the loaded messages of other authors, `first` is the first loaded
    /// message of all, and `more_before` tells whether older ones exist.
    pub fn open(
        read: Option<Seq>,
        others: impl Iterator<Item = Seq>,
        first: Seq,
        head: Seq,
        more_before: bool,
    ) -> Self {
        // A room that was deleted and opened again starts over.
        let read = read.unwrap_or(head).min(head);
        let unread: Vec<Seq> = others.filter(|seq| *seq > read).collect();
        let more = more_before && first > read + 1 && !unread.is_empty();
        let divider = (!unread.is_empty()).then_some(read);
        Self { read, new_count: unread.len(), unread, unloaded: 0, more, divider }
    }

    /// Records the server's count of unread messages, loaded or not.
    pub fn set_total(&mut self, total: usize) {
        self.more = total >= MAX_UNREAD_COUNT as usize;
        let total = total - usize::from(self.more);
        self.unloaded = total.saturating_sub(self.unread.len());
        // Some of those below the divider are read already.
        self.new_count = self.new_count.max(total + self.new_count.saturating_sub(self.unread.len()));
        if self.count() > 0 {
            self.divider = self.divider.or(Some(self.read));
        }
    }

    /// Returns whether unread messages were counted that are not loaded.
    pub fn has_unloaded(&self) -> bool {
        self.unloaded > 0
    }

    /// Records the loaded, undeleted messages of other authors, some of which are new.
    pub fn learn(&mut self, others: impl Iterator<Item = Seq>) {
        for seq in others.filter(|seq| *seq > self.read) {
            if let Err(index) = self.unread.binary_search(&seq)
                && self.unloaded > 0
            {
                self.unread.insert(index, seq);
                self.unloaded -= 1;
            }
        }
    }

    /// Removes a deleted message. One that is not loaded was counted by the server.
    pub fn remove(&mut self, seq: Seq, is_loaded: bool) {
        if self.divider.is_some_and(|divider| seq > divider) {
            let (before, known) = (self.count(), self.unread.len());
            self.unread.retain(|unread| *unread != seq);
            if self.unread.len() == known && !is_loaded && seq > self.read {
                self.unloaded = self.unloaded.saturating_sub(1);
            }
            self.new_count -= (before - self.count()).min(self.new_count);
            if self.new_count == 0 {
                self.divider = None;
            }
        }
    }

    /// Returns the number up to which everything is read.
    pub fn read(&self) -> Seq {
        self.read
    }

    /// Returns the number after which the unread divider is, or `None` if there is no divider.
    pub fn divider(&self) -> Option<Seq> {
        self.divider
    }

    /// Returns the number of the first unread message, or a lower bound of it.
    pub fn first(&self) -> Option<Seq> {
        if self.unloaded > 0 { Some(self.read + 1) } else { self.unread.first().copied() }
    }

    /// Returns the number of unread messages of other authors.
    pub fn count(&self) -> usize {
        self.unread.len() + self.unloaded
    }

    /// Returns the number of unread messages from `seq` on.
    pub fn count_from(&self, seq: Seq) -> usize {
        self.unread.iter().filter(|unread| **unread >= seq).count()
    }

    /// Returns whether a message is among the unread ones.
    pub fn contains(&self, seq: Seq) -> bool {
        self.unread.binary_search(&seq).is_ok()
    }

    /// Returns the number of unread messages as text: `3`, or `50+` if there are more than are known.
    pub fn count_text(&self) -> String {
        count_text(self.count(), self.more)
    }

    /// Returns the number of messages below the divider as text, including those read since.
    pub fn new_count_text(&self) -> String {
        count_text(self.new_count, self.more)
    }

    /// Adds a new message of another author. `seen` tells whether the visitor sees it arrive.
    pub fn push(&mut self, seq: Seq, seen: bool) {
        // A page may have shown it before.
        if seq <= self.read {
            return;
        }
        if seen && self.count() == 0 {
            self.read = seq;
            return;
        }
        if self.count() == 0 {
            self.divider = Some(self.read);
            self.new_count = 0;
        }
        self.new_count += 1;
        if self.unread.len() < MAX_UNREAD {
            self.unread.push(seq);
        } else {
            self.more = true;
        }
    }

    /// Marks everything up to `seq` as read.
    pub fn mark_read(&mut self, seq: Seq) {
        self.read = self.read.max(seq);
        let read = self.unread.partition_point(|seq| *seq <= self.read);
        self.unread.drain(..read);
        if self.unread.is_empty() {
            (self.unloaded, self.more) = (0, false);
        }
    }

    /// Marks everything up to the visitor's own new message as read and removes the divider.
    pub fn mark_own(&mut self, seq: Seq) {
        self.mark_read(seq);
        self.divider = None;
    }
}

fn count_text(count: usize, more: bool) -> String {
    format!("{count}{}", if more { "+" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_visit_has_nothing_unread() {
        let unread = Unread::open(None, 1..=9, 1, 9, false);
        assert_eq!((unread.read(), unread.divider(), unread.count()), (9, None, 0));
    }

    #[test]
    fn a_first_visit_in_the_middle_has_nothing_unread_either() {
        let mut unread = Unread::open(None, 1..=9, 1, 40, false);
        unread.push(41, false);
        assert_eq!((unread.divider(), unread.count()), (Some(40), 1));
    }

    #[test]
    fn a_room_that_started_over_is_read_up_to_its_head() {
        let mut unread = Unread::open(Some(500), 1..=2, 1, 2, false);
        unread.push(3, false);
        unread.mark_read(3);
        assert_eq!((unread.read(), unread.count()), (3, 0));
    }

    #[test]
    fn messages_shown_by_a_page_are_not_new() {
        let mut unread = Unread::open(Some(1), 1..=1, 1, 1, false);
        unread.mark_read(3);
        unread.push(2, false);
        assert_eq!((unread.divider(), unread.count()), (None, 0));
    }

    #[test]
    fn the_divider_stands_where_reading_stopped() {
        let unread = Unread::open(Some(7), [5, 8, 9].into_iter(), 1, 9, false);
        assert_eq!((unread.divider(), unread.count_text().as_str()), (Some(7), "2"));
        let far = Unread::open(Some(7), 51..=100, 51, 100, true);
        assert_eq!(far.count_text(), "50+", "there are more above");
    }

    #[test]
    fn a_message_seen_arriving_is_read() {
        let mut unread = Unread::open(None, 1..=3, 1, 3, false);
        unread.push(4, true);
        assert_eq!((unread.read(), unread.divider(), unread.count()), (4, None, 0));
    }

    #[test]
    fn unseen_messages_stay_unread_below_the_divider() {
        let mut unread = Unread::open(None, 1..=3, 1, 3, false);
        unread.push(4, false);
        unread.push(6, false);
        assert_eq!((unread.divider(), unread.count()), (Some(3), 2));
        unread.mark_read(5);
        assert_eq!(unread.count(), 1);
        unread.mark_read(6);
        assert_eq!((unread.divider(), unread.count(), unread.new_count_text().as_str()), (Some(3), 0, "2"));
        unread.push(7, false);
        assert_eq!(
            (unread.divider(), unread.new_count_text().as_str()),
            (Some(6), "1"),
            "a new divider for new messages"
        );
    }

    #[test]
    fn an_own_message_marks_everything_as_read() {
        let mut unread = Unread::open(Some(1), 2..=3, 1, 3, false);
        unread.mark_own(4);
        assert_eq!((unread.read(), unread.divider(), unread.count()), (4, None, 0));
    }

    #[test]
    fn messages_that_are_not_loaded_are_counted_until_they_are() {
        // Entered at message 80, having read up to 60: only 75 to 85 are loaded.
        let mut unread = Unread::open(Some(60), 75..=85, 75, 99, true);
        unread.set_total(39);
        assert_eq!((unread.count_text().as_str(), unread.first(), unread.divider()), ("39", Some(61), Some(60)));
        unread.learn(61..=85);
        unread.learn(86..=99);
        assert_eq!((unread.count(), unread.unloaded), (39, 0));
        unread.mark_read(70);
        assert_eq!((unread.count(), unread.first()), (29, Some(71)));
        unread.remove(99, true);
        unread.remove(98, false);
        assert_eq!((unread.count(), unread.new_count_text().as_str()), (27, "37"));
        let mut above = Unread::open(Some(60), std::iter::empty(), 1, 99, false);
        above.set_total(100);
        assert_eq!((above.count_text().as_str(), above.divider()), ("99+", Some(60)));
        above.remove(70, false);
        above.remove(71, true);
        assert_eq!(above.count(), 98, "a loaded one that is not unread is no less");
        above.mark_read(99);
        assert_eq!(above.count(), 0);
        // Entered at message 65: the reader has gone on before the server has counted.
        let mut inside = Unread::open(Some(60), 61..=85, 50, 99, true);
        inside.mark_read(70);
        inside.set_total(29);
        assert_eq!((inside.count(), inside.new_count_text().as_str(), inside.divider()), (29, "39", Some(60)));
    }

    #[test]
    fn a_removed_message_is_not_new() {
        let mut unread = Unread::open(Some(1), 2..=3, 1, 3, false);
        unread.remove(2, true);
        assert_eq!((unread.count(), unread.new_count_text().as_str(), unread.divider()), (1, "1", Some(1)));
        unread.remove(2, true);
        unread.remove(3, true);
        assert_eq!((unread.count(), unread.divider()), (0, None));
        unread.push(4, false);
        assert_eq!((unread.count(), unread.new_count_text().as_str()), (1, "1"));
    }

    #[test]
    fn a_flood_does_not_cost_memory() {
        let mut unread = Unread::open(None, 1..=1, 1, 1, false);
        (2..100_000).for_each(|seq| unread.push(seq, false));
        assert_eq!(unread.count_text(), "999+");
        unread.mark_read(200_000);
        assert_eq!(unread.count_text(), "0");
    }
}
