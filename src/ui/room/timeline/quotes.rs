//! The messages that loaded ones reply to and that are not loaded themselves, as they read now. Pure logic.

use super::{MessageChange, Timeline};
use crate::domain::quote::{MAX_QUOTES, excerpt};
use crate::domain::{Message, Quote, Seq};

/// Maximum number of quotes that are kept. The oldest ones go first.
const MAX_KEPT_QUOTES: usize = 600;

/// A message that a reply names, as the timeline knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuoteState {
    /// The message; its excerpt is empty once it has been deleted.
    Known(Quote),
    /// The message has been requested.
    Requested,
    /// The room no longer has the message.
    Expired,
}

/// Quotes of messages outside of the window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct QuoteBook {
    known: Vec<Quote>,
    /// Messages whose quotes are in flight.
    requested: Vec<Seq>,
    /// Changes received since then, because the quotes may have been read before.
    changes: Vec<(Seq, String)>,
}

impl QuoteBook {
    /// Adds quotes, or replaces those known before.
    pub(super) fn add(&mut self, quotes: Vec<Quote>) {
        for quote in quotes {
            self.known.retain(|known| known.seq != quote.seq);
            self.known.push(quote);
        }
    }

    /// Applies a change of a message.
    pub(super) fn change(&mut self, change: &MessageChange) {
        let excerpt = excerpt(&change.text);
        if self.requested.contains(&change.target) {
            self.changes.push((change.target, excerpt.clone()));
        }
        if let Some(quote) = self.known.iter_mut().find(|quote| quote.seq == change.target) {
            quote.excerpt = excerpt;
        }
    }
}

impl Timeline {
    /// Returns the message of this number as replies to it show it.
    pub fn quote(&self, seq: Seq) -> QuoteState {
        if let Some(message) = self.message(seq) {
            return QuoteState::Known(message.into());
        }
        match self.quotes.known.iter().find(|quote| quote.seq == seq) {
            Some(quote) => QuoteState::Known(quote.clone()),
            None if self.quotes.requested.contains(&seq) => QuoteState::Requested,
            None => QuoteState::Expired,
        }
    }

    /// Returns `seq`, and marks its quote as requested, if nothing is known about the message.
    pub fn request_quote(&mut self, seq: Seq) -> Option<Seq> {
        let is_wanted = self.quote(seq) == QuoteState::Expired && self.quotes.requested.len() < MAX_QUOTES;
        is_wanted.then(|| self.quotes.requested.push(seq))?;
        Some(seq)
    }

    /// Adds the quotes that were requested for these messages; none, if the request failed.
    pub fn add_quotes(&mut self, requested: &[Seq], quotes: Vec<Quote>) {
        self.quotes.add(quotes);
        self.quotes.requested.retain(|seq| !requested.contains(seq));
        for (target, excerpt) in std::mem::take(&mut self.quotes.changes) {
            match self.quotes.known.iter_mut().find(|quote| quote.seq == target) {
                Some(quote) => quote.excerpt = excerpt,
                None => self.quotes.changes.push((target, excerpt)),
            }
        }
        if self.quotes.requested.is_empty() {
            self.quotes.changes.clear();
        }
    }

    /// Keeps quotes of messages that leave the window, because replies to them may stay.
    pub(super) fn keep_quotes_of(&mut self, evicted: &[Message]) {
        self.quotes.add(evicted.iter().map(Quote::from).collect());
        let surplus = self.quotes.known.len().saturating_sub(MAX_KEPT_QUOTES);
        self.quotes.known.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AuthorTag, Event, EventBody, EventId, HistoryPage, RoomView, Timestamp, Username};
    use crate::ui::room::timeline::MAX_MESSAGES;
    use crate::ui::room::timeline::tests::{message, timeline};

    fn reply(seq: Seq, reply_to: Seq) -> Message {
        Message { reply_to: Some(reply_to), ..message(seq, 0) }
    }

