//! The pages, one file each.

mod front;
mod not_found;
mod room;

pub(super) use front::FrontPage;
pub(super) use not_found::NotFoundPage;
pub(super) use room::RoomPage;
