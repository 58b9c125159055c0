//! The header of the room and the banner below it.

pub(super) mod connection_banner;
pub(super) mod pinned_bar;
pub(super) mod room_header;
