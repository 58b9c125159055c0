//! Errors of server functions.

use crate::json::{FromJson, JsonValue};
use leptos::prelude::{FromServerFnError, ServerFnErrorErr};
use leptos::server_fn::codec::JsonEncoding;
use serde::{Deserialize, Serialize};

/// The error of a server function. Its text is shown to visitors.
#[derive(Clone, Debug, Serialize, Deserialize, thiserror::Error)]
pub enum ApiError {
    /// The request is refused, for example because there is no such room or another visitor uses the name. Holds the
    /// reason.
    #[error("{0}")]
    Refused(String),
    /// The database cannot be read.
    #[error("This room can’t be read right now. Try again in a moment.")]
    Unavailable,
    /// The server was not reached, or its response was lost. Holds the reason, which may be empty.
    #[error("The server could not be reached.")]
    Call(String),
}

impl FromJson for ApiError {
    fn from_json(mut json: JsonValue) -> Option<Self> {
        let refused = json.take::<Option<String>>("Refused")?.map(Self::Refused);
        refused.or_else(|| (json == JsonValue::String("Unavailable".into())).then_some(Self::Unavailable))
    }
}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::Call(error.to_string())
    }
}
