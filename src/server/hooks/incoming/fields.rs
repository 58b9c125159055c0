//! The fields of a JSON object from another program.

use super::InvalidBody;
use crate::server::strict_json;
use serde_json::{Map, Value};

/// An object in which no field occurs twice, at any depth.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Parses an object.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not JSON, or not such an object.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidBody> {
        match strict_json::parse(text) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(InvalidBody::FieldType),
            Err(_) => Err(InvalidBody::Syntax),
        }
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
