//! Rows of the message list: days, the unread divider, and messages in groups.

use super::Timeline;
use crate::domain::{AuthorTag, EventNote, Message, Seq, Timestamp, Username};
use crate::ui::room::outbox::Outbox;

/// Maximum time between two messages of one group, in milliseconds.
const GROUP_MS: i64 = 5 * 60 * 1000;

/// A row of the message list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimelineRow {
    /// The beginning of a day, with a point in time of that day.
    DayDivider(Timestamp),
    /// The line before the first unread message.
    UnreadDivider,
    /// A moderation event.
    Note(EventNote),
    /// A message.
    Message(MessageRow),
}

/// A message and its presentation among the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// The message, with an own pending edit applied.
    pub message: Message,
    /// The last change: the number of an event, or the order of a pending command.
    pub changed: i64,
    /// Whether the message begins a group and shows its author.
    pub starts_group: bool,
    /// Whether another author uses the same name, so that the tag is needed.
    pub shows_tag: bool,
    /// Whether a change of the message is pending.
    pub saving: bool,
}

/// Identity of a row. Messages with equal keys are rendered alike, except for their [`Presentation`].
pub type TimelineRowKey = (i64, i64, bool);

/// Whether a message begins a group, and whether it shows its author's tag. Both depend on its neighbors, so they
/// change while the row stays.
pub type Presentation = [bool; 2];

impl TimelineRow {
    /// Returns the key under which the list keeps the row.
    pub fn key(&self) -> TimelineRowKey {
        match self {
            Self::DayDivider(at) => (at.0, -1, false),
            Self::UnreadDivider => (0, -2, false),
            Self::Note(note) => (note.seq, -3, false),
            Self::Message(row) => (row.message.seq, row.changed, row.saving),
        }
    }
}

impl Timeline {
    /// Returns the rows of the list. `day` returns the number of the day of a point in time. The unread divider is
    /// before the first message after `read`; pending changes in `outbox` are shown as if the server had stored them.
    pub fn rows(&self, day: impl Fn(Timestamp) -> i64, read: Option<Seq>, outbox: &Outbox) -> Vec<TimelineRow> {
        let mut rows = Vec::with_capacity(self.items.len() + 4);
        let shared = self.shared_names();
        let mut previous: Option<&Message> = None;
        let first = if self.more_before { self.first().unwrap_or_default() } else { 0 };
        let mut notes = self.notes.iter().filter(|note| note.seq > first).peekable();
        for item in &self.items {
            let message = &item.message;
            let mut is_divided = false;
            while let Some(note) = notes.next_if(|note| note.seq < message.seq) {
                rows.push(TimelineRow::Note(note.clone()));
                is_divided = true;
            }
            let new_day = previous.is_none_or(|previous| day(previous.sent_at) != day(message.sent_at));
            if new_day {
                rows.push(TimelineRow::DayDivider(message.sent_at));
            }
            let is_unread =
                read.is_some_and(|read| message.seq > read && previous.is_none_or(|previous| previous.seq <= read));
            if is_unread {
                rows.push(TimelineRow::UnreadDivider);
            }
            let starts_group = new_day
                || is_unread
                || is_divided
                || previous.is_none_or(|previous| !continues_group(previous, message));
            let change = outbox.pending_change(message.seq);
            let mut row = MessageRow {
                message: message.clone(),
                changed: change.map_or(item.changed, |change| change.order as i64),
                starts_group,
                shows_tag: shared.contains(&&message.username),
                saving: change.is_some(),
            };
            if let Some(change) = change {
                row.message.text = change.command.text().to_owned();
            }
            rows.push(TimelineRow::Message(row));
            previous = Some(message);
        }
        rows.extend(notes.filter(|_| !self.more_after).map(|note| TimelineRow::Note(note.clone())));
        rows
    }

    /// Returns the names under which more than one author has written.
    fn shared_names(&self) -> Vec<&Username> {
        let mut authors: Vec<(&Username, &AuthorTag)> = Vec::new();
        let mut shared = Vec::new();
        for Message { username, tag, .. } in self.messages() {
            match authors.iter().find(|(name, _)| *name == username) {
                None => authors.push((username, tag)),
                Some((_, first)) if *first != tag && !shared.contains(&username) => shared.push(username),
                Some(_) => {}
            }
        }
        shared
    }
}

