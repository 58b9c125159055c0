//! What a server function answers when it cannot.

use crate::domain::json::{FromJson, Json};
use crate::domain::{room::RoomNameError, username::UsernameError};
use leptos::prelude::{FromServerFnError, ServerFnErrorErr};
use leptos::server_fn::codec::JsonEncoding;
use serde::{Deserialize, Serialize};

/// Why a server function has no answer; the sentences are shown to visitors.
#[derive(Clone, Debug, Serialize, Deserialize, thiserror::Error)]
pub enum ApiError {
    /// What was asked for cannot be: no such room or name, or a name that somebody else has. The sentence says why.
    #[error("{0}")]
    Refused(String),
    /// The log cannot be read just now.
    #[error("The room cannot be read just now. Try again in a moment.")]
    Unavailable,
    /// The call did not reach the server, or its answer did not come back.
    #[error("The server could not be reached.")]
    Call(String),
}

impl FromJson for ApiError {
    fn from_json(mut json: Json) -> Option<Self> {
        let refused = json.take::<Option<String>>("Refused")?.map(Self::Refused);
        refused.or_else(|| (json == Json::Text("Unavailable".into())).then_some(Self::Unavailable))
    }
}

impl From<RoomNameError> for ApiError {
    fn from(error: RoomNameError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<UsernameError> for ApiError {
    fn from(error: UsernameError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::Call(error.to_string())
    }
}
