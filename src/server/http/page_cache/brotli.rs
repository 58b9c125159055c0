//! Pages in brotli (RFC 7932) with gaps. Each gap is an uncompressed meta-block.
//!
//! One encoder compresses the whole page, so text refers to text before a gap. In the place of a gap it gets filler. Two
//! things in the text after a gap could depend on what is in it, and do not:
//!
//! - Copies from it. At least every other byte of the filler, the first and the last included, occurs in no text. Copies
//!   have at least two bytes, so no copy touches the filler.
//! - The state of the decoder: the last four distances, and the last two bytes, from which the context of a literal is
//!   derived. The encoder must itself have written the filler as uncompressed meta-blocks, which leave the distances
//!   alone (this is verified). The last of them includes two bytes of the text after the gap.

use super::outline::{GappedPage, Outline};
use brotli::CompressorWriter;
use brotli::enc::BrotliEncoderParams;
use std::io::Write;
use uuid::Uuid;

/// Quality from 0 to 11. Higher ones save less than a hundredth of the bytes, for more time.
const QUALITY: i32 = 5;

/// Exponents of the least and the largest window (RFC 7932, section 9.1). A small one saves the encoder's time.
const LGWIN: std::ops::RangeInclusive<u32> = 16..=22;

/// Length of the encoder's output buffer, in bytes.
const BUFFER_LEN: usize = 4096;

/// Bytes that occur in no UTF-8 text (RFC 3629, section 1).
const NEVER_IN_TEXT: [u8; 12] = [0xc0, 0xc1, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe];

/// Another such byte, which ends the filler.
const FILLER_END: u8 = 0xff;

/// Maximum length of a block of filler: one whose bytes all differ, because the encoder would compress others.
const MAX_FILLER_BLOCK: usize = 2 * NEVER_IN_TEXT.len();

/// Maximum length of a gap: that of a meta-block whose length has four digits (RFC 7932, section 9.2).
const MAX_GAP: usize = (1 << 16) - CONTEXT_LEN;

/// Number of bytes from which the context of the next literal is derived.
const CONTEXT_LEN: usize = 2;

/// Compresses a page. Returns `None` if a gap is too long, or if the encoder has compressed the filler in a gap.
pub(super) fn compress(outline: &Outline) -> Option<GappedPage> {
    let len = outline.len();
    let lgwin = len.next_power_of_two().ilog2().clamp(*LGWIN.start(), *LGWIN.end());
    let params =
        BrotliEncoderParams { quality: QUALITY, lgwin: lgwin.cast_signed(), size_hint: len, ..Default::default() };
    let mut encoder = CompressorWriter::with_params(GappedPage::with_capacity(len / 4), BUFFER_LEN, &params);
    encoder.write_all(outline.begin.as_bytes()).ok()?;
    for &(gap, text) in &outline.rest {
        let (context, text) = text.as_bytes().split_at(text.len().min(CONTEXT_LEN));
        encoder.flush().ok()?;
        let begin = encoder.get_ref().bytes.len();
        write_filler(&mut encoder, gap, context)?;
        let page = encoder.get_mut();
        page.bytes.truncate(begin);
        page.bytes.extend(uncompressed_header(gap + context.len()));
        page.push_gap(gap);
        page.bytes.extend(context);
        encoder.write_all(text).ok()?;
    }
    let mut page = encoder.into_inner();
    page.bytes.shrink_to_fit();
    Some(page)
}

/// Passes filler of `len` bytes to the encoder, and the first bytes of the text after it. Returns `None` if the encoder
/// compresses any of it.
fn write_filler(encoder: &mut CompressorWriter<GappedPage>, len: usize, context: &[u8]) -> Option<()> {
    let mut written = 0;
    while written < len {
        let mut block = filler(MAX_FILLER_BLOCK.min(len - written));
        written += block.len();
        if written == len {
            block.extend(context);
        }
        let begin = encoder.get_ref().bytes.len();
        encoder.write_all(&block).ok()?;
        encoder.flush().ok()?;
        let output = encoder.get_ref().bytes[begin..].strip_prefix(&uncompressed_header(block.len()))?;
        if output != block {
            return None;
        }
    }
    (len <= MAX_GAP).then_some(())
}

/// Returns filler that begins and ends with bytes that are in no text. Every other one is, too; those between them are
/// random.
fn filler(len: usize) -> Vec<u8> {
    let random = Uuid::new_v4().into_bytes();
    let mut filler: Vec<u8> = (0..len)
        .map(|index| match index % 2 {
            0 => NEVER_IN_TEXT[(index / 2 + usize::from(random[0])) % NEVER_IN_TEXT.len()],
            _ => random[1 + index / 2],
        })
        .collect();
    if let Some(last) = filler.last_mut() {
        *last = FILLER_END;
    }
    filler
}

/// Returns the header of an uncompressed meta-block (RFC 7932, section 9.2): not the last one, four digits of length,
/// uncompressed, and padded to a byte.
fn uncompressed_header(len: usize) -> [u8; 3] {
    let [first, second, third, ..] = ((len - 1) << 3 | 1 << 19).to_le_bytes();
    [first, second, third]
}

#[cfg(test)]
mod tests {
    use super::super::outline::tests::{pages, recurring_text, taken_apart};
    use super::*;
    use proptest::prelude::*;
    use std::io::Read;

    fn decoded(page: &[u8]) -> String {
        let mut text = String::new();
        brotli::Decompressor::new(page, BUFFER_LEN).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn text_refers_to_text_before_a_gap() {
        let (begin, rest) = recurring_text();
        let (outline, own, whole) = taken_apart(&begin, &rest);
        let alone = compress(&Outline { begin: &begin, rest: Vec::new() }).unwrap().size();
        let page = compress(&outline).unwrap();
        assert!(page.size() < alone + alone / 5, "{} of {alone}", page.size());
        assert_eq!(decoded(&page.fill(own.as_bytes()).unwrap()), whole);
    }

    #[test]
    fn a_gap_that_is_too_long_makes_no_page() {
        assert!(compress(&Outline { begin: "a", rest: vec![(MAX_GAP, "bc")] }).is_some());
        assert!(compress(&Outline { begin: "a", rest: vec![(MAX_GAP + 1, "bc")] }).is_none());
    }

    proptest! {
        #[test]
        fn a_filled_page_decodes_to_the_text((begin, rest) in pages()) {
            let (outline, own, whole) = taken_apart(&begin, &rest);
            let page = compress(&outline).expect("the filler cannot be compressed");
            prop_assert_eq!(decoded(&page.fill(own.as_bytes()).unwrap()), whole);
        }

        /// The text of a page may contain anything, also what looks like filler in another encoding.
        #[test]
        fn filler_shares_no_two_bytes_with_text(len in 1..=MAX_FILLER_BLOCK) {
            let filler = filler(len);
            for two in [&[0][..], &filler, &[0]].concat().windows(2) {
                prop_assert!(std::str::from_utf8(two).is_err() && two.iter().any(|byte| NEVER_IN_TEXT.contains(byte) || *byte == FILLER_END));
            }
        }
    }
}
