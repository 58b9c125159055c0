//! The rows of the message list as they are shown. A message keeps its elements while it changes, and with them the
//! focus and the selection.

use crate::domain::{Seq, Timestamp};
use crate::ui::room::request_guard::RequestId;
use crate::ui::room::timeline::rows::{MessageRow, TimelineRow};
use leptos::prelude::*;

/// A row that is shown.
#[derive(Clone)]
pub(super) enum ShownRow {
    /// The beginning of a day, with a point in time of that day.
    DayDivider(Timestamp),
    /// The line before the first unread message.
    UnreadDivider,
    /// A message: its number, and the row as it is now.
    Message(Seq, ArcRwSignal<MessageRow>),
}

impl ShownRow {
    /// Returns the key under which the list keeps the row.
    pub(super) fn key(&self) -> (Seq, bool) {
        match self {
            Self::DayDivider(at) => (at.0, false),
            Self::UnreadDivider => (0, true),
            Self::Message(seq, _) => (*seq, true),
        }
    }
}

/// The messages that are shown.
#[derive(Clone, Copy, Default)]
pub(super) struct ShownRows(StoredValue<Vec<(RequestId, Seq, ArcRwSignal<MessageRow>)>>);

impl ShownRows {
    /// Takes the rows of a visit, as they are now. Messages that are shown already are updated in place.
    pub(super) fn update(self, visit: RequestId, rows: Vec<TimelineRow>) -> Vec<(RequestId, ShownRow)> {
        let before = self.0.get_value();
        // Both are in the order of their numbers.
        let mut known = before.into_iter().filter(|(of, ..)| *of == visit).peekable();
        let mut shown = Vec::new();
        let show = |row| match row {
            TimelineRow::DayDivider(at) => (visit, ShownRow::DayDivider(at)),
            TimelineRow::UnreadDivider => (visit, ShownRow::UnreadDivider),
            TimelineRow::Message(row) => {
                let seq = row.message.seq;
                while known.next_if(|(_, known, _)| *known < seq).is_some() {}
                let signal = match known.next_if(|(_, known, _)| *known == seq) {
                    Some((.., signal)) => {
                        if signal.with_untracked(|before| before.version() != row.version()) {
                            signal.set(row);
                        }
                        signal
                    }
                    None => ArcRwSignal::new(row),
                };
                shown.push((visit, seq, signal.clone()));
                (visit, ShownRow::Message(seq, signal))
            }
        };
        let rows = rows.into_iter().map(show).collect();
        self.0.set_value(shown);
        rows
    }
}
