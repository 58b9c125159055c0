//! What a server function answers when it cannot.

use crate::domain::{room::RoomNameError, username::UsernameError};
use leptos::prelude::{FromServerFnError, ServerFnErrorErr};
use leptos::server_fn::codec::JsonEncoding;
use serde::{Deserialize, Serialize};

/// Why a server function has no answer; the sentences are shown to visitors.
#[derive(Clone, Debug, Serialize, Deserialize, thiserror::Error)]
pub enum ApiError {
    /// No room can have this name.
    #[error("{0}")]
    RoomName(#[from] RoomNameError),
    /// Nobody can have this name.
    #[error("{0}")]
    Username(#[from] UsernameError),
    /// Somebody else in the room goes by this name.
    #[error("{detail}")]
    UsernameTaken {
        /// Which name it is, and which is free.
        detail: String,
    },
    /// The log cannot be read just now.
    #[error("The room cannot be read just now. Try again in a moment.")]
    Unavailable,
    /// The call did not reach the server, or its answer did not come back.
    #[error("The server could not be reached.")]
    Call(String),
}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::Call(error.to_string())
    }
}
