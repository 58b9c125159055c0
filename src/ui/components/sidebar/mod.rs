//! The sidebar of the room.

mod invite_row;
pub(super) mod participant_list;
pub(super) mod share_link;
