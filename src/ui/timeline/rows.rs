//! What the list draws of a timeline: days, and messages in groups.

use super::{Line, Timeline};
use crate::domain::{Message, Seq, Tag, Timestamp, Username};
use std::collections::{HashMap, HashSet};

/// A message joins the one before when the same author wrote both within this time, in milliseconds.
const GROUP_MS: i64 = 5 * 60 * 1000;

/// What the list draws, from top to bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A new day begins.
    Day(Timestamp),
    /// A message.
    Message {
        /// What is shown.
        message: Message,
        /// Which event last changed it.
        changed: Seq,
        /// Whether it begins a group, and shows who wrote it.
        leads: bool,
        /// Whether somebody else has the same name, so that the tag is needed.
        tagged: bool,
    },
}

impl Row {
    /// The same for a row that is to be drawn the same.
    pub fn key(&self) -> (i64, Seq, bool, bool) {
        match self {
            Self::Day(at) => (at.0, -1, false, false),
            Self::Message { message, changed, leads, tagged } => (message.seq, *changed, *leads, *tagged),
        }
    }
}

impl Timeline {
    /// What is drawn; `day` tells the number of the day that a point in time belongs to.
    pub fn rows(&self, day: impl Fn(Timestamp) -> i64) -> Vec<Row> {
        let mut rows = Vec::with_capacity(self.lines.len() + 4);
        let shared = self.shared_names();
        let mut before: Option<&Message> = None;
        for Line { message, changed } in &self.lines {
            let new_day = before.is_none_or(|before| day(before.sent_at) != day(message.sent_at));
            if new_day {
                rows.push(Row::Day(message.sent_at));
            }
            let leads = new_day || before.is_none_or(|before| !continues(before, message));
            let tagged = shared.contains(&message.username);
            rows.push(Row::Message { message: message.clone(), changed: *changed, leads, tagged });
            before = Some(message);
        }
        rows
    }

    /// Names under which more than one author has written.
    fn shared_names(&self) -> HashSet<&Username> {
        let mut authors: HashMap<&Username, &Tag> = HashMap::new();
        let messages = self.lines.iter().map(|line| &line.message);
        messages
            .filter(|it| *authors.entry(&it.username).or_insert(&it.tag) != &it.tag)
            .map(|it| &it.username)
            .collect()
    }
}

fn continues(before: &Message, message: &Message) -> bool {
    before.tag == message.tag && before.username == message.username && message.sent_at.0 - before.sent_at.0 <= GROUP_MS
}

#[cfg(test)]
mod tests {
    use super::super::tests::{message, timeline};
    use super::*;

    #[test]
    fn messages_of_one_author_within_five_minutes_are_grouped() {
        let ann = |seq, at| message(seq, at);
        let mut bob = message(3, 2000);
        bob.tag = Tag::new([9, 9]);
        let late = 2000 + GROUP_MS + 1;
        let messages = vec![ann(1, 0), ann(2, 1000), bob.clone(), Message { seq: 4, sent_at: Timestamp(late), ..bob }];
        let rows = timeline(messages, 4).rows(|at| at.day_number(0));
        let leads: Vec<bool> = rows
            .iter()
            .filter_map(|row| match row {
                Row::Message { leads, .. } => Some(*leads),
                Row::Day(_) => None,
            })
            .collect();
        assert_eq!(leads, [true, false, true, true]);
    }

    #[test]
    fn a_name_that_two_authors_have_needs_its_tag() {
        let tagged = |messages| -> Vec<bool> {
            let rows = timeline(messages, 9).rows(|at| at.day_number(0));
            rows.iter()
                .filter_map(|row| if let Row::Message { tagged, .. } = row { Some(*tagged) } else { None })
                .collect()
        };
        let another = Message { tag: Tag::new([9, 9]), ..message(3, 0) };
        assert_eq!(tagged(vec![message(1, 0), message(2, 0)]), [false, false]);
        assert_eq!(tagged(vec![message(1, 0), message(2, 0), another]), [true, true, true]);
    }

    #[test]
    fn a_day_begins_where_the_reader_is() {
        let hour = 3_600_000;
        let timeline = timeline(vec![message(1, 22 * hour), message(2, 23 * hour)], 2);
        let days = |rows: Vec<Row>| rows.iter().filter(|row| matches!(row, Row::Day(_))).count();
        assert_eq!(days(timeline.rows(|at| at.day_number(0))), 1);
        assert_eq!(days(timeline.rows(|at| at.day_number(90))), 2);
    }
}
