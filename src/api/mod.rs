//! Server functions: called by the browser, run on the server. Each calls a use case, in a few lines.

mod annotations;
mod client;
mod error;
mod rooms;

pub use client::{
    join_room, load_history, load_names, load_pin, load_quotes, load_reactions, load_reactors, open_room, preview_rooms,
};
pub use error::ApiError;
