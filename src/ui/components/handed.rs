//! What the server hands to an island of a page. Leptos has the browser write it down once more when the island wakes;
//! nobody reads that, so the browser writes nothing, and no visitor downloads what would write it.

use crate::domain::json::{self, FromJson};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A property of an island.
#[derive(Clone, Debug)]
pub struct Handed<T>(pub T);

impl<T: Serialize> Serialize for Handed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if cfg!(target_arch = "wasm32") { serializer.serialize_unit() } else { self.0.serialize(serializer) }
    }
}

impl<'de, T: FromJson> Deserialize<'de> for Handed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::read(deserializer).map(Self)
    }
}
