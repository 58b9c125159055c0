//! The messages of the room.

pub(super) mod empty_room;
pub(super) mod jump_button;
pub(super) mod message_list;
pub(super) mod pending_list;
mod toolbar;
