//! Histories of a room.

use serde::{Deserialize, Serialize};

/// Identifier of a history of a room. It changes when the host restores an older database, so that two histories are
/// never confused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub String);

impl std::fmt::Display for Epoch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
