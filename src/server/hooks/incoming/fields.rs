//! The fields of a JSON object from another program.

use super::InvalidBody;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Value};
use std::fmt;

/// An object in which no field occurs twice.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Parses an object.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not JSON, or not such an object.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidBody> {
        let parsed: ParsedFields = serde_json::from_str(text).map_err(|error| match error.classify() {
            Category::Data if serde_json::from_str::<IgnoredAny>(text).is_ok() => InvalidBody::FieldType,
            Category::Data | Category::Syntax | Category::Eof | Category::Io => InvalidBody::Syntax,
        })?;
        if parsed.has_repeated { Err(InvalidBody::Syntax) } else { Ok(Self(parsed.fields)) }
    }

    /// Returns a field, whatever its type. `None` if it is missing or null.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Returns a text, or `None` if it is missing or null.
    ///
    /// # Errors
    ///
    /// Returns an error if the field is of another type.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, InvalidBody> {
        self.value(name).map(|value| value.as_str().ok_or(InvalidBody::FieldType)).transpose()
    }

    /// Returns a list, which is empty if it is missing or null.
    ///
    /// # Errors
    ///
    /// Returns an error if the field is of another type.
    pub(super) fn list(&self, name: &str) -> Result<&[Value], InvalidBody> {
        let list = self.value(name).map(|value| value.as_array().ok_or(InvalidBody::FieldType)).transpose()?;
        Ok(list.map_or(&[], Vec::as_slice))
    }
}

/// Returns a text that is not blank.
pub(super) fn string(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.trim().is_empty())
}

/// The fields of an object, and whether one of them occurs twice (against RFC 7493).
#[derive(Default)]
struct ParsedFields {
    fields: Map<String, Value>,
    has_repeated: bool,
}

impl<'de> Deserialize<'de> for ParsedFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = ParsedFields;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<ParsedFields, A::Error> {
        let mut parsed = ParsedFields::default();
        while let Some((name, value)) = entries.next_entry::<String, Value>()? {
            parsed.has_repeated |= parsed.fields.insert(name, value).is_some();
        }
        Ok(parsed)
    }
}
