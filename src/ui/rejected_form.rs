//! Forms that the server has refused.

use crate::domain::Seq;

/// A message or a name that was sent as a form and refused. The page returns it, so that nothing is lost.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RejectedForm {
    /// The message.
    pub message: String,
    /// The name, if the visitor has to give it again.
    pub username: Option<String>,
    /// The reason.
    pub detail: String,
    /// The message that the form would have edited; `None` if it was a new one.
    pub edited: Option<Seq>,
}

crate::json::read_by_name!(RejectedForm { message, username, detail, edited });
