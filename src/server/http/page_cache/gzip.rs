//! Pages in gzip with gaps. Each gap is a stored block of deflate (RFC 1951, section 3.2.4).
//!
//! One encoder compresses the whole page, so text refers to text before a gap. In the place of a gap it gets bytes that
//! occur in no text, so no text refers to a gap; and deflate has no other state. The checksum of a page (RFC 1952) is
//! combined from those of its parts.

use super::outline::{GappedPage, Outline};
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use std::io::Write;

/// Header without a name, a time or a system (RFC 1952, section 2.3).
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Length of the checksum at the end, and of the checksum with the text's length after it.
const CHECKSUM_LEN: usize = 4;
const TRAILER_LEN: usize = 2 * CHECKSUM_LEN;

/// Byte that occurs in no UTF-8 text (RFC 3629, section 1).
const FILLER: u8 = 0xff;

/// Page in gzip, except for its gaps and its checksum.
#[derive(Debug)]
pub(super) struct GzipPage {
    page: GappedPage,
    /// Checksums of the text before the first gap, and after each.
    checksums: Vec<Crc>,
}

impl GzipPage {
    /// Compresses a page. Returns `None` if a gap is longer than a stored block can be (65,535 bytes).
    pub(super) fn compress(outline: &Outline) -> Option<Self> {
        let mut page = GappedPage::with_capacity(outline.len() / 4);
        page.bytes.extend(GZIP_HEADER);
        let mut encoder = DeflateEncoder::new(page, Compression::default());
        let mut checksums = vec![checksum(outline.begin)];
        encoder.write_all(outline.begin.as_bytes()).ok()?;
        for &(gap, text) in &outline.rest {
            let len = u16::try_from(gap).ok()?;
            encoder.flush().ok()?;
            let begin = encoder.get_ref().bytes.len();
            encoder.write_all(&vec![FILLER; gap]).ok()?;
            encoder.flush().ok()?;
            let page = encoder.get_mut();
            page.bytes.truncate(begin);
            page.bytes.push(0);
            page.bytes.extend(len.to_le_bytes());
            page.bytes.extend((!len).to_le_bytes());
            page.push_gap(gap);
            encoder.write_all(text.as_bytes()).ok()?;
            checksums.push(checksum(text));
        }
        let mut page = encoder.finish().ok()?;
        page.bytes.extend([0; CHECKSUM_LEN]);
        // The format counts modulo 2^32.
        page.bytes.extend((outline.len() as u32).to_le_bytes());
        page.bytes.shrink_to_fit();
        Some(Self { page, checksums })
    }

    /// Returns the page with `own` in its gaps, or `None` if that has another length than all gaps together.
    pub(super) fn fill(&self, own: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = self.page.fill(own)?;
        let (mut whole, mut rest) = (Crc::new(), own);
        let gaps = std::iter::once(0).chain(self.page.gap_lengths());
        for (gap, text) in gaps.zip(&self.checksums) {
            let (part, after) = rest.split_at_checked(gap)?;
            whole.update(part);
            whole.combine(text);
            rest = after;
        }
        let trailer = bytes.len() - TRAILER_LEN;
        bytes[trailer..trailer + CHECKSUM_LEN].copy_from_slice(&whole.sum().to_le_bytes());
        Some(bytes)
    }

    /// Returns the size in memory, in bytes.
    pub(super) fn size(&self) -> usize {
        self.page.size() + self.checksums.len() * size_of::<Crc>()
    }
}

fn checksum(text: &str) -> Crc {
    let mut checksum = Crc::new();
    checksum.update(text.as_bytes());
    checksum
}

#[cfg(test)]
mod tests {
    use super::super::outline::tests::{pages, recurring_text, taken_apart};
    use super::*;
    use flate2::read::GzDecoder;
    use proptest::prelude::*;
    use std::io::Read;

    fn decoded(page: &[u8]) -> String {
        let mut text = String::new();
        GzDecoder::new(page).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn text_refers_to_text_before_a_gap() {
        let (begin, rest) = recurring_text();
        let (outline, own, whole) = taken_apart(&begin, &rest);
        let alone = GzipPage::compress(&Outline { begin: &begin, rest: Vec::new() }).unwrap().size();
        let page = GzipPage::compress(&outline).unwrap();
        assert!(page.size() < alone + alone / 5, "{} of {alone}", page.size());
        assert_eq!(decoded(&page.fill(own.as_bytes()).unwrap()), whole);
    }

    #[test]
    fn a_gap_that_is_too_long_makes_no_page() {
        assert!(GzipPage::compress(&Outline { begin: "a", rest: vec![(65_535, "b")] }).is_some());
        assert!(GzipPage::compress(&Outline { begin: "a", rest: vec![(65_536, "b")] }).is_none());
    }

    proptest! {
        #[test]
        fn a_filled_page_decodes_to_the_text((begin, rest) in pages()) {
            let (outline, own, whole) = taken_apart(&begin, &rest);
            let page = GzipPage::compress(&outline).expect("the gaps are short");
            prop_assert_eq!(decoded(&page.fill(own.as_bytes()).unwrap()), whole);
        }
    }
}
