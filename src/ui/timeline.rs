//! The browser's view of a room: the messages it has, in the order of the log. Plain rules, no browser.

mod rows;
#[cfg(test)]
mod tests;

pub use rows::{MessageRow, Row};

use crate::domain::{Event, EventBody, HistoryPage, Message, RoomPage, Seq};

/// What an event did to the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It came next, and is in.
    Next,
    /// It was in already.
    Known,
    /// Events before it are missing: ask for them.
    Gap,
}

/// How many messages are held at most: a page more makes the timeline let go of one at its other end.
pub const MAX_LINES: usize = 300;

/// How many are let go at once, so that it does not happen at every message.
const LET_GO: usize = 50;

/// The messages of a room, as far as they are loaded: a piece of its log without gaps, of bounded length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    lines: Vec<Line>,
    position: Seq,
    more_before: bool,
    more_after: bool,
    /// The newest message that is known to exist.
    newest: Seq,
    /// Changes since a page is on its way, which may hold messages as they were before.
    missed: Option<Vec<Change>>,
}

/// A message, and which event last changed it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    message: Message,
    changed: Seq,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    target: Seq,
    seq: Seq,
    /// Empty when the message was deleted.
    text: String,
}

impl Timeline {
    /// The timeline of a page that was just loaded.
    pub fn new(page: &RoomPage) -> Self {
        let lines = lines(page.history.messages.clone());
        let newest = lines.last().map_or(0, |line| line.message.seq);
        Self {
            lines,
            // The head was read before the messages: everything up to it is in them.
            position: newest.max(page.head),
            more_before: page.history.more_before,
            more_after: page.history.more_after,
            newest,
            missed: None,
        }
    }

    /// The last number of the log that has been taken in.
    pub fn position(&self) -> Seq {
        self.position
    }

    /// Whether older messages can be loaded.
    pub fn more_before(&self) -> bool {
        self.more_before
    }

    /// Whether newer messages can be loaded: the newest are not here.
    pub fn more_after(&self) -> bool {
        self.more_after
    }

    /// The messages that are loaded, oldest first.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.lines.iter().map(|line| &line.message)
    }

    /// The number of the oldest message that is loaded.
    pub fn first(&self) -> Option<Seq> {
        self.messages().next().map(|message| message.seq)
    }

    /// The number of the newest message that is loaded.
    pub fn last(&self) -> Option<Seq> {
        self.messages().next_back().map(|message| message.seq)
    }

    /// The number of the message that is loaded and has this number or the next higher one; else the newest.
    pub fn nearest(&self, seq: Seq) -> Option<Seq> {
        self.messages().map(|message| message.seq).find(|it| *it >= seq).or(self.last())
    }

    /// The message of this number, if it is loaded.
    pub fn message(&self, seq: Seq) -> Option<&Message> {
        self.index(seq).map(|index| &self.lines[index].message)
    }

    /// Takes an event of the log. `follows` tells whether the reader is at the end: the timeline then grows there and
    /// lets go of its beginning; else the new message is left to be loaded when there is no room for it.
    pub fn apply(&mut self, event: Event, follows: bool) -> Applied {
        let Event { seq, id, at, body } = event;
        if seq <= self.position {
            return Applied::Known;
        }
        if seq > self.position + 1 {
            return Applied::Gap;
        }
        self.position = seq;
        match body {
            EventBody::Message { username, tag, text } => {
                self.newest = seq;
                let is_there = self.last().is_some_and(|last| last >= seq);
                self.more_after |= !is_there && !follows && self.lines.len() >= MAX_LINES;
                if !self.more_after && !is_there {
                    let message = Message { seq, id, username, tag, text, sent_at: at, edited: false };
                    self.lines.push(Line { message, changed: seq });
                    self.let_go_of_the_beginning();
                }
            }
            EventBody::Edited { target, text } => self.change(Change { target, seq, text }),
            EventBody::Deleted { target } => self.change(Change { target, seq, text: String::new() }),
            EventBody::Moderated(_) => {}
        }
        Applied::Next
    }

    /// A page is about to be asked for.
    pub fn expect_page(&mut self) {
        self.missed.get_or_insert_default();
    }

    /// Puts an older page before what is there. What overlaps is left out.
    pub fn prepend(&mut self, page: HistoryPage) {
        let first = self.first().unwrap_or(Seq::MAX);
        let mut older = lines(page.messages);
        older.retain(|line| line.message.seq < first);
        self.more_before = page.more_before;
        self.lines.splice(..0, older);
        if self.lines.len() > MAX_LINES {
            self.lines.truncate(MAX_LINES);
            self.more_after = true;
        }
        self.make_up();
    }

    /// Puts a newer page after what is there. What overlaps is left out.
    pub fn append(&mut self, page: HistoryPage) {
        let last = self.last().unwrap_or(0);
        let newer = lines(page.messages).into_iter().filter(|line| line.message.seq > last);
        self.lines.extend(newer);
        self.reach(page.more_after);
        self.let_go_of_the_beginning();
        self.make_up();
    }

    /// Shows another piece of the log.
    pub fn jump(&mut self, page: HistoryPage) {
        self.more_before = page.more_before;
        self.lines = lines(page.messages);
        self.reach(page.more_after);
        self.make_up();
    }

    /// Messages that came while a page was read are not in it, and were not taken in.
    fn reach(&mut self, more_after: bool) {
        let last = self.last().unwrap_or(0);
        self.more_after = more_after || last < self.newest;
        self.newest = self.newest.max(last);
    }

    fn let_go_of_the_beginning(&mut self) {
        if self.lines.len() > MAX_LINES {
            let surplus = self.lines.len() - MAX_LINES;
            self.lines.drain(..surplus.next_multiple_of(LET_GO));
            self.more_before = true;
        }
    }

    fn make_up(&mut self) {
        for change in self.missed.take().unwrap_or_default() {
            self.change(change);
        }
    }

    fn change(&mut self, change: Change) {
        if let Some(missed) = &mut self.missed {
            missed.push(change.clone());
        }
        if let Some(index) = self.index(change.target) {
            let line = &mut self.lines[index];
            line.message.edited = !change.text.is_empty();
            line.message.text = change.text;
            line.changed = change.seq;
        }
    }

    fn index(&self, seq: Seq) -> Option<usize> {
        self.lines.binary_search_by_key(&seq, |line| line.message.seq).ok()
    }
}

fn lines(messages: Vec<Message>) -> Vec<Line> {
    messages.into_iter().map(|message| Line { changed: message.seq, message }).collect()
}
