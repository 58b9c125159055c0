//! What the list draws of a timeline: days, the unread line, and messages in groups.

use super::Timeline;
use crate::domain::{Message, Seq, Tag, Timestamp, Username};
use crate::ui::outbox::Outbox;

/// A message joins the one before when the same author wrote both within this time, in milliseconds.
const GROUP_MS: i64 = 5 * 60 * 1000;

/// What the list draws, from top to bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A new day begins.
    Day(Timestamp),
    /// What follows was not read yet.
    Unread,
    /// A message.
    Message(MessageRow),
}

/// A message, and how it stands among the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// What is shown; an own edit that is on its way already.
    pub message: Message,
    /// What last changed it: the number of an event, or the place in the outbox of a change on its way.
    pub changed: i64,
    /// Whether it begins a group, and shows who wrote it.
    pub leads: bool,
    /// Whether somebody else has the same name, so that the tag is needed.
    pub tagged: bool,
    /// Whether a change of it is on its way.
    pub saving: bool,
}

/// What tells rows apart: the same for a row that is to be drawn the same.
pub type RowKey = (i64, i64, [bool; 3]);

impl Row {
    /// What tells it from other rows.
    pub fn key(&self) -> RowKey {
        match self {
            Self::Day(at) => (at.0, -1, [false; 3]),
            Self::Unread => (0, -2, [false; 3]),
            Self::Message(MessageRow { message, changed, leads, tagged, saving }) => {
                (message.seq, *changed, [*leads, *tagged, *saving])
            }
        }
    }
}

impl Timeline {
    /// What is drawn. `day` tells the number of the day that a point in time belongs to; the unread line stands before
    /// the first message after `read`; changes in `outbox` are shown as if they had arrived.
    pub fn rows(&self, day: impl Fn(Timestamp) -> i64, read: Option<Seq>, outbox: &Outbox) -> Vec<Row> {
        let mut rows = Vec::with_capacity(self.lines.len() + 4);
        let shared = self.shared_names();
        let mut before: Option<&Message> = None;
        for line in &self.lines {
            let message = &line.message;
            let new_day = before.is_none_or(|before| day(before.sent_at) != day(message.sent_at));
            if new_day {
                rows.push(Row::Day(message.sent_at));
            }
            let unread = read.is_some_and(|read| message.seq > read && before.is_none_or(|before| before.seq <= read));
            if unread {
                rows.push(Row::Unread);
            }
            let leads = new_day || unread || before.is_none_or(|before| !continues(before, message));
            let change = outbox.change_of(message.seq);
            let mut row = MessageRow {
                message: message.clone(),
                changed: change.map_or(line.changed, |change| change.order as i64),
                leads,
                tagged: shared.contains(&&message.username),
                saving: change.is_some(),
            };
            if let Some(change) = change {
                row.message.text = change.wish.text().to_owned();
            }
            rows.push(Row::Message(row));
            before = Some(message);
        }
        rows
    }

    /// Names under which more than one author has written.
    fn shared_names(&self) -> Vec<&Username> {
        let mut authors: Vec<(&Username, &Tag)> = Vec::new();
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

fn continues(before: &Message, message: &Message) -> bool {
    before.tag == message.tag && before.username == message.username && message.sent_at.0 - before.sent_at.0 <= GROUP_MS
}

#[cfg(test)]
mod tests {
    use super::super::tests::{message, timeline};
    use super::*;
    use crate::domain::EventId;
    use crate::ui::outbox::Wish;

    fn rows(messages: Vec<Message>, read: Option<Seq>) -> Vec<Row> {
        timeline(messages, 9).rows(|at| at.day_number(0), read, &Outbox::default())
    }

    fn each<T>(rows: &[Row], pick: impl Fn(&MessageRow) -> T) -> Vec<T> {
        rows.iter().filter_map(|row| if let Row::Message(row) = row { Some(pick(row)) } else { None }).collect()
    }

    #[test]
    fn messages_of_one_author_within_five_minutes_are_grouped() {
        let mut bob = message(3, 2000);
        bob.tag = Tag::new([9, 9]);
        let late = Message { seq: 4, sent_at: Timestamp(2000 + GROUP_MS + 1), ..bob.clone() };
        let rows = rows(vec![message(1, 0), message(2, 1000), bob, late], None);
        assert_eq!(each(&rows, |row| row.leads), [true, false, true, true]);
    }

    #[test]
    fn a_name_that_two_authors_have_needs_its_tag() {
        let tagged = |messages| each(&rows(messages, None), |row| row.tagged);
        let another = Message { tag: Tag::new([9, 9]), ..message(3, 0) };
        assert_eq!(tagged(vec![message(1, 0), message(2, 0)]), [false, false]);
        assert_eq!(tagged(vec![message(1, 0), message(2, 0), another]), [true, true, true]);
    }

    #[test]
    fn a_day_begins_where_the_reader_is() {
        let hour = 3_600_000;
        let timeline = timeline(vec![message(1, 22 * hour), message(2, 23 * hour)], 2);
        let days = |rows: Vec<Row>| rows.iter().filter(|row| matches!(row, Row::Day(_))).count();
        assert_eq!(days(timeline.rows(|at| at.day_number(0), None, &Outbox::default())), 1);
        assert_eq!(days(timeline.rows(|at| at.day_number(90), None, &Outbox::default())), 2);
    }

    #[test]
    fn the_unread_line_stands_before_the_first_unread_message_and_ends_a_group() {
        let messages = vec![message(1, 0), message(2, 1), message(5, 2)];
        let drawn = rows(messages.clone(), Some(3));
        assert_eq!(drawn.iter().position(|row| *row == Row::Unread), Some(3));
        assert_eq!(each(&drawn, |row| row.leads), [true, false, true]);
        assert!(!rows(messages, Some(5)).contains(&Row::Unread), "everything is read");
    }

    #[test]
    fn an_own_change_is_shown_while_it_is_on_its_way() {
        let mut outbox = Outbox::default();
        outbox.push(EventId::parse("e").unwrap(), Wish::Edit { target: 2, text: "better".into() }, 0);
        let timeline = timeline(vec![message(1, 0), message(2, 0)], 2);
        let rows = timeline.rows(|at| at.day_number(0), None, &outbox);
        assert_eq!(each(&rows, |row| row.saving), [false, true]);
        assert_eq!(each(&rows, |row| row.message.text.clone()), ["text 1", "better"]);
        outbox.push(EventId::parse("f").unwrap(), Wish::Edit { target: 2, text: "best".into() }, 0);
        let again = timeline.rows(|at| at.day_number(0), None, &outbox);
        assert_eq!(each(&again, |row| row.message.text.clone()), ["text 1", "best"]);
        assert_ne!(rows.last().map(Row::key), again.last().map(Row::key), "it is to be drawn anew");
    }
}
