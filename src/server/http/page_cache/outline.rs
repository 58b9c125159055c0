//! Outline of a page: the text that all visitors share, with gaps of fixed lengths between it; and compressed pages with
//! the same gaps.
//!
//! The shared text of a page is compressed once, with its gaps uncompressed in between. Filling them is a copy. It does
//! not change how the rest is decoded, because no compressed text refers to a gap, and everything after a gap stays at
//! its distance from everything before it. As the visitor's values are not compressed, the length of the page does not
//! reveal them (BREACH).

use std::io::Write;

/// Text of a page with gaps for the values of one visitor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outline<'a> {
    pub(super) begin: &'a str,
    /// Each gap's length in bytes, and the shared text after it.
    pub(super) rest: Vec<(usize, &'a str)>,
}

impl Outline<'_> {
    /// Returns the length of the page, in bytes.
    pub(super) fn len(&self) -> usize {
        self.begin.len() + self.rest.iter().map(|(gap, text)| gap + text.len()).sum::<usize>()
    }
}

/// Compressed page with uncompressed gaps.
#[derive(Debug)]
pub(super) struct GappedPage {
    pub(super) bytes: Vec<u8>,
    /// Position of each gap in `bytes`, and its length.
    gaps: Vec<(usize, usize)>,
}

impl GappedPage {
    /// Returns an empty page with this capacity, in bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), gaps: Vec::new() }
    }

    /// Appends a gap.
    pub(super) fn push_gap(&mut self, len: usize) {
        self.gaps.push((self.bytes.len(), len));
        self.bytes.resize(self.bytes.len() + len, 0);
    }

    /// Returns the page with `own` in its gaps, or `None` if that has another length than all gaps together.
    pub(super) fn fill(&self, own: &[u8]) -> Option<Vec<u8>> {
        let mut page = self.bytes.clone();
        let mut rest = own;
        for &(position, len) in &self.gaps {
            let (part, after) = rest.split_at_checked(len)?;
            page[position..position + len].copy_from_slice(part);
            rest = after;
        }
        rest.is_empty().then_some(page)
    }

    /// Returns the lengths of the gaps, in bytes.
    pub(super) fn gap_lengths(&self) -> impl Iterator<Item = usize> {
        self.gaps.iter().map(|(_, len)| *len)
    }

    /// Returns the size in memory, in bytes.
    pub(super) fn size(&self) -> usize {
        self.bytes.capacity() + self.gaps.capacity() * size_of::<(usize, usize)>()
    }
}

/// Appends compressed text.
impl Write for GappedPage {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bytes.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Text like that of a page: words that recur, and arbitrary characters.
    fn text() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            "\\PC{0,40}",
            "[a-c ]{0,400}",
            Just("<li class=\"message\"><b dir=\"auto\">".to_owned()),
            Just("{\"seq\":1,\"username\":\"Zoë\",\"text\":\"\u{1f600}".to_owned()),
            "\\PC{8}".prop_map(|text| text.repeat(60)),
        ];
        proptest::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
    }

    /// The shared text at the beginning; then the contents of each gap, which a visitor may choose, and the text after
    /// it.
    pub(in super::super) fn pages() -> impl Strategy<Value = (String, Vec<(String, String)>)> {
        let gap = prop_oneof!["\\PC{1,60}", "[a-c ]{1,300}"];
        (text().prop_map(|text| format!("<!DOCTYPE html>{text}")), proptest::collection::vec((gap, text()), 0..6))
    }

    /// A page whose text recurs after each gap, and hardly anywhere else.
    pub(in super::super) fn recurring_text() -> (String, Vec<(String, String)>) {
        let words: Vec<String> = (0..1000_u32).map(|number| number.wrapping_mul(2_654_435_761).to_string()).collect();
        let text = words.join(" ");
        let own = |range: std::ops::Range<usize>| text[range].to_owned();
        let rest = vec![(own(0..200), text.clone()), (own(200..201), text.clone()), (own(201..249), String::new())];
        (text, rest)
    }

    /// Returns the outline of such a page, what belongs into its gaps, and the whole page.
    pub(in super::super) fn taken_apart<'a>(
        begin: &'a str,
        rest: &'a [(String, String)],
    ) -> (Outline<'a>, String, String) {
        let outline = Outline { begin, rest: rest.iter().map(|(own, text)| (own.len(), text.as_str())).collect() };
        let own = rest.iter().map(|(own, _)| own.as_str()).collect();
        let whole = rest.iter().fold(begin.to_owned(), |page, (own, text)| page + own + text);
        (outline, own, whole)
    }

    #[test]
    fn gaps_take_exactly_their_lengths() {
        let mut page = GappedPage::with_capacity(9);
        page.bytes.push(b'a');
        page.push_gap(2);
        page.bytes.push(b'b');
        page.push_gap(1);
        assert_eq!(page.fill(b"123").as_deref(), Some(&b"a12b3"[..]));
        assert_eq!((page.fill(b"12"), page.fill(b"1234")), (None, None));
    }
}
