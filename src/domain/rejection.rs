//! Rejections: why something that was sent was not stored.

use super::event::EventIdError;
use super::message::MessageTextError;
use super::username::UsernameError;
use crate::json::{FromJson, JsonValue, from_str_enum};
use serde::{Deserialize, Serialize};

/// The codes of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectionCode {
    /// Nothing but white space was sent.
    Empty,
    /// The text is longer than messages are.
    TooLong,
    /// The frame, or something in it, is not of the protocol.
    Invalid,
    /// Too much in too short a time.
    RateLimited,
    /// No such username can be.
    UsernameInvalid,
    /// Somebody else holds the username in this room.
    UsernameTaken,
    /// The id already stands for something else.
    IdConflict,
    /// There is no such message.
    NotFound,
    /// Not yours to do.
    Forbidden,
    /// This server is about to stop.
    Draining,
    /// The log cannot be written just now.
    Unavailable,
}

impl FromJson for RejectionCode {
    fn from_json(json: JsonValue) -> Option<Self> {
        from_str_enum(json)
    }
}

/// Something that was sent and not stored: the text stays with its sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Rejection {
    /// For programs.
    pub code: RejectionCode,
    /// For people: one sentence.
    pub detail: String,
    /// When trying again makes sense, in milliseconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
}

impl Rejection {
    /// A rejection that gives no time for another try.
    pub fn new(code: RejectionCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), retry_after_ms: None }
    }

    /// The log cannot be written just now.
    pub fn unavailable() -> Self {
        let detail = "The room cannot store messages just now. Yours is not lost: try again in a moment.";
        Self { retry_after_ms: Some(1000), ..Self::new(RejectionCode::Unavailable, detail) }
    }
}

impl From<MessageTextError> for Rejection {
    fn from(error: MessageTextError) -> Self {
        let code = match error {
            MessageTextError::Empty => RejectionCode::Empty,
            MessageTextError::TooLong => RejectionCode::TooLong,
            MessageTextError::Nul => RejectionCode::Invalid,
        };
        Self::new(code, error.to_string())
    }
}

impl From<UsernameError> for Rejection {
    fn from(error: UsernameError) -> Self {
        Self::new(RejectionCode::UsernameInvalid, error.to_string())
    }
}

impl From<EventIdError> for Rejection {
    fn from(error: EventIdError) -> Self {
        Self::new(RejectionCode::Invalid, error.to_string())
    }
}
