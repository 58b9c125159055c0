//! Writes JSON like serde_json, whose serializers would enlarge the module that visitors download.

use super::JsonValue;
use std::fmt::Write;

impl JsonValue {
    /// Returns the object with these fields, in order.
    pub fn object<const N: usize>(fields: [(&str, JsonValue); N]) -> Self {
        Self::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Adds a field to an object, unless its value is null.
    pub fn add(&mut self, name: &str, value: JsonValue) {
        if let Self::Object(fields) = self
            && value != Self::Null
        {
            fields.push((name.to_owned(), value));
        }
    }

    /// Returns the JSON text of the value.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null | Self::Fraction => out.push_str("null"),
            Self::Bool(is) => out.push_str(if *is { "true" } else { "false" }),
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::String(text) => write_text(text, out),
            Self::Array(list) => {
                out.push('[');
                for (index, value) in list.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    value.write(out);
                }
                out.push(']');
            }
            Self::Object(fields) => {
                out.push('{');
                for (index, (name, value)) in fields.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

impl From<&str> for JsonValue {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<Option<&str>> for JsonValue {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::Null, Self::from)
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_value_is_read_back() {
        let text = "\"quoted\" \\ back\nline\ttab\u{1}\u{7f}é😀";
        let mut value = JsonValue::object([("a", text.into()), ("b", None.into()), ("c", JsonValue::Number(-7))]);
        value.add("d", JsonValue::Array(vec![JsonValue::Bool(true), JsonValue::Null]));
        value.add("left_out", JsonValue::Null);
        assert_eq!(JsonValue::parse(&value.encode()), Some(value.clone()));
        let serde: serde_json::Value = serde_json::from_str(&value.encode()).unwrap();
        assert_eq!(serde["a"], text);
        assert_eq!(value.encode().matches("left_out").count(), 0);
    }
}
