//! Props of the islands.

use crate::json::{self, FromJson};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A prop of an island. Leptos serializes props again during hydration, but nothing reads the result. `IslandProp`
/// serializes to nothing on `wasm32`, which keeps the serializers out of the module (0.7 kB, see docs/performance.md).
#[derive(Clone, Debug)]
pub struct IslandProp<T>(pub T);

impl<T: Serialize> Serialize for IslandProp<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if cfg!(target_arch = "wasm32") { serializer.serialize_unit() } else { self.0.serialize(serializer) }
    }
}

impl<'de, T: FromJson> Deserialize<'de> for IslandProp<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::read(deserializer).map(Self)
    }
}
