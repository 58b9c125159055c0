//! The header of the room and the banner below it.

pub(super) mod connection_banner;
pub(super) mod room_header;
