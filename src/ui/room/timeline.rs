//! The loaded window of a room's log: consecutive messages in the order of the log. Pure logic, no browser.

pub mod quotes;
pub mod reactions;
pub mod rows;
#[cfg(test)]
mod tests;

use crate::domain::moderation::ModerationAction;
use quotes::QuoteBook;
use reactions::ReactionBook;

use crate::domain::{Event, EventBody, EventNote, HistoryPage, Message, RoomView, Seq, Username};

/// Effect of an event on the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The event was the next one and is applied.
    Appended,
    /// The event was applied before.
    Duplicate,
    /// Events before it are missing and have to be requested.
    Gap,
}

/// Maximum number of loaded messages. A page beyond it evicts messages at the other end.
pub const MAX_MESSAGES: usize = 300;

/// Number of messages evicted at once, so that not every new message evicts one.
const TRIM_BATCH: usize = 50;

/// Maximum number of moderation events that are shown between the messages.
const MAX_NOTES: usize = 200;

/// The loaded messages of a room: a window of its log without gaps, of bounded length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    items: Vec<TimelineItem>,
    /// The moderation events of the window by their numbers, at most [`MAX_NOTES`].
    notes: Vec<EventNote>,
    position: Seq,
    more_before: bool,
    more_after: bool,
    /// Newest message known to exist, loaded or not.
    newest: Seq,
    /// Changes received since a page was requested, because the page may contain messages without them; `None` while no
    /// page is in flight.
    changes_in_flight: Option<Vec<MessageChange>>,
    quotes: QuoteBook,
    reacted: ReactionBook,
}

/// A loaded message and the event that changed it last.
#[derive(Clone, Debug, PartialEq, Eq)]
struct TimelineItem {
    message: Message,
    changed: Seq,
    /// The last event that its reactions count.
    counted: Seq,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct MessageChange {
    target: Seq,
    seq: Seq,
    /// Empty if the message was deleted.
    text: String,
    mentions: Vec<Username>,
}

impl Timeline {
    /// Returns the timeline of a page that was just loaded.
    pub fn new(page: &RoomView) -> Self {
        let items = items(page.history.messages.clone());
        let newest = items.last().map_or(0, |item| item.message.seq);
        let mut quotes = QuoteBook::default();
        quotes.add(page.history.quotes.iter().chain(&page.replying).cloned().collect());
        Self {
            items,
            notes: page.history.notes.clone(),
            // The head was read before the messages: everything up to it is in them.
            position: newest.max(page.head),
            more_before: page.history.more_before,
            more_after: page.history.more_after,
            newest,
            changes_in_flight: None,
            quotes,
            reacted: ReactionBook::new(page.tag.clone()),
        }
    }

    /// Returns the last number of the log that was applied.
    pub fn position(&self) -> Seq {
        self.position
    }

    /// Returns whether older messages can be loaded.
    pub fn more_before(&self) -> bool {
        self.more_before
    }

    /// Returns whether newer messages can be loaded: the newest ones are not in the window.
    pub fn more_after(&self) -> bool {
        self.more_after
    }

    /// Returns the loaded messages, oldest first.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.items.iter().map(|item| &item.message)
    }

    /// Returns the number of the oldest loaded message.
    pub fn first(&self) -> Option<Seq> {
        self.messages().next().map(|message| message.seq)
    }

    /// Returns the number of the newest loaded message.
    pub fn last(&self) -> Option<Seq> {
        self.messages().next_back().map(|message| message.seq)
    }

    /// Returns the number of the first loaded message at or after `seq`, or of the newest one if there is none.
    pub fn nearest(&self, seq: Seq) -> Option<Seq> {
        self.messages().map(|message| message.seq).find(|loaded| *loaded >= seq).or(self.last())
    }

    /// Returns the message of this number, or `None` if it is not loaded.
    pub fn message(&self, seq: Seq) -> Option<&Message> {
        self.index(seq).map(|index| &self.items[index].message)
    }

