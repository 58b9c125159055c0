//! Server functions: callable from both sides, run on the server. Each hands over to a use case in a few lines.

mod error;
mod fetch_protocol;
mod rooms;

pub use error::ApiError;
pub use rooms::{count_unread, join_room, load_history, open_room};
