//! The sidebar of the room.

pub(super) mod participant_list;
pub(super) mod share_link;
