//! Rejections: the reason why a frame from a client was not stored.

use super::emoji::EmojiError;
use super::event::EventIdError;
use super::message::MessageTextError;
use super::username::UsernameError;
use crate::json::{FromJson, JsonValue, from_names};
use serde::{Deserialize, Serialize};

/// The rejection codes of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectionCode {
    /// The text is only white space.
    Empty,
    /// The text exceeds the maximum length of messages.
    TooLong,
    /// The frame or one of its fields is invalid.
    Invalid,
    /// The client exceeds a rate limit.
    RateLimited,
    /// The username is invalid.
    UsernameInvalid,
    /// Another visitor holds the username in this room.
    UsernameTaken,
    /// The author has used the id for a different event.
    IdConflict,
    /// The message does not exist.
    NotFound,
    /// The visitor is not allowed to do this.
    Forbidden,
    /// This server is about to stop.
    Draining,
    /// The log cannot be written at the moment.
    Unavailable,
}

impl RejectionCode {
    /// All codes.
    pub const ALL: [Self; 11] = [
        Self::Empty,
        Self::TooLong,
        Self::Invalid,
        Self::RateLimited,
        Self::UsernameInvalid,
        Self::UsernameTaken,
        Self::IdConflict,
        Self::NotFound,
        Self::Forbidden,
        Self::Draining,
        Self::Unavailable,
    ];
}

impl FromJson for RejectionCode {
    fn from_json(json: JsonValue) -> Option<Self> {
        let names = [
            ("empty", Self::Empty),
            ("too_long", Self::TooLong),
            ("invalid", Self::Invalid),
            ("rate_limited", Self::RateLimited),
            ("username_invalid", Self::UsernameInvalid),
            ("username_taken", Self::UsernameTaken),
            ("id_conflict", Self::IdConflict),
            ("not_found", Self::NotFound),
            ("forbidden", Self::Forbidden),
            ("draining", Self::Draining),
            ("unavailable", Self::Unavailable),
        ];
        from_names(json, &names)
    }
}

/// The reason why a frame was not stored. Its sender keeps the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Rejection {
    /// The code, for programs.
    pub code: RejectionCode,
    /// One sentence for visitors.
    pub detail: String,
    /// Delay before a retry makes sense, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
}

impl Rejection {
    /// Creates a rejection without a retry delay.
    pub fn new(code: RejectionCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), retry_after_ms: None }
    }

    /// Returns the rejection for a log that cannot be written at the moment.
    pub fn unavailable() -> Self {
        let detail = "The server cannot save messages right now. Yours is not lost: try again in a moment.";
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

impl From<EmojiError> for Rejection {
    fn from(error: EmojiError) -> Self {
        Self::new(RejectionCode::Invalid, error.to_string())
    }
}

impl From<EventIdError> for Rejection {
    fn from(error: EventIdError) -> Self {
        Self::new(RejectionCode::Invalid, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_by_its_name() {
        use RejectionCode::*;
        for code in [
            Empty,
            TooLong,
            Invalid,
            RateLimited,
            UsernameInvalid,
            UsernameTaken,
            IdConflict,
            NotFound,
            Forbidden,
            Draining,
            Unavailable,
        ] {
            let name = serde_json::to_string(&code).unwrap();
            assert_eq!(RejectionCode::from_json(JsonValue::parse(&name).unwrap()), Some(code));
        }
        assert_eq!(RejectionCode::from_json("later".into()), None);
    }
}
