//! The rows of the message list and of the pending list. One type of list serves both: another would add 2 kB to the
//! module.

use super::message_item::{DayDivider, MessageItem, UnreadDivider};
use super::pending_list::PendingItem;
use crate::domain::EventId;
use crate::ui::room::outbox::PendingCommand;
use crate::ui::room::request_guard::RequestId;
use crate::ui::room::timeline::rows::{TimelineRow, TimelineRowKey};
use leptos::either::EitherOf4;
use leptos::prelude::*;

/// A row of either list.
#[derive(Clone)]
pub(super) enum ListRow {
    /// A row of the timeline, in this visit of a room: another room has other messages with the same numbers.
    Timeline(RequestId, TimelineRow),
    /// A command that the log does not have.
    Pending(PendingCommand),
}

/// Identity of a row in its list.
#[derive(PartialEq, Eq, Hash)]
enum ListRowKey {
    Timeline(RequestId, TimelineRowKey),
    /// The id of the command, and whether it was refused.
    Pending(EventId, bool),
}

impl ListRow {
    fn key(&self) -> ListRowKey {
        match self {
            Self::Timeline(visit, row) => ListRowKey::Timeline(*visit, row.key()),
            Self::Pending(pending) => ListRowKey::Pending(pending.id.clone(), pending.refused.is_some()),
        }
    }
}

/// Renders the rows, and those that `rows` returns later. A row with a known key keeps its element.
pub(super) fn row_list(rows: Box<dyn Fn() -> Vec<ListRow> + Send + Sync>) -> impl IntoView {
    view! {
        <For each=rows key=ListRow::key let:row>
            {match row {
                ListRow::Timeline(_, TimelineRow::DayDivider(at)) => EitherOf4::A(view! { <DayDivider at=at /> }),
                ListRow::Timeline(_, TimelineRow::UnreadDivider) => EitherOf4::B(view! { <UnreadDivider /> }),
                ListRow::Timeline(_, TimelineRow::Message(row)) => EitherOf4::C(view! { <MessageItem row=row /> }),
                ListRow::Pending(pending) => EitherOf4::D(view! { <PendingItem pending=pending /> }),
            }}
        </For>
    }
}
