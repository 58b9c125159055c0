//! The pages, one file each.

mod error;
mod front;
mod room;

pub(super) use error::ErrorPage;
pub(super) use front::FrontPage;
pub(super) use room::RoomPage;
