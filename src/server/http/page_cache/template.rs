//! A room's page with holes: everything but what is of one visitor. It is rendered for a stand-in whose name, tag and
//! ids begin with a mark of chance. Where the mark stands, each visitor's own are put, escaped as the stand-in's were.

use super::gzip::{Deflated, Gzip};
use crate::domain::{AuthorTag, EventId, Username};
use html_escape::{encode_double_quoted_attribute, encode_text};
use std::borrow::Cow;
use uuid::Uuid;

/// What is of one visitor in a page of which everything else is the same for many.
pub(crate) struct VisitorValues {
    /// Lets the page's own scripts run.
    pub(crate) nonce: String,
    /// The id of the message that the page's form sends.
    pub(crate) form_id: EventId,
    pub(crate) tag: AuthorTag,
    pub(crate) username: Option<Username>,
}

/// What stands in a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Nonce,
    FormId,
    Tag,
    /// The name, in JSON in an attribute.
    NameInProps,
    /// The name, in an attribute.
    NameInAttribute,
    /// The name, in text.
    NameInText,
}

/// What follows the mark in each. The stand-in's name ends with a quotation mark: how that was escaped says where it
/// stands.
const SLOTS: [(&str, Slot); 6] = [
    ("n", Slot::Nonce),
    ("f", Slot::FormId),
    ("t", Slot::Tag),
    ("u\\&quot;", Slot::NameInProps),
    ("u&quot;", Slot::NameInAttribute),
    ("u\"", Slot::NameInText),
];

/// A page with holes.
#[derive(Debug)]
pub(crate) struct Template {
    begin: Piece,
    /// Each hole, and what follows it.
    rest: Vec<(Slot, Piece)>,
}

/// Text between two holes, as it is and compressed.
#[derive(Debug)]
struct Piece {
    text: String,
    deflated: Deflated,
}

impl From<&str> for Piece {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), deflated: Deflated::new(text) }
    }
}

/// Marks the stand-in's parts; nobody can guess it.
pub(crate) struct PlaceholderToken(String);

impl PlaceholderToken {
    pub(crate) fn new() -> Self {
        Self(Uuid::new_v4().simple().to_string())
    }

    /// Whom a page is rendered for. Where messages are the visitor's own, all to whom it looks the same have this tag.
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
    /// Cuts the holes; `None` where the mark stands as nothing of the stand-in does.
    pub(crate) fn parse(html: &str, PlaceholderToken(mark): &PlaceholderToken) -> Option<Self> {
        let mut pieces = html.split(mark);
        let begin = pieces.next()?.into();
        let cut = |piece: &str| SLOTS.iter().find_map(|&(form, hole)| Some((hole, piece.strip_prefix(form)?.into())));
        Some(Self { begin, rest: pieces.map(cut).collect::<Option<_>>()? })
    }

    /// The page of one visitor.
    pub(crate) fn render(&self, personal: &VisitorValues) -> String {
        let mut page = String::with_capacity(self.len() + 1024);
        page.push_str(&self.begin.text);
        for (own, piece) in self.filled(personal) {
            page.push_str(&own);
            page.push_str(&piece.text);
        }
        page
    }

    /// The same as gzip: what is not of the visitor was compressed when the page was cut.
    pub(crate) fn fill_gzip(&self, personal: &VisitorValues) -> Vec<u8> {
        let mut page = Gzip::with_capacity(self.size() - self.len() + 1024);
        page.push(&self.begin.deflated);
        for (own, piece) in self.filled(personal) {
            page.push_text(&own);
            page.push(&piece.deflated);
        }
        page.end()
    }

    /// What one visitor has in each hole, and what follows it.
    fn filled<'a>(&'a self, personal: &'a VisitorValues) -> impl Iterator<Item = (Cow<'a, str>, &'a Piece)> {
        let name = personal.username.as_ref().map_or("", Username::as_str);
        let json = serde_json::Value::from(name).to_string();
        let in_props = encode_double_quoted_attribute(&json[1..json.len() - 1]).into_owned();
        self.rest.iter().map(move |(hole, piece)| {
            let own = match hole {
                Slot::Nonce => Cow::Borrowed(personal.nonce.as_str()),
                Slot::FormId => Cow::Borrowed(personal.form_id.as_str()),
                Slot::Tag => Cow::Borrowed(personal.tag.as_str()),
                Slot::NameInProps => Cow::Owned(in_props.clone()),
                Slot::NameInAttribute => encode_double_quoted_attribute(name),
                Slot::NameInText => encode_text(name),
            };
            (own, piece)
        })
    }

    /// How many bytes the page has, but for what is put into the holes.
    pub(crate) fn len(&self) -> usize {
        self.pieces().map(|piece| piece.text.len()).sum()
    }

    /// How many bytes it holds in memory.
    pub(crate) fn size(&self) -> usize {
        self.pieces().map(|piece| piece.text.len() + piece.deflated.len()).sum()
    }

    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        std::iter::once(&self.begin).chain(self.rest.iter().map(|(_, piece)| piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Read;

    /// A page as the view writes it, with the personal parts in every place where they can stand.
    fn render(personal: &VisitorValues, said: &str) -> String {
        let VisitorValues { nonce, form_id, tag, username } = personal;
        let name = username.as_ref().map_or("", Username::as_str);
        let props = serde_json::json!({"id": form_id, "tag": tag, "username": username, "said": said}).to_string();
        format!(
            "<script nonce=\"{nonce}\"></script><leptos-island data-props=\"{}\"><input value=\"{}\"><input value=\"{}\">\
             <b>{}</b><p>{}</p></leptos-island>",
            encode_double_quoted_attribute(&props),
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
        /// Whoever it is filled for, it is what would have been rendered for them, byte for byte.
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
