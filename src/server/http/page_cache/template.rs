//! Template of a room's page: everything except the values of one visitor. It is rendered for a placeholder visitor
//! whose name, tag and ids begin with a random token. At each occurrence of the token, the visitor's own value is
//! filled in, escaped as the placeholder was.

use super::brotli;
use super::gzip::GzipPage;
use super::outline::{GappedPage, Outline};
use super::slot::{PlaceholderToken, Slot, SlotValues, VisitorValues};
use crate::server::http::content_encoding::ContentEncoding;
use std::sync::{Mutex, OnceLock};

/// Length below which the text between two slots belongs to the gap around both, in bytes. A block of its own would be
/// as long as the text.
const MIN_SHARED_TEXT: usize = 80;

/// A page with slots.
#[derive(Debug)]
pub(crate) struct Template {
    begin: String,
    /// Each slot, and the text after it.
    rest: Vec<(Slot, String)>,
    /// The page in brotli, once it has been asked for; `None` if it has no gaps of fixed lengths.
    brotli: OnceLock<Option<GappedPage>>,
    /// The page in gzip, likewise.
    gzip: OnceLock<Option<GzipPage>>,
    /// Held while the page is being compressed.
    compressing: Mutex<()>,
}

impl Template {
    /// Splits the page at its slots. Returns `None` if the token appears anywhere else.
    pub(crate) fn parse(html: &str, token: &PlaceholderToken) -> Option<Self> {
        let mut parts = html.split(token.as_str());
        let begin = parts.next()?.to_owned();
        let rest = parts.map(|part| Slot::parse(part).map(|(slot, text)| (slot, text.to_owned())));
        let rest = rest.collect::<Option<_>>()?;
        Some(Self { begin, rest, brotli: OnceLock::new(), gzip: OnceLock::new(), compressing: Mutex::new(()) })
    }

    /// Returns the page of one visitor.
    pub(crate) fn render(&self, visitor: &VisitorValues) -> String {
        let values = SlotValues::new(visitor);
        let mut page = String::with_capacity(self.len() + 1024);
        page.push_str(&self.begin);
        for (slot, text) in &self.rest {
            page.push_str(values.get(*slot));
            page.push_str(text);
        }
        page
    }

    /// Compresses the page, unless that has been done, or is being done: waiting would block a thread. This takes about
    /// a millisecond for 70 kB.
    pub(crate) fn compress(&self, encoding: ContentEncoding) {
        let Ok(_compressing) = self.compressing.try_lock() else { return };
        match encoding {
            ContentEncoding::Brotli => _ = self.brotli.get_or_init(|| brotli::compress(&self.outline()?)),
            ContentEncoding::Gzip => _ = self.gzip.get_or_init(|| GzipPage::compress(&self.outline()?)),
        }
    }

    /// Returns whether the page has been compressed.
    pub(crate) fn is_compressed(&self, encoding: ContentEncoding) -> bool {
        match encoding {
            ContentEncoding::Brotli => self.brotli.get().is_some(),
            ContentEncoding::Gzip => self.gzip.get().is_some(),
        }
    }

    /// Returns the page of one visitor, compressed: encoded, it is what [`render`](Self::render) returns. Returns `None`
    /// if the page has not been compressed, or if a value has an unusual length.
    pub(crate) fn fill(&self, encoding: ContentEncoding, visitor: &VisitorValues) -> Option<Vec<u8>> {
        match encoding {
            ContentEncoding::Brotli => self.brotli.get()?.as_ref()?.fill(&self.own(visitor)?),
            ContentEncoding::Gzip => self.gzip.get()?.as_ref()?.fill(&self.own(visitor)?),
        }
    }

