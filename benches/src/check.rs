//! Checks that all subscribers of a room received the same messages, each once and in the same order.

/// The mark in a message's text, which identifies it: publisher, number and time of sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub publisher: u32,
    pub number: u32,
    /// Microseconds since the run began.
    pub sent: u64,
}

impl Mark {
    /// A text of `length` bytes that carries this mark.
    pub fn text(&self, run: u32, length: usize) -> String {
        let Self { publisher, number, sent } = self;
        let mut text = format!("@@{run},{publisher},{number},{sent}@@ ");
        while text.len() < length {
            text.push_str("the quick brown fox jumps over the lazy dog ");
        }
        text.truncate(length - 1);
        text.push('.');
        text
    }

    /// Finds the mark of this run in a frame.
    pub fn find(frame: &[u8], run: u32) -> Option<Self> {
        let start = frame.windows(2).position(|two| two == b"@@")? + 2;
        let rest = &frame[start..];
        let end = rest.iter().take(60).position(|&byte| byte == b'@')?;
        let mut numbers = std::str::from_utf8(&rest[..end]).ok()?.split(',').map(str::parse::<u64>);
        let mut next = || numbers.next()?.ok();
        (next()? == u64::from(run)).then_some(())?;
        Some(Self { publisher: next()? as u32, number: next()? as u32, sent: next()? })
    }
}

/// The messages that one subscriber has received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The next expected number of each publisher.
    next: Vec<u32>,
    pub got: u64,
    pub repeated: u64,
    /// Messages that arrived after a later one of the same publisher, or left a gap.
    pub reordered: u64,
    /// A hash over the messages in order of arrival: all subscribers of a room have the same one.
    pub order: u64,
}

impl Seen {
    pub fn of(publishers: usize) -> Self {
        Self { next: vec![0; publishers], ..Self::default() }
    }

    pub fn see(&mut self, mark: Mark) {
        let Some(next) = self.next.get_mut(mark.publisher as usize) else {
            self.reordered += 1;
            return;
        };
        match mark.number.cmp(next) {
            std::cmp::Ordering::Less => {
                self.repeated += 1;
                return;
            }
            std::cmp::Ordering::Greater => self.reordered += 1,
            std::cmp::Ordering::Equal => {}
        }
        *next = mark.number + 1;
        self.got += 1;
        let one = u64::from(mark.publisher) << 32 | u64::from(mark.number);
        self.order = (self.order ^ one).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(17);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(numbers: &[(u32, u32)]) -> Seen {
        let mut seen = Seen::of(2);
        numbers.iter().for_each(|&(publisher, number)| seen.see(Mark { publisher, number, sent: 0 }));
        seen
    }

    #[test]
    fn a_mark_is_found_in_its_text() {
        let mark = Mark { publisher: 3, number: 41, sent: 123_456 };
        let text = mark.text(7, 120);
        assert_eq!(text.len(), 120);
        assert_eq!(Mark::find(format!("{{\"message\":\"{text}\"}}").as_bytes(), 7), Some(mark));
        assert_eq!(Mark::find(text.as_bytes(), 8), None, "another run's");
    }

    #[test]
    fn lost_repeated_and_moved_events_are_noticed() {
        let whole = seen(&[(0, 0), (1, 0), (0, 1)]);
        assert_eq!((whole.got, whole.repeated, whole.reordered), (3, 0, 0));
        assert_eq!(seen(&[(0, 0), (1, 0), (0, 0), (0, 1)]).repeated, 1);
        assert_eq!(seen(&[(0, 1), (1, 0)]).reordered, 1, "a hole");
        assert_ne!(seen(&[(1, 0), (0, 0), (0, 1)]).order, whole.order, "two orders in one room");
    }
}
