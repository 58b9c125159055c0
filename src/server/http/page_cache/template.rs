//! Template of a room's page: everything except the values of one visitor. It is rendered for a placeholder visitor
//! whose name, tag and ids begin with a random token. At each occurrence of the token, the visitor's own value is
//! filled in, escaped as the placeholder was.

use super::gzip::{Deflated, Gzip};
use crate::domain::{AuthorTag, EventId, Username};
use html_escape::{encode_double_quoted_attribute, encode_text};
use std::borrow::Cow;
use uuid::Uuid;

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
enum Slot {
    Nonce,
    FormId,
    Tag,
    /// The name, in the JSON of a script element.
    NameInData,
    /// The name, in an attribute.
    NameInAttribute,
    /// The name, in text.
    NameInText,
}

/// The text that follows the token in each slot. The placeholder name ends with a quotation mark: its escaping tells
/// where the name appears.
const SLOTS: [(&str, Slot); 6] = [
    ("n", Slot::Nonce),
    ("f", Slot::FormId),
    ("t", Slot::Tag),
    ("u\\\"", Slot::NameInData),
    ("u&quot;", Slot::NameInAttribute),
    ("u\"", Slot::NameInText),
];

/// A page with slots.
#[derive(Debug)]
pub(crate) struct Template {
    begin: TemplatePart,
    /// Each slot, and the text after it.
    rest: Vec<(Slot, TemplatePart)>,
}

/// Text between two slots, plain and compressed.
#[derive(Debug)]
struct TemplatePart {
    text: String,
    deflated: Deflated,
}

impl From<&str> for TemplatePart {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), deflated: Deflated::new(text) }
    }
}

/// Random, unguessable token that marks the placeholder values.
pub(crate) struct PlaceholderToken(String);

impl PlaceholderToken {
    pub(crate) fn new() -> Self {
        Self(Uuid::new_v4().simple().to_string())
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

impl Template {
    /// Splits the page at its slots. Returns `None` if the token appears anywhere else.
    pub(crate) fn parse(html: &str, PlaceholderToken(mark): &PlaceholderToken) -> Option<Self> {
        let mut parts = html.split(mark);
        let begin = parts.next()?.into();
        let cut = |part: &str| SLOTS.iter().find_map(|&(form, hole)| Some((hole, part.strip_prefix(form)?.into())));
        Some(Self { begin, rest: parts.map(cut).collect::<Option<_>>()? })
    }

    /// Returns the page of one visitor.
    pub(crate) fn render(&self, personal: &VisitorValues) -> String {
        let mut page = String::with_capacity(self.len() + 1024);
        page.push_str(&self.begin.text);
        for (own, part) in self.filled(personal) {
            page.push_str(&own);
            page.push_str(&part.text);
        }
        page
    }

    /// Like [`render`](Self::render), but returns gzip. The shared text was compressed when the page was parsed.
    pub(crate) fn fill_gzip(&self, personal: &VisitorValues) -> Vec<u8> {
        let mut page = Gzip::with_capacity(self.size() - self.len() + 1024);
        page.push(&self.begin.deflated);
        for (own, part) in self.filled(personal) {
            page.push_text(&own);
            page.push(&part.deflated);
        }
        page.end()
    }

    /// Returns the visitor's value of each slot, and the text after it.
    fn filled<'a>(&'a self, personal: &'a VisitorValues) -> impl Iterator<Item = (Cow<'a, str>, &'a TemplatePart)> {
        let name = personal.username.as_ref().map_or("", Username::as_str);
        let json = serde_json::Value::from(name).to_string();
        let in_data = json[1..json.len() - 1].replace('<', "\\u003c");
        self.rest.iter().map(move |(hole, part)| {
            let own = match hole {
                Slot::Nonce => Cow::Borrowed(personal.nonce.as_str()),
                Slot::FormId => Cow::Borrowed(personal.form_id.as_str()),
                Slot::Tag => Cow::Borrowed(personal.tag.as_str()),
                Slot::NameInData => Cow::Owned(in_data.clone()),
                Slot::NameInAttribute => encode_double_quoted_attribute(name),
                Slot::NameInText => encode_text(name),
            };
            (own, part)
        })
    }

    /// Returns the length of the page without the visitor's values, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.parts().map(|part| part.text.len()).sum()
    }

    /// Returns the size in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.parts().map(|part| part.text.len() + part.deflated.len()).sum()
    }

    fn parts(&self) -> impl Iterator<Item = &TemplatePart> {
        std::iter::once(&self.begin).chain(self.rest.iter().map(|(_, part)| part))
    }
}

/// Returns the page with the number of elements and comments in its room, from which `hydrate.js` detects changes to
/// the page. In texts and attributes `<` is escaped.
pub(crate) fn with_node_count(html: &str) -> String {
    let room = html.split_once("<leptos-island").and_then(|(_, rest)| rest.split_once("</leptos-island>"));
    let room = room.map_or("", |(room, _)| room);
    let count = room.matches('<').count() - room.matches("</").count();
    html.replacen("data-nodes=\"0\"", &format!("data-nodes=\"{count}\""), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Read;

    /// Renders a page like the view does, with the visitor's values in every place where they can appear.
    fn render(personal: &VisitorValues, said: &str) -> String {
        let VisitorValues { nonce, form_id, tag, username } = personal;
        let name = username.as_ref().map_or("", Username::as_str);
        let data = serde_json::json!({"id": form_id, "tag": tag, "username": username, "said": said}).to_string();
        format!(
            "<script nonce=\"{nonce}\">{}</script><leptos-island><input value=\"{}\"><input value=\"{}\">\
             <b>{}</b><p>{}</p></leptos-island>",
            data.replace('<', "\\u003c"),
            form_id.as_str(),
            encode_double_quoted_attribute(name),
            encode_text(name),
            encode_text(said),
        )
    }

    #[test]
    fn a_mark_in_another_shape_makes_no_template() {
        let mark = PlaceholderToken::new();
        assert!(Template::parse("<p>nothing</p>", &mark).is_some());
        assert!(Template::parse(&format!("<p>{}x</p>", mark.0), &mark).is_none());
        assert!(Template::parse(&format!("<p>{}u%22</p>", mark.0), &mark).is_none());
    }

    proptest! {
        /// A filled page equals the page rendered for that visitor, byte for byte.
        #[test]
        fn a_filled_page_is_the_page_that_would_have_been_rendered(
            name in proptest::option::of("[\"'<>&\\\\/a-z{}]{1,9}|\\PC{1,9}"), said in "\\PC{0,20}", own in any::<bool>(),
        ) {
            let personal = VisitorValues {
                nonce: "n-_0".into(),
                form_id: EventId::from_trusted("f0".into()),
                tag: AuthorTag::new([0x7f, 0x3a]),
                username: name.map(Username::from_trusted),
            };
            let mark = PlaceholderToken::new();
            let stand_in = mark.placeholder_values(own.then(|| personal.tag.clone()), personal.username.is_some());
            let template = Template::parse(&render(&stand_in, &said), &mark).unwrap();
            let filled = template.render(&personal);
            prop_assert_eq!(&filled, &render(&personal, &said));
            let mut unpacked = String::new();
            flate2::read::GzDecoder::new(&template.fill_gzip(&personal)[..]).read_to_string(&mut unpacked).unwrap();
            prop_assert_eq!(&filled, &unpacked);
            prop_assert!(!filled.contains(&mark.0));
        }
    }
}