    /// Applies an event of the log. If `follows`, the reader is at the end: the window grows there and evicts its
    /// beginning. Otherwise a message that does not fit is left to be loaded later.
    pub fn apply(&mut self, event: Event, follows: bool) -> Applied {
        let Event { seq, id, at, body } = event;
        if seq <= self.position {
            return Applied::Duplicate;
        }
        if seq > self.position + 1 {
            return Applied::Gap;
        }
        self.position = seq;
        match body {
            EventBody::Message { username, tag, text, reply_to, mentions } => {
                self.newest = seq;
                let is_loaded = self.last().is_some_and(|last| last >= seq);
                self.more_after |= !is_loaded && !follows && self.items.len() >= MAX_MESSAGES;
                if !self.more_after && !is_loaded {
                    let (sent_at, edited, reactions, pinned) = (at, false, Vec::new(), false);
                    #[rustfmt::skip]
                    let message = Message { seq, id, username, tag, text, sent_at, edited, reply_to, mentions, reactions, pinned };
                    self.items.push(TimelineItem { message, changed: seq, counted: seq });
                    self.trim_start();
                }
            }
            EventBody::Edited { target, text, mentions } => self.change(MessageChange { target, seq, text, mentions }),
            EventBody::Deleted { target } => {
                self.change(MessageChange { target, seq, text: String::new(), mentions: Vec::new() });
            }
            EventBody::Moderated(moderation) => {
                if let (true, Some(target)) = (moderation.action.has_message(), moderation.target) {
                    self.set_pinned(target, moderation.action == ModerationAction::Pin);
                }
                self.add_notes(vec![EventNote { seq, at, moderation }]);
            }
            EventBody::Reacted { target, emoji, on, tag, .. } => self.react(seq, target, (emoji, on), &tag),
            EventBody::Other { .. } => {}
        }
        Applied::Appended
    }

    /// Records that a page is about to be requested, so that changes are also applied to its messages once it is
    /// loaded.
    pub fn begin_load(&mut self) {
        self.changes_in_flight.get_or_insert_default();
    }

    /// Inserts an older page before the window. Skips messages that are already loaded.
    pub fn prepend(&mut self, page: HistoryPage) {
        self.add_notes(page.notes);
        let first = self.first().unwrap_or(Seq::MAX);
        self.quotes.add(page.quotes);
        let mut older = items(page.messages);
        older.retain(|item| item.message.seq < first);
        self.more_before = page.more_before;
        self.items.splice(..0, older);
        if self.items.len() > MAX_MESSAGES {
            let evicted = self.items.split_off(MAX_MESSAGES);
            self.more_after = true;
            self.evict(evicted);
        }
        self.reapply_changes();
    }

    /// Appends a newer page to the window. Skips messages that are already loaded.
    pub fn append(&mut self, page: HistoryPage) {
        self.add_notes(page.notes);
        let last = self.last().unwrap_or(0);
        self.quotes.add(page.quotes);
        let newer = items(page.messages).into_iter().filter(|item| item.message.seq > last);
        self.items.extend(newer);
        self.update_end(page.more_after);
        self.trim_start();
        self.reapply_changes();
    }

    /// Replaces the window by another part of the log.
    pub fn replace(&mut self, page: HistoryPage) {
        self.add_notes(page.notes);
        self.more_before = page.more_before;
        self.quotes.add(page.quotes);
        let evicted = std::mem::replace(&mut self.items, items(page.messages));
        self.evict(evicted);
        self.update_end(page.more_after);
        self.reapply_changes();
    }

    /// Adds moderation events that are not known yet. Those outside of the window are not shown.
    fn add_notes(&mut self, notes: Vec<EventNote>) {
        for note in notes {
            if let Err(index) = self.notes.binary_search_by_key(&note.seq, |known| known.seq) {
                self.notes.insert(index, note);
            }
        }
        let surplus = self.notes.len().saturating_sub(MAX_NOTES);
        self.notes.drain(..surplus);
    }

    /// Messages received while the page was read are neither in it nor were they appended.
    fn update_end(&mut self, more_after: bool) {
        let last = self.last().unwrap_or(0);
        self.more_after = more_after || last < self.newest;
        self.newest = self.newest.max(last);
    }

    fn trim_start(&mut self) {
        if self.items.len() > MAX_MESSAGES {
            let surplus = self.items.len() - MAX_MESSAGES;
            let evicted = self.items.drain(..surplus.next_multiple_of(TRIM_BATCH)).collect();
            self.more_before = true;
            self.evict(evicted);
        }
    }

    fn evict(&mut self, evicted: Vec<TimelineItem>) {
        let evicted: Vec<Message> = evicted.into_iter().map(|item| item.message).collect();
        self.keep_quotes_of(&evicted);
    }

    fn reapply_changes(&mut self) {
        for change in self.changes_in_flight.take().unwrap_or_default() {
            self.change(change);
        }
    }

    fn change(&mut self, change: MessageChange) {
        if let Some(changes) = &mut self.changes_in_flight {
            changes.push(change.clone());
        }
        self.quotes.change(&change);
        if let Some(index) = self.index(change.target) {
            let item = &mut self.items[index];
            item.message.edited = !change.text.is_empty();
            item.message.text = change.text;
            item.message.mentions = change.mentions;
            item.changed = change.seq;
        }
    }

    fn index(&self, seq: Seq) -> Option<usize> {
        self.items.binary_search_by_key(&seq, |item| item.message.seq).ok()
    }
}

fn items(messages: Vec<Message>) -> Vec<TimelineItem> {
    messages.into_iter().map(|message| TimelineItem { changed: message.seq, counted: message.seq, message }).collect()
}
