//! The values of one visitor in a page, and the slots that they fill.

use crate::domain::{AuthorTag, EventId, Username};
use html_escape::{encode_double_quoted_attribute, encode_text};
use std::borrow::Cow;
use uuid::Uuid;

/// Length to which a name is padded, in bytes: the escaped name, the quotation mark that ends it, and spaces, which
/// neither HTML nor JSON reads there. So names of different lengths fit the same compressed page. A longer name is not
/// padded, and its page is compressed for each request.
const NAME_WIDTH: usize = 48;

/// The values of one visitor in a page that is otherwise the same for many.
pub(crate) struct VisitorValues {
    /// The nonce that lets the page's own scripts run.
    pub(crate) nonce: String,
    /// The id of the message that the page's form sends.
    pub(crate) form_id: EventId,
    pub(crate) tag: AuthorTag,
    pub(crate) username: Option<Username>,
}

/// Kind of the value in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Nonce,
    FormId,
    /// The form's id in the JSON of a script element, with the end of the string and the comma. Between them are the
    /// spaces that pad the name in the same data.
    FormIdInData,
    Tag,
    /// The name at the end of a string in the JSON of a script element, with the quotation mark.
    NameInData,
    /// The name at the end of an attribute, with the quotation mark, and padded.
    NameInAttribute,
    /// The name, in text.
    NameInText,
}

/// The text that follows the token in each slot. The placeholder name ends with a quotation mark: its escaping tells
/// where the name appears.
const SLOTS: [(&str, Slot); 7] = [
    ("n", Slot::Nonce),
    ("f\",", Slot::FormIdInData),
    ("f", Slot::FormId),
    ("t", Slot::Tag),
    ("u\\\"\"", Slot::NameInData),
    ("u&quot;\"", Slot::NameInAttribute),
    ("u\"", Slot::NameInText),
];

impl Slot {
    /// Returns the slot at the beginning of the text after a token, and the text after the slot.
    pub(super) fn parse(text: &str) -> Option<(Self, &str)> {
        SLOTS.iter().find_map(|&(form, slot)| Some((slot, text.strip_prefix(form)?)))
    }

    /// Returns the length of the values in this slot, in bytes, or `None` if it has no limit. A name in data, and the
    /// spaces that follow it later, have this length together.
    pub(super) fn width(self) -> Option<usize> {
        match self {
            Self::Nonce => Some(22),
            Self::FormId => Some(32),
            Self::FormIdInData => Some(34),
            Self::Tag => Some(4),
            Self::NameInData | Self::NameInAttribute => Some(NAME_WIDTH),
            Self::NameInText => None,
        }
    }
}

/// The values of one visitor, escaped for each slot.
pub(super) struct SlotValues<'a> {
    values: &'a VisitorValues,
    form_id_in_data: String,
    in_data: String,
    in_attribute: String,
    in_text: Cow<'a, str>,
}

impl<'a> SlotValues<'a> {
    pub(super) fn new(values: &'a VisitorValues) -> Self {
        let name = values.username.as_ref().map_or("", Username::as_str);
        let json = serde_json::Value::from(name).to_string();
        let in_data = json[1..].replace('<', "\\u003c");
        let in_attribute = format!("{}\"", encode_double_quoted_attribute(name));
        let is_named = values.username.is_some();
        Self {
            values,
            form_id_in_data: format!("{}\"{},", values.form_id.as_str(), if is_named { padding(&in_data) } else { "" }),
            in_attribute: in_attribute.clone() + padding(&in_attribute),
            in_data,
            in_text: encode_text(name),
        }
    }

    pub(super) fn get(&self, slot: Slot) -> &str {
        match slot {
            Slot::Nonce => &self.values.nonce,
            Slot::FormId => self.values.form_id.as_str(),
            Slot::FormIdInData => &self.form_id_in_data,
            Slot::Tag => self.values.tag.as_str(),
            Slot::NameInData => &self.in_data,
            Slot::NameInAttribute => &self.in_attribute,
            Slot::NameInText => &self.in_text,
        }
    }
}

/// Returns the spaces that pad a name of this length.
fn padding(name: &str) -> &'static str {
    const SPACES: &str = match std::str::from_utf8(&[b' '; NAME_WIDTH]) {
        Ok(spaces) => spaces,
        Err(_) => "",
    };
    &SPACES[name.len().min(NAME_WIDTH)..]
}

/// Random, unguessable token that marks the placeholder values.
pub(crate) struct PlaceholderToken(String);

impl PlaceholderToken {
    pub(crate) fn new() -> Self {
        Self(Uuid::new_v4().simple().to_string())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the placeholder values to render a page with. If messages are marked as the visitor's own, all visitors
    /// of this variant have the tag `own`.
    pub(crate) fn placeholder_values(&self, own: Option<AuthorTag>, named: bool) -> VisitorValues {
        let Self(mark) = self;
        VisitorValues {
            nonce: format!("{mark}n"),
            form_id: EventId::from_trusted(format!("{mark}f")),
            tag: own.unwrap_or_else(|| AuthorTag::from_trusted(format!("{mark}t"))),
            username: named.then(|| Username::from_trusted(format!("{mark}u\""))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::random::event_id;
    use leptos::nonce::Nonce;

    #[test]
    fn every_value_has_the_width_of_its_slot() {
        for name in [None, Some("A"), Some("\"<&>'\\"), Some("Zoë \u{1f600}"), Some(&"x".repeat(NAME_WIDTH - 1))] {
            let values = VisitorValues {
                nonce: Nonce::new().to_string(),
                form_id: event_id(),
                tag: AuthorTag::new([0, 0xff]),
                username: name.map(|name| Username::from_trusted(name.to_owned())),
            };
            let values = SlotValues::new(&values);
            let width = |slots: &[Slot]| slots.iter().map(|slot| values.get(*slot).len()).sum::<usize>();
            let expected = |slots: &[Slot]| slots.iter().map(|slot| slot.width().unwrap()).sum::<usize>();
            for slot in [Slot::Nonce, Slot::FormId, Slot::Tag, Slot::NameInAttribute] {
                assert_eq!(width(&[slot]), expected(&[slot]), "{slot:?} {name:?}");
            }
            let data = [Slot::NameInData, Slot::FormIdInData];
            let data = if name.is_some() { &data[..] } else { &data[1..] };
            assert_eq!(width(data), expected(data), "{name:?}");
        }
    }
}