    /// Returns the outline of the page, or `None` if a slot has values of several lengths.
    fn outline(&self) -> Option<Outline<'_>> {
        let mut rest: Vec<(usize, &str)> = Vec::new();
        let mut gap = 0;
        for (index, (slot, text)) in self.rest.iter().enumerate() {
            gap += slot.width()?;
            if self.is_in_gap(index) {
                gap += text.len();
            } else {
                rest.push((std::mem::take(&mut gap), text));
            }
        }
        Some(Outline { begin: &self.begin, rest })
    }

    /// Returns the contents of the outline's gaps for one visitor, or `None` if some do not have the gap's length.
    fn own(&self, visitor: &VisitorValues) -> Option<Vec<u8>> {
        let values = SlotValues::new(visitor);
        let (mut own, mut expected) = (Vec::with_capacity(1024), 0);
        for (index, (slot, text)) in self.rest.iter().enumerate() {
            own.extend(values.get(*slot).as_bytes());
            expected += slot.width()?;
            if self.is_in_gap(index) {
                own.extend(text.as_bytes());
                expected += text.len();
            } else if own.len() != expected {
                return None;
            }
        }
        Some(own)
    }

    /// Returns whether the text after this slot belongs to the gap, because another slot follows soon.
    fn is_in_gap(&self, index: usize) -> bool {
        index + 1 < self.rest.len() && self.rest[index].1.len() < MIN_SHARED_TEXT
    }

    /// Returns the length of the page without the visitor's values, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.begin.len() + self.rest.iter().map(|(_, text)| text.len()).sum::<usize>()
    }

    /// Returns the size in memory, in bytes. It grows when the page is compressed.
    pub(crate) fn size(&self) -> usize {
        let brotli = self.brotli.get().and_then(Option::as_ref).map_or(0, GappedPage::size);
        let gzip = self.gzip.get().and_then(Option::as_ref).map_or(0, GzipPage::size);
        self.len() + brotli + gzip
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
    use crate::domain::{AuthorTag, EventId, Username};
    use html_escape::{encode_double_quoted_attribute, encode_text};
    use proptest::prelude::*;
    use std::io::Read;

    /// Renders a page like the view does, with the visitor's values in every place where they can appear.
    fn render(visitor: &VisitorValues, said: &str, is_named_in_text: bool) -> String {
        let VisitorValues { nonce, form_id, tag, username } = visitor;
        let name = username.as_ref().map_or("", Username::as_str);
        let json = |value: &str| serde_json::Value::from(value).to_string();
        let username = username.as_ref().map_or("null".into(), |username| json(username.as_str()));
        let (id, tag, text) = (json(form_id.as_str()), json(tag.as_str()), json(said));
        let data = format!("{{\"username\":{username},\"tag\":{tag},\"form_id\":{id},\"said\":{text}}}");
        format!(
            "<script nonce=\"{nonce}\">{}</script><leptos-island><input value=\"{}\"><input value=\"{}\">\
             <b>{}</b><p>{}</p></leptos-island><script nonce=\"{nonce}\"></script>",
            data.replace('<', "\\u003c"),
            form_id.as_str(),
            encode_double_quoted_attribute(name),
            if is_named_in_text { encode_text(name) } else { "".into() },
            encode_text(said).repeat(5),
        )
    }

    fn visitor(name: Option<String>) -> VisitorValues {
        VisitorValues {
            nonce: "n-_0".repeat(6)[2..].to_owned(),
            form_id: EventId::from_trusted("f0".repeat(16)),
            tag: AuthorTag::new([0x7f, 0x3a]),
            username: name.map(Username::from_trusted),
        }
    }

    fn template(said: &str, own: Option<AuthorTag>, named: bool, is_named_in_text: bool) -> Template {
        let token = PlaceholderToken::new();
        let html = render(&token.placeholder_values(own, named), said, is_named_in_text);
        Template::parse(&html, &token).unwrap()
    }

    fn decoded(encoding: ContentEncoding, page: &[u8]) -> String {
        let mut text = String::new();
        match encoding {
            ContentEncoding::Brotli => ::brotli::Decompressor::new(page, 4096).read_to_string(&mut text).unwrap(),
            ContentEncoding::Gzip => flate2::read::GzDecoder::new(page).read_to_string(&mut text).unwrap(),
        };
        text
    }

    #[test]
    fn a_token_in_another_form_makes_no_template() {
        let token = PlaceholderToken::new();
        assert!(Template::parse("<p>nothing</p>", &token).is_some());
        assert!(Template::parse(&format!("<p>{}x</p>", token.as_str()), &token).is_none());
        assert!(Template::parse(&format!("<p>{}u%22</p>", token.as_str()), &token).is_none());
    }

    #[test]
    fn a_page_that_cannot_be_compressed_in_advance_is_not_filled() {
        for encoding in ContentEncoding::ALL {
            let with_text = template("hello", None, true, true);
            with_text.compress(encoding);
            assert_eq!(with_text.fill(encoding, &visitor(Some("Ann".into()))), None, "names in text have no limit");
            let template = template("hello", None, true, false);
            assert_eq!(template.fill(encoding, &visitor(Some("Ann".into()))), None, "it is not compressed yet");
            let plain = template.size();
            template.compress(encoding);
            assert!(template.is_compressed(encoding) && template.size() > plain + 100);
            assert!(template.fill(encoding, &visitor(Some("Ann".into()))).is_some());
            assert_eq!(template.fill(encoding, &visitor(Some("\"".repeat(32)))), None, "the name is too long");
        }
    }

    proptest! {
        /// A filled page equals the page rendered for that visitor, except for the spaces after a name. Compressed, it
        /// is the same page.
        #[test]
        fn a_filled_page_is_the_page_that_would_have_been_rendered(
            name in proptest::option::of("[\"'<>&\\\\/a-z{}]{1,9}|\\PC{1,9}|[\\PC\"&]{10,32}"),
            said in "\\PC{0,20}|[a-d\\PC]{20,90}",
            own in any::<bool>(),
            is_named_in_text in any::<bool>(),
        ) {
            let visitor = visitor(name);
            let own = own.then(|| visitor.tag.clone());
            let template = template(&said, own, visitor.username.is_some(), is_named_in_text);
            let filled = template.render(&visitor);
            prop_assert_eq!(filled.replace(' ', ""), render(&visitor, &said, is_named_in_text).replace(' ', ""));
            for encoding in ContentEncoding::ALL {
                template.compress(encoding);
                match template.fill(encoding, &visitor) {
                    Some(page) => prop_assert_eq!(&decoded(encoding, &page), &filled),
                    None => prop_assert!(visitor.username.as_ref().is_some_and(|name| is_named_in_text || name.as_str().len() > 7)),
                }
            }
        }
    }
}