fn continues_group(previous: &Message, message: &Message) -> bool {
    previous.tag == message.tag
        && previous.username == message.username
        && message.sent_at.0 - previous.sent_at.0 <= GROUP_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::moderation::{Moderation, ModerationAction};
    use crate::domain::{Event, EventBody, EventId};
    use crate::ui::room::outbox::OutboxCommand;
    use crate::ui::room::timeline::MAX_NOTES;
    use crate::ui::room::timeline::tests::{message, message_event, timeline};

    fn rows(messages: Vec<Message>, read: Option<Seq>) -> Vec<TimelineRow> {
        timeline(messages, 9).rows(|at| at.day_number(0), read, &Outbox::default())
    }

    fn each<T>(rows: &[TimelineRow], pick: impl Fn(&MessageRow) -> T) -> Vec<T> {
        rows.iter().filter_map(|row| if let TimelineRow::Message(row) = row { Some(pick(row)) } else { None }).collect()
    }

    #[test]
    fn messages_of_one_author_within_five_minutes_are_grouped() {
        let mut bob = message(3, 2000);
        bob.tag = AuthorTag::new([9, 9]);
        let late = Message { seq: 4, sent_at: Timestamp(2000 + GROUP_MS + 1), ..bob.clone() };
        let rows = rows(vec![message(1, 0), message(2, 1000), bob, late], None);
        assert_eq!(each(&rows, |row| row.starts_group), [true, false, true, true]);
    }

    #[test]
    fn a_name_that_two_authors_have_needs_its_tag() {
        let shows_tag = |messages| each(&rows(messages, None), |row| row.shows_tag);
        let another = Message { tag: AuthorTag::new([9, 9]), ..message(3, 0) };
        assert_eq!(shows_tag(vec![message(1, 0), message(2, 0)]), [false, false]);
        assert_eq!(shows_tag(vec![message(1, 0), message(2, 0), another]), [true, true, true]);
    }

    #[test]
    fn a_day_begins_in_the_time_zone_of_the_reader() {
        let hour = 3_600_000;
        let timeline = timeline(vec![message(1, 22 * hour), message(2, 23 * hour)], 2);
        let days = |rows: Vec<TimelineRow>| rows.iter().filter(|row| matches!(row, TimelineRow::DayDivider(_))).count();
        assert_eq!(days(timeline.rows(|at| at.day_number(0), None, &Outbox::default())), 1);
        assert_eq!(days(timeline.rows(|at| at.day_number(90), None, &Outbox::default())), 2);
    }

    #[test]
    fn the_unread_divider_stands_before_the_first_unread_message_and_ends_a_group() {
        let messages = vec![message(1, 0), message(2, 1), message(5, 2)];
        let rendered = rows(messages.clone(), Some(3));
        assert_eq!(rendered.iter().position(|row| *row == TimelineRow::UnreadDivider), Some(3));
        assert_eq!(each(&rendered, |row| row.starts_group), [true, false, true]);
        assert!(!rows(messages, Some(5)).contains(&TimelineRow::UnreadDivider), "everything is read");
    }

    #[test]
    fn a_moderation_event_stands_between_messages_and_ends_a_group() {
        let mut timeline = timeline(vec![message(1, 0), message(2, 1)], 2);
        let locked = |seq| Event {
            seq,
            id: EventId::parse("lock").unwrap(),
            at: Timestamp(2),
            body: EventBody::Moderated(Moderation::new(ModerationAction::Lock)),
        };
        timeline.apply(locked(3), true);
        let places = |timeline: &Timeline| {
            let rows = timeline.rows(|at| at.day_number(0), None, &Outbox::default());
            rows.iter().map(|row| matches!(row, TimelineRow::Note(_))).collect::<Vec<_>>()
        };
        assert_eq!(places(&timeline), [false, false, false, true]);
        timeline.apply(message_event(4), true);
        assert_eq!(places(&timeline), [false, false, false, true, false]);
        let rows = timeline.rows(|at| at.day_number(0), None, &Outbox::default());
        assert_eq!(each(&rows, |row| row.starts_group), [true, false, true]);
        // Only the newest ones are kept.
        (5..300).for_each(|seq| _ = timeline.apply(locked(seq), true));
        assert_eq!(places(&timeline).iter().filter(|is_note| **is_note).count(), MAX_NOTES);
    }

    #[test]
    fn a_pending_own_change_is_shown() {
        let mut outbox = Outbox::default();
        outbox.push(EventId::parse("e").unwrap(), OutboxCommand::Edit { target: 2, text: "better".into() }, 0, None);
        let timeline = timeline(vec![message(1, 0), message(2, 0)], 2);
        let rows = timeline.rows(|at| at.day_number(0), None, &outbox);
        assert_eq!(each(&rows, |row| row.saving), [false, true]);
        assert_eq!(each(&rows, |row| row.message.text.clone()), ["text 1", "better"]);
        outbox.push(EventId::parse("f").unwrap(), OutboxCommand::Edit { target: 2, text: "best".into() }, 0, None);
        let again = timeline.rows(|at| at.day_number(0), None, &outbox);
        assert_eq!(each(&again, |row| row.message.text.clone()), ["text 1", "best"]);
        assert_ne!(rows.last().map(TimelineRow::key), again.last().map(TimelineRow::key), "it is rendered again");
    }
}