    fn quote(seq: Seq, excerpt: &str) -> Quote {
        let (username, tag) = (Username::parse("Ann").unwrap(), AuthorTag::new([0, 1]));
        Quote { seq, username, tag, excerpt: excerpt.to_owned() }
    }

    fn changed(seq: Seq, body: EventBody) -> Event {
        Event { seq, id: EventId::parse("x").unwrap(), at: Timestamp(seq), body }
    }

    fn excerpt_of(timeline: &Timeline, seq: Seq) -> String {
        match timeline.quote(seq) {
            QuoteState::Known(quote) => quote.excerpt,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_quote_reads_as_its_message_reads_now() {
        let history = HistoryPage {
            messages: vec![message(8, 0), reply(9, 8), reply(10, 1)],
            quotes: vec![quote(1, "far away")],
            ..HistoryPage::default()
        };
        let mut timeline = Timeline::new(&RoomView { head: 10, history, ..RoomView::empty() });
        assert_eq!((excerpt_of(&timeline, 8), excerpt_of(&timeline, 1)), ("text 8".into(), "far away".into()));
        for (seq, target) in [(11, 8), (12, 1)] {
            let (text, mentions) = ("other words".to_owned(), Vec::new());
            timeline.apply(changed(seq, EventBody::Edited { target, text, mentions }), true);
        }
        assert_eq!((excerpt_of(&timeline, 8), excerpt_of(&timeline, 1)), ("other words".into(), "other words".into()));
        timeline.apply(changed(13, EventBody::Deleted { target: 1 }), true);
        timeline.apply(changed(14, EventBody::Deleted { target: 8 }), true);
        assert_eq!((excerpt_of(&timeline, 8), excerpt_of(&timeline, 1)), (String::new(), String::new()));
        assert_eq!(timeline.quote(2), QuoteState::Expired);
    }

    #[test]
    fn a_message_that_leaves_the_window_stays_as_a_quote() {
        let mut timeline = timeline(vec![message(1, 0), message(2, 0)], 2);
        for seq in 3..=MAX_MESSAGES as Seq + 3 {
            let Message { username, tag, text, reply_to, mentions, .. } = message(seq, 0);
            timeline.apply(changed(seq, EventBody::Message { username, tag, text, reply_to, mentions }), true);
        }
        assert_eq!(timeline.message(1), None);
        assert_eq!(excerpt_of(&timeline, 1), "text 1");
        timeline.replace(HistoryPage { messages: vec![message(200, 0)], ..HistoryPage::default() });
        assert_eq!((excerpt_of(&timeline, 2), excerpt_of(&timeline, 290)), ("text 2".into(), "text 290".into()));
        timeline.apply(changed(MAX_MESSAGES as Seq + 4, EventBody::Deleted { target: 2 }), true);
        assert_eq!(excerpt_of(&timeline, 2), "");
    }

    #[test]
    fn a_change_that_overtakes_its_quote_is_kept() {
        let mut timeline = timeline(vec![reply(9, 1), reply(10, 2), reply(11, 3)], 11);
        assert_eq!([1, 2, 3].map(|seq| timeline.request_quote(seq)), [Some(1), Some(2), Some(3)]);
        assert_eq!((timeline.request_quote(1), timeline.quote(1)), (None, QuoteState::Requested));
        let edited = EventBody::Edited { target: 1, text: "new".into(), mentions: Vec::new() };
        timeline.apply(changed(12, edited), true);
        timeline.apply(changed(13, EventBody::Deleted { target: 3 }), true);
        timeline.add_quotes(&[1, 2], vec![quote(1, "old")]);
        assert_eq!((excerpt_of(&timeline, 1), timeline.quote(2)), ("new".into(), QuoteState::Expired));
        timeline.add_quotes(&[3], vec![quote(3, "old")]);
        assert_eq!(excerpt_of(&timeline, 3), "");
        // A request that fails is made again.
        assert_eq!(timeline.request_quote(4), Some(4));
        timeline.add_quotes(&[4], Vec::new());
        assert_eq!(timeline.request_quote(4), Some(4));
    }
}
