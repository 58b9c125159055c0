//! What pages are made of, one file each; the stylesheet of the same name dresses it.

mod avatar;
mod composer;
mod connection_status;
mod message_item;
mod message_list;
mod others;
mod participant_list;
mod pending_list;
mod reading_place;
mod room;
mod room_header;
mod typing_line;

pub use room::Room;
