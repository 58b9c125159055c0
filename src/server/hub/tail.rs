//! The end of a room's log, in memory. Plain rules: what is appended, what is kept, what a reader gets.

use super::Frame;
use crate::domain::Seq;
use crate::server::websocket::TextFrame;
use std::collections::VecDeque;

/// How much is kept, in frames and in bytes.
const TAIL_FRAMES: usize = 512;
const TAIL_BYTES: usize = 1 << 20;

/// The end of the log, in memory: `frames` are numbered up to `delivered`.
#[derive(Default)]
pub(super) struct Tail {
    pub(super) open: bool,
    pub(super) delivered: Seq,
    frames: VecDeque<Frame>,
    bytes: usize,
    /// The newest number that anybody has spoken of.
    pub(super) wanted: Seq,
    pub(super) healing: bool,
}

impl Tail {
    /// Appends what follows, drops what is there already, and returns the newest number; `None` if there is a gap.
    pub(super) fn append(&mut self, first: Seq, frames: Vec<Frame>) -> Option<Seq> {
        if !self.open || first > self.delivered + 1 {
            return None;
        }
        let known = (self.delivered + 1 - first) as usize;
        for frame in frames.into_iter().skip(known) {
            if frame.deletion {
                self.frames.clear();
                self.bytes = 0;
            }
            self.delivered += 1;
            self.bytes += frame.text.len();
            self.frames.push_back(frame);
            while self.frames.len() > TAIL_FRAMES || self.bytes > TAIL_BYTES {
                let dropped = self.frames.pop_front().map_or(0, |frame| frame.text.len());
                self.bytes -= dropped;
            }
        }
        Some(self.delivered)
    }

    /// How many events are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    /// Lets go of what stands before `oldest`.
    pub(super) fn forget_before(&mut self, oldest: Seq) {
        while self.delivered - (self.frames.len() as Seq) + 1 < oldest {
            let Some(frame) = self.frames.pop_front() else { return };
            self.bytes -= frame.text.len();
        }
    }

    /// Up to `max` frames after `after`.
    pub(super) fn after(&self, after: Seq, max: usize) -> Reach {
        if after >= self.delivered {
            return Reach::None;
        }
        match usize::try_from(after - (self.delivered - self.frames.len() as Seq)) {
            Ok(skip) => {
                Reach::Frames(self.frames.iter().skip(skip).take(max).map(|frame| frame.text.clone()).collect())
            }
            Err(_) => Reach::Behind,
        }
    }
}

/// What the tail has for a reader.
pub(super) enum Reach {
    /// Nothing yet: the reader has everything.
    None,
    /// What comes next.
    Frames(Vec<TextFrame>),
    /// What comes next has left the tail; the log has it.
    Behind,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frames(numbers: std::ops::RangeInclusive<Seq>) -> Vec<Frame> {
        numbers.map(|n| Frame { text: TextFrame::new(&n.to_string()), deletion: false }).collect()
    }

    fn open_at(delivered: Seq) -> Tail {
        Tail { open: true, delivered, ..Tail::default() }
    }

    fn texts(tail: &Tail, after: Seq) -> Option<Vec<String>> {
        match tail.after(after, 100) {
            Reach::Frames(texts) => Some(texts.iter().map(|frame| frame.text().to_owned()).collect()),
            Reach::None | Reach::Behind => None,
        }
    }

    #[test]
    fn what_follows_is_appended_and_what_is_known_dropped() {
        let mut tail = open_at(3);
        assert_eq!(tail.append(4, frames(4..=5)), Some(5));
        assert_eq!(tail.append(4, frames(4..=6)), Some(6));
        assert_eq!(tail.append(1, frames(1..=2)), Some(6));
        assert_eq!(texts(&tail, 3).unwrap(), ["4", "5", "6"]);
        assert_eq!(texts(&tail, 5).unwrap(), ["6"]);
    }

    #[test]
    fn a_gap_is_noticed() {
        let mut tail = open_at(3);
        assert_eq!(tail.append(5, frames(5..=5)), None);
        assert_eq!(tail.delivered, 3);
        assert_eq!(Tail::default().append(1, frames(1..=1)), None, "a room that is not open knows no number");
    }

    #[test]
    fn a_reader_behind_the_tail_is_told_so() {
        let mut tail = open_at(0);
        tail.append(1, frames(1..=TAIL_FRAMES as Seq + 10));
        assert_eq!(texts(&tail, 5), None);
        assert_eq!(texts(&tail, 10).unwrap()[0], "11");
    }

    #[test]
    fn the_tail_is_bounded_in_bytes_too() {
        let mut tail = open_at(0);
        let large = Frame { text: TextFrame::new(&"x".repeat(TAIL_BYTES / 2 - 10)), deletion: false };
        tail.append(1, vec![large; 3]);
        assert_eq!(tail.frames.len(), 2);
    }

    #[test]
    fn a_deletion_takes_the_deleted_text_out_of_memory() {
        let mut tail = open_at(0);
        tail.append(1, frames(1..=3));
        tail.append(4, vec![Frame { text: TextFrame::new("gone"), deletion: true }]);
        assert_eq!(texts(&tail, 2), None);
        assert_eq!(texts(&tail, 3).unwrap(), ["gone"]);
    }

    #[test]
    fn what_is_no_longer_kept_leaves_memory() {
        let mut tail = open_at(10);
        tail.append(11, frames(11..=14));
        tail.forget_before(5);
        assert_eq!(texts(&tail, 10).unwrap().len(), 4);
        tail.forget_before(13);
        assert_eq!((texts(&tail, 11), texts(&tail, 12).unwrap()), (None, vec!["13".to_owned(), "14".to_owned()]));
        tail.forget_before(15);
        assert_eq!((tail.frames.len(), tail.bytes), (0, 0));
        tail.forget_before(99);
        assert_eq!(tail.append(15, frames(15..=15)), Some(15));
    }

    proptest! {
        /// Whatever is published, twice, late or with holes, and however a reader pulls: what it gets is 1, 2, 3 … The
        /// log itself stands in where the tail leaves a gap or does not reach back.
        #[test]
        fn a_reader_gets_every_number_once_and_in_order(
            steps in proptest::collection::vec((1..40i64, 1..8i64, any::<bool>(), 0..5usize), 0..150)
        ) {
            let mut tail = open_at(0);
            let (mut log, mut read): (Seq, Vec<String>) = (0, Vec::new());
            for (first, count, deletion, pulls) in steps {
                let last = first + count - 1;
                log = log.max(last);
                let mut published = frames(first..=last);
                published[0].deletion = deletion;
                if tail.append(first, published).is_none() {
                    let healed = frames(tail.delivered + 1..=last);
                    prop_assert_eq!(tail.append(tail.delivered + 1, healed), Some(last));
                }
                for _ in 0..pulls {
                    let position = read.len() as Seq;
                    match tail.after(position, 3) {
                        Reach::Frames(texts) => read.extend(texts.iter().map(|frame| frame.text().to_owned())),
                        Reach::Behind => read.push((position + 1).to_string()),
                        Reach::None => prop_assert_eq!(position, tail.delivered),
                    }
                }
            }
            prop_assert!(tail.delivered <= log);
            let expected: Vec<String> = (1..=read.len() as Seq).map(|number| number.to_string()).collect();
            prop_assert_eq!(read, expected);
        }
    }
}
