//! Server functions: called by components on either side, run on the server. Each is a door of a few lines.

mod door;
mod error;
mod rooms;

pub use error::ApiError;
pub use rooms::{count_unread, join_room, load_history, open_room};
