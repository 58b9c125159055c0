//! Parses JSON with the browser's parser in the browser, and with serde_json elsewhere. serde_json would add 4 kB to
//! the module that visitors download.

use super::JsonValue;
use js_sys::{Array, JSON, Number, Object};
use wasm_bindgen::{JsCast, JsValue};

impl JsonValue {
    /// Parses a text. Returns `None` if it is not valid JSON, or contains a number that is not an integer.
    pub fn parse(text: &str) -> Option<Self> {
        if cfg!(target_arch = "wasm32") {
            Self::from_js(&JSON::parse(text).ok()?)
        } else {
            Self::from_serde(serde_json::from_str(text).ok()?)
        }
    }

    fn from_js(value: &JsValue) -> Option<Self> {
        Some(if let Some(text) = value.as_string() {
            Self::String(text)
        } else if Number::is_integer(value) {
            // Rounded beyond 2^53, which no number of a log reaches; `i64::MAX` stays what it is.
            Self::Number(value.as_f64()? as i64)
        } else if let Some(is) = value.as_bool() {
            Self::Bool(is)
        } else if value.is_null() {
            Self::Null
        } else if Array::is_array(value) {
            Self::Array(
                value.unchecked_ref::<Array>().iter().map(|value| Self::from_js(&value)).collect::<Option<_>>()?,
            )
        } else if !value.is_object() {
            // A number with a fraction.
            return None;
        } else {
            let entries = Object::entries(value.unchecked_ref());
            let entry = |entry: JsValue| {
                let entry: Array = entry.unchecked_into();
                Some((entry.get(0).as_string()?, Self::from_js(&entry.get(1))?))
            };
            Self::Object(entries.iter().map(entry).collect::<Option<_>>()?)
        })
    }

    /// Converts a value of serde_json. Returns `None` if it contains a number that is not an integer.
    pub(super) fn from_serde(value: serde_json::Value) -> Option<Self> {
        use serde_json::Value;
        Some(match value {
            Value::Null => Self::Null,
            Value::Bool(is) => Self::Bool(is),
            Value::Number(number) => Self::Number(number.as_i64()?),
            Value::String(text) => Self::String(text),
            Value::Array(list) => Self::Array(list.into_iter().map(Self::from_serde).collect::<Option<_>>()?),
            Value::Object(fields) => {
                let field = |(name, value)| Some((name, Self::from_serde(value)?));
                Self::Object(fields.into_iter().map(field).collect::<Option<_>>()?)
            }
        })
    }
}
