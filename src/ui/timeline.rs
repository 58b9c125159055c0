//! The browser's view of a room: the messages it has, in the order of the log. Plain rules, no browser.

mod rows;

pub use rows::Row;

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

/// The messages of a room, as far as they are loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    lines: Vec<Line>,
    position: Seq,
    more_before: bool,
    more_after: bool,
}

/// A message, and which event last changed it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    message: Message,
    changed: Seq,
}

impl Timeline {
    /// The timeline of a page that was just loaded.
    pub fn new(page: &RoomPage) -> Self {
        let mut timeline = Self {
            lines: Vec::new(),
            // The head was read before the messages: everything up to it is in them.
            position: page.history.messages.last().map_or(0, |message| message.seq).max(page.head),
            more_before: page.history.more_before,
            more_after: page.history.more_after,
        };
        timeline.lines = lines(page.history.messages.clone());
        timeline
    }

    /// The last number that the timeline has.
    pub fn position(&self) -> Seq {
        self.position
    }

    /// Whether older messages can be loaded.
    pub fn more_before(&self) -> bool {
        self.more_before
    }

    /// Whether the newest messages are not here: the page shows a place further up.
    pub fn more_after(&self) -> bool {
        self.more_after
    }

    /// The number of the oldest message that is loaded.
    pub fn first(&self) -> Option<Seq> {
        self.lines.first().map(|line| line.message.seq)
    }

    /// Takes an event of the log.
    pub fn apply(&mut self, event: Event) -> Applied {
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
                let message = Message { seq, id, username, tag, text, sent_at: at, edited: false };
                self.lines.push(Line { message, changed: seq });
            }
            EventBody::Edited { target, text } => self.change(target, seq, text, true),
            EventBody::Deleted { target } => self.change(target, seq, String::new(), false),
        }
        Applied::Next
    }

    /// Puts an older page before what is there. What overlaps is left out.
    pub fn prepend(&mut self, page: HistoryPage) {
        let first = self.first().unwrap_or(Seq::MAX);
        let mut older = lines(page.messages);
        older.retain(|line| line.message.seq < first);
        self.more_before = page.more_before;
        self.lines.splice(..0, older);
    }

    fn change(&mut self, target: Seq, changed: Seq, text: String, edited: bool) {
        if let Ok(index) = self.lines.binary_search_by_key(&target, |line| line.message.seq) {
            let line = &mut self.lines[index];
            line.message.text = text;
            line.message.edited = edited;
            line.changed = changed;
        }
    }
}

fn lines(messages: Vec<Message>) -> Vec<Line> {
    messages.into_iter().map(|message| Line { changed: message.seq, message }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Epoch, EventId, RoomName, Tag, Timestamp, Username};
    use proptest::prelude::*;

    pub(in crate::ui::timeline) fn message(seq: Seq, at: i64) -> Message {
        Message {
            seq,
            id: EventId::parse(&format!("id{seq}")).unwrap(),
            username: Username::parse("Ann").unwrap(),
            tag: Tag::new([0, 1]),
            text: format!("text {seq}"),
            sent_at: Timestamp(at),
            edited: false,
        }
    }

    fn event(seq: Seq, body: EventBody) -> Event {
        Event { seq, id: EventId::parse(&format!("id{seq}")).unwrap(), at: Timestamp(seq), body }
    }

    fn said(seq: Seq) -> Event {
        let Message { username, tag, text, .. } = message(seq, 0);
        event(seq, EventBody::Message { username, tag, text })
    }

    pub(in crate::ui::timeline) fn timeline(messages: Vec<Message>, head: Seq) -> Timeline {
        Timeline::new(&RoomPage {
            room: RoomName::parse("harbour").unwrap(),
            epoch: Epoch("e".into()),
            head,
            username: None,
            tag: Tag::new([0, 1]),
            permalink: None,
            form_id: EventId::parse("f").unwrap(),
            history: HistoryPage { messages, more_before: true, more_after: false },
        })
    }

    fn texts(timeline: &Timeline) -> Vec<String> {
        timeline.lines.iter().map(|line| line.message.text.clone()).collect()
    }

    #[test]
    fn events_are_taken_once_and_in_order() {
        let mut timeline = timeline(vec![message(1, 0)], 1);
        assert_eq!(timeline.apply(said(2)), Applied::Next);
        assert_eq!(timeline.apply(said(2)), Applied::Known);
        assert_eq!(timeline.apply(said(4)), Applied::Gap);
        assert_eq!(timeline.position(), 2);
        assert_eq!(texts(&timeline), ["text 1", "text 2"]);
    }

    #[test]
    fn what_happened_before_the_page_was_made_is_not_asked_for_again() {
        assert_eq!(timeline(vec![message(1, 0)], 3).position(), 3, "an edit and a deletion followed");
        assert_eq!(timeline(vec![message(4, 0)], 3).position(), 4, "a message came while the page was read");
    }

    #[test]
    fn edits_and_deletions_change_their_message() {
        let mut timeline = timeline(vec![message(1, 0)], 1);
        timeline.apply(event(2, EventBody::Edited { target: 1, text: "new".into() }));
        assert_eq!(texts(&timeline), ["new"]);
        timeline.apply(event(3, EventBody::Deleted { target: 1 }));
        assert!(timeline.lines[0].message.is_deleted());
        assert_eq!(
            timeline.apply(event(4, EventBody::Deleted { target: 99 })),
            Applied::Next,
            "one that is not loaded"
        );
    }

    #[test]
    fn older_messages_go_before_and_never_twice() {
        let mut timeline = timeline(vec![message(5, 0)], 5);
        let page = HistoryPage { messages: vec![message(4, 0), message(5, 0)], more_before: false, more_after: true };
        timeline.prepend(page);
        assert_eq!(timeline.first(), Some(4));
        assert!(!timeline.more_before());
        assert_eq!(texts(&timeline).len(), 2);
    }

    proptest! {
        /// However events arrive, twice, late or with holes, the timeline is a piece of the log without gaps.
        #[test]
        fn whatever_arrives_the_view_is_contiguous(arrivals in proptest::collection::vec(1..30i64, 0..200)) {
            let mut timeline = timeline(Vec::new(), 0);
            for seq in arrivals {
                timeline.apply(said(seq));
            }
            let seqs: Vec<Seq> = timeline.lines.iter().map(|line| line.message.seq).collect();
            prop_assert_eq!(&seqs, &(1..=timeline.position()).collect::<Vec<_>>());
        }
    }
}
