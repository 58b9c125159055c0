//! The rows of the lists: of messages, of participants and of rooms.

mod absent_item;
mod event_line;
mod message_item;
mod message_text;
mod participant_item;
mod pending_item;
mod quote_line;
pub(super) mod reaction_list;
mod recent_room_item;
pub(super) mod row_list;
