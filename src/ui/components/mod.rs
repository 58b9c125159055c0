//! The parts of a page. Each is drawn on the server and lives on in the browser; [`Room`] joins them.

mod attention;
mod avatar;
mod composer;
mod connection_status;
mod copy_button;
mod dialog;
mod empty_room;
mod handed;
mod message_item;
mod message_list;
mod message_text;
mod moderation;
mod notice;
mod others;
mod participant_list;
mod pending_list;
mod reading_place;
mod recent_rooms;
mod removal;
mod room;
mod room_header;
mod room_listener;
mod room_state;
mod room_switcher;
mod share_link;
mod travel;
mod turn;
mod typing_line;
mod unread_pill;

pub use handed::Handed;
pub use recent_rooms::RecentRoomsSection;
pub use room::Room;
