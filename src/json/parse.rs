//! Parses JSON with the browser's parser in the browser, and with serde_json elsewhere. serde_json would add 4 kB to
//! the module that visitors download.

use super::JsonValue;
use js_sys::{Array, JSON, Number, Object};
use wasm_bindgen::{JsCast, JsValue};

impl JsonValue {
    /// Parses a text. Returns `None` if it is not valid JSON.
    pub fn parse(text: &str) -> Option<Self> {
        if cfg!(target_arch = "wasm32") {
            Some(Self::from_js(&JSON::parse(text).ok()?))
        } else {
            Some(Self::from_serde(serde_json::from_str(text).ok()?))
        }
    }

    fn from_js(value: &JsValue) -> Self {
        if let Some(text) = value.as_string() {
            Self::String(text)
        } else if let Some(number) = value.as_f64() {
            // Rounded beyond 2^53, which no number of a log reaches; `i64::MAX` stays what it is.
            if Number::is_integer(value) { Self::Number(number as i64) } else { Self::Fraction }
        } else if let Some(is) = value.as_bool() {
            Self::Bool(is)
        } else if value.is_null() {
            Self::Null
        } else if Array::is_array(value) {
            Self::Array(value.unchecked_ref::<Array>().iter().map(|value| Self::from_js(&value)).collect())
        } else {
            let entry = |entry: JsValue| {
                let entry: Array = entry.unchecked_into();
                (entry.get(0).as_string().unwrap_or_default(), Self::from_js(&entry.get(1)))
            };
            Self::Object(Object::entries(value.unchecked_ref()).iter().map(entry).collect())
        }
    }

    /// Converts a value of serde_json.
    pub(super) fn from_serde(value: serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(is) => Self::Bool(is),
            Value::Number(number) => number.as_i64().map_or(Self::Fraction, Self::Number),
            Value::String(text) => Self::String(text),
            Value::Array(list) => Self::Array(list.into_iter().map(Self::from_serde).collect()),
            Value::Object(fields) => {
                Self::Object(fields.into_iter().map(|(name, value)| (name, Self::from_serde(value))).collect())
            }
        }
    }
}
