//! A list whose rows keep their elements. One type of list serves all: each further one would add 2 kB to the module.

use super::absent_item::AbsentItem;
use super::event_line::EventLine;
use super::message_item::{DayDivider, MessageItem, UnreadDivider};
use super::participant_item::ParticipantItem;
use super::pending_item::PendingItem;
use super::recent_room_item::RecentRoomItem;
use crate::domain::{AuthorTag, EventId, Participant, RoomName};
use crate::ui::room::outbox::PendingCommand;
use crate::ui::room::recent_rooms::RecentRooms;
use crate::ui::room::request_guard::RequestId;
use crate::ui::room::timeline::rows::{TimelineRow, TimelineRowKey};
use leptos::either::EitherOf8;
use leptos::prelude::*;

/// A row of a list.
#[derive(Clone)]
pub(crate) enum ListRow {
    /// A row of the timeline, with the page that is shown.
    Timeline(RequestId, TimelineRow),
    /// A command that the log does not have.
    Pending(PendingCommand),
    /// A participant who is present: the tag, and the number of earlier participants with the same one.
    Participant(AuthorTag, usize),
    /// A person who is not in the room.
    Absent(Participant),
    /// One of the visitor's rooms.
    RecentRoom(RecentRooms, RoomName),
}

/// Identity of a row in its list.
#[derive(PartialEq, Eq, Hash)]
enum ListRowKey {
    Timeline(RequestId, TimelineRowKey),
    /// The id of the command, and whether it was refused.
    Pending(EventId, bool),
    Participant(AuthorTag, usize),
    Absent(Participant),
    RecentRoom(RoomName),
}

impl ListRow {
    fn key(&self) -> ListRowKey {
        match self {
            Self::Timeline(page, row) => ListRowKey::Timeline(*page, row.key()),
            Self::Pending(pending) => ListRowKey::Pending(pending.id.clone(), pending.refused.is_some()),
            Self::Participant(tag, nth) => ListRowKey::Participant(tag.clone(), *nth),
            Self::Absent(participant) => ListRowKey::Absent(participant.clone()),
            Self::RecentRoom(_, room) => ListRowKey::RecentRoom(room.clone()),
        }
    }
}

/// Renders the rows, and those that `rows` returns later. A row with a known key keeps its element.
pub(crate) fn row_list(rows: Box<dyn Fn() -> Vec<ListRow> + Send + Sync>) -> impl IntoView {
    view! {
        <For each=rows key=ListRow::key let:row>
            {match row {
                ListRow::Timeline(_, TimelineRow::DayDivider(at)) => EitherOf8::A(view! { <DayDivider at=at /> }),
                ListRow::Timeline(_, TimelineRow::UnreadDivider) => EitherOf8::B(view! { <UnreadDivider /> }),
                ListRow::Timeline(_, TimelineRow::Message(row)) => EitherOf8::C(view! { <MessageItem row=row /> }),
                ListRow::Pending(pending) => EitherOf8::D(view! { <PendingItem pending=pending /> }),
                ListRow::Participant(tag, nth) => EitherOf8::E(view! { <ParticipantItem tag=tag nth=nth /> }),
                ListRow::RecentRoom(recent, room) => EitherOf8::F(view! { <RecentRoomItem recent=recent room=room /> }),
                ListRow::Absent(participant) => EitherOf8::G(view! { <AbsentItem participant=participant /> }),
                ListRow::Timeline(_, TimelineRow::Note(note)) => EitherOf8::H(view! { <EventLine note=note /> }),
            }}
        </For>
    }
}
