//! Participants: the visitors who have a room open.

use super::{AuthorTag, Username};
use crate::json::read_by_name;
use serde::Serialize;

/// A visitor who has a room open. Two connections of the same visitor with the same name are one participant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Participant {
    /// The participant's name.
    pub username: Username,
    /// Distinguishes the participant from others with the same name.
    pub tag: AuthorTag,
}

read_by_name!(Participant { username, tag });
