//! JSON parsing: first into a tree, then field by field. serde's derive generates separate code for every structure,
//! which would enlarge the module that visitors download. There the browser's own parser builds the tree.

mod parse;
mod write;

use crate::domain::{AuthorTag, Emoji, Epoch, EventId, RoomName, Timestamp, Username};
use serde::de::{Deserialize, Deserializer, Error};

/// A JSON value. Only integers keep their value, because Parlour uses no other numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum JsonValue {
    /// `null`, or a missing field.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(i64),
    /// A number that is no integer, or too large for one. No field of this version has such a value.
    Fraction,
    /// A text.
    String(String),
    /// A list.
    Array(Vec<JsonValue>),
    /// An object.
    Object(Vec<(String, JsonValue)>),
}

impl JsonValue {
    /// Takes a field of an object. Returns `None` if a required field is missing or has the wrong type.
    pub fn take<T: FromJson>(&mut self, name: &str) -> Option<T> {
        T::from_json(match self {
            Self::Object(fields) => {
                fields.iter_mut().find(|(it, _)| it == name).map(|(_, value)| std::mem::take(value)).unwrap_or_default()
            }
            _ => Self::Null,
        })
    }
}

/// A type that can be read from JSON.
pub trait FromJson: Sized {
    /// Converts `json`. Returns `None` if it does not have the expected type or fields.
    fn from_json(json: JsonValue) -> Option<Self>;
}

impl FromJson for JsonValue {
    fn from_json(json: JsonValue) -> Option<Self> {
        Some(json)
    }
}

impl FromJson for bool {
    fn from_json(json: JsonValue) -> Option<Self> {
        match json {
            JsonValue::Bool(is) => Some(is),
            JsonValue::Null => Some(false),
            _ => None,
        }
    }
}

impl FromJson for String {
    fn from_json(json: JsonValue) -> Option<Self> {
        if let JsonValue::String(text) = json { Some(text) } else { None }
    }
}

impl FromJson for i64 {
    fn from_json(json: JsonValue) -> Option<Self> {
        if let JsonValue::Number(number) = json { Some(number) } else { None }
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn from_json(json: JsonValue) -> Option<Self> {
        if json == JsonValue::Null { Some(None) } else { T::from_json(json).map(Some) }
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(json: JsonValue) -> Option<Self> {
        match json {
            JsonValue::Array(list) => list.into_iter().map(T::from_json).collect(),
            // A node of an earlier release does not know the field, and an empty list is left out.
            JsonValue::Null => Some(Vec::new()),
            _ => None,
        }
    }
}

/// Reads one of the values that have these names.
pub fn from_names<T: Copy>(json: JsonValue, names: &[(&str, T)]) -> Option<T> {
    let text = String::from_json(json)?;
    names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value)
}

/// Implements [`FromJson`] for types that wrap one value of another type.
macro_rules! read_as {
    ($($type:ty: $value:ty = $make:expr;)*) => {
        $(impl FromJson for $type {
            fn from_json(json: JsonValue) -> Option<Self> {
                <$value>::from_json(json).and_then($make)
            }
        })*
    };
}
read_as! {
    u32: i64 = |number| number.try_into().ok();
    u64: i64 = |number| number.try_into().ok();
    usize: i64 = |number| number.try_into().ok();
    Timestamp: i64 = |number| Some(Timestamp(number));
    Epoch: String = |text| Some(Epoch(text));
    EventId: String = |text| Some(Self::from_trusted(text));
    RoomName: String = |text| Some(Self::from_trusted(text));
    AuthorTag: String = |text| Some(Self::from_trusted(text));
    Emoji: String = |text| Some(Self::from_trusted(text));
    Username: String = |text| Some(Self::from_trusted(text));
}

/// Implements [`FromJson`] for structures, by field name.
macro_rules! read_by_name {
    ($type:ident { $($field:ident),* }) => {
        impl $crate::json::FromJson for $type {
            fn from_json(mut json: $crate::json::JsonValue) -> Option<Self> {
                Some(Self { $($field: json.take(stringify!($field))?),* })
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::json::read(deserializer)
            }
        }
    };
}
pub(crate) use read_by_name;

/// Deserializes a type by its [`FromJson`] implementation.
///
/// # Errors
///
/// Returns an error if the input is malformed, or does not have the shape of the type.
pub(crate) fn read<'de, D: Deserializer<'de>, T: FromJson>(deserializer: D) -> Result<T, D::Error> {
    let json = serde_json::Value::deserialize(deserializer)?;
    T::from_json(JsonValue::from_serde(json)).ok_or_else(|| D::Error::custom("a field is missing or wrong"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::moderation::ModerationAction;

    #[test]
    fn a_field_is_taken_by_its_name() {
        let mut json =
            JsonValue::parse(r#"{"seq": 7, "text": "é\n", "is": true, "list": [1, 2], "tag": null}"#).unwrap();
        assert_eq!(json.take("seq"), Some(7_i64));
        assert_eq!(json.take("text"), Some("é\n".to_owned()));
        assert_eq!(json.take("is"), Some(true));
        assert_eq!(json.take("list"), Some(vec![1_u32, 2]));
        assert_eq!(json.take("tag"), Some(None::<AuthorTag>));
    }

    #[test]
    fn a_missing_field_is_none() {
        let mut json = JsonValue::parse("{}").unwrap();
        assert_eq!(json.take::<i64>("seq"), None);
        assert_eq!(json.take::<String>("text"), None);
        assert_eq!(json.take("edited"), Some(false));
        assert_eq!(json.take("permalink"), Some(None::<i64>));
        assert_eq!(json.take("mentions"), Some(Vec::<String>::new()));
        assert_eq!(JsonValue::Array(Vec::new()).take::<String>("text"), None);
    }

    #[test]
    fn a_value_of_another_type_is_not_read() {
        let mut json =
            JsonValue::parse(r#"{"seq": "7", "text": 7, "count": -1, "list": [1, "2"], "action": 3}"#).unwrap();
        assert_eq!(json.take::<i64>("seq"), None);
        assert_eq!(json.take::<Option<String>>("text"), None);
        assert_eq!(json.take::<usize>("count"), None);
        assert_eq!(json.take::<Vec<i64>>("list"), None);
        assert_eq!(json.take::<ModerationAction>("action"), None);
        for text in ["", "{", "[1 2]", r#"{"seq": 1} x"#, "1e400"] {
            assert_eq!(JsonValue::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_that_is_no_integer_is_no_value_of_a_field_and_hinders_no_other() {
        let mut json = JsonValue::parse(r#"{"half": 1.5, "large": 99999999999999999999, "list": [0.1], "seq": 7}"#);
        let json = json.as_mut().unwrap();
        assert_eq!((json.take::<i64>("half"), json.take::<Option<i64>>("large")), (None, None));
        assert_eq!((json.take::<Vec<i64>>("list"), json.take("seq")), (None, Some(7_i64)));
    }
}
