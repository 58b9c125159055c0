//! Participants: who is in a room just now.

use super::{AuthorTag, Username};
use crate::json::read_by_name;
use serde::Serialize;

/// Somebody who has a room open. Two connections of one person under one name are one participant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Participant {
    /// The name they appear under.
    pub username: Username,
    /// Tells them from others of the same name.
    pub tag: AuthorTag,
}

read_by_name!(Participant { username, tag });
