//! Gzip of a page from pieces that were compressed before: a request costs a copy, not a compression.
//!
//! Each shared piece is compressed once, into deflate blocks that refer to nothing outside of it and end on a byte
//! boundary (a sync flush). Pieces can therefore be concatenated, with the visitor's own text between them in stored
//! blocks (RFC 1951, section 3.2.4). The checksum of the page is combined from those of the pieces (RFC 1952).

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use std::io::Write;

/// Maximum length of a stored block.
const MAX_STORED_BLOCK: usize = u16::MAX as usize;

/// Maximum length of text for which a block with its own code is not worthwhile.
const MAX_FIXED_CODE_TEXT: usize = 64;

/// Header without a name, a time or a system (RFC 1952, section 2.3).
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The last block: empty, with the fixed code.
const LAST_BLOCK: [u8; 2] = [3, 0];

/// A piece of a page as deflate blocks.
#[derive(Debug)]
pub(super) struct Deflated {
    blocks: Vec<u8>,
    crc: Crc,
}

impl Deflated {
    pub(super) fn new(text: &str) -> Self {
        let mut crc = Crc::new();
        crc.update(text.as_bytes());
        let blocks = if text.len() <= MAX_FIXED_CODE_TEXT { stored(text) } else { deflated(text) };
        Self { blocks, crc }
    }

    /// Returns the size in memory, in bytes.
    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }
}

fn deflated(text: &str) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(text.len() / 4), Compression::default());
    let flushed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.flush());
    flushed.map_or_else(|_| stored(text), |()| encoder.get_ref().clone())
}

/// Returns the text uncompressed, in stored blocks.
fn stored(text: &str) -> Vec<u8> {
    let mut blocks = Vec::with_capacity(text.len() + 5);
    for part in text.as_bytes().chunks(MAX_STORED_BLOCK) {
        let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
        blocks.push(0);
        blocks.extend(length.to_le_bytes());
        blocks.extend((!length).to_le_bytes());
        blocks.extend(part);
    }
    blocks
}

/// A gzip member under construction.
pub(super) struct Gzip {
    bytes: Vec<u8>,
    crc: Crc,
}

impl Gzip {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        let mut member = Vec::with_capacity(bytes);
        member.extend(GZIP_HEADER);
        Self { bytes: member, crc: Crc::new() }
    }

    /// Appends a piece.
    pub(super) fn push(&mut self, piece: &Deflated) {
        self.bytes.extend(&piece.blocks);
        self.crc.combine(&piece.crc);
    }

    /// Appends text that belongs to one visitor.
    pub(super) fn push_text(&mut self, text: &str) {
        self.bytes.extend(stored(text));
        self.crc.update(text.as_bytes());
    }

    /// Returns the complete member.
    pub(super) fn end(mut self) -> Vec<u8> {
        self.bytes.extend(LAST_BLOCK);
        self.bytes.extend(self.crc.sum().to_le_bytes());
        self.bytes.extend(self.crc.amount().to_le_bytes());
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use proptest::prelude::*;
    use std::io::Read;

    fn read(member: &[u8]) -> String {
        let mut text = String::new();
        GzDecoder::new(member).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_long_piece_is_smaller_and_a_long_name_fits() {
        let long = "a message of many ".repeat(10_000);
        let piece = Deflated::new(&long);
        assert!(piece.len() < long.len() / 20, "{}", piece.len());
        let mut gzip = Gzip::with_capacity(0);
        gzip.push(&piece);
        gzip.push_text(&long);
        gzip.push(&piece);
        assert_eq!(read(&gzip.end()), long.repeat(3));
        assert_eq!(read(&Gzip::with_capacity(0).end()), "");
    }

    proptest! {
        #[test]
        fn pieces_put_together_read_as_the_whole(texts in proptest::collection::vec(("\\PC{0,200}", any::<bool>()), 0..9)) {
            let mut gzip = Gzip::with_capacity(64);
            for (text, own) in &texts {
                if *own { gzip.push_text(text) } else { gzip.push(&Deflated::new(text)) }
            }
            let whole: String = texts.iter().map(|(text, _)| text.as_str()).collect();
            prop_assert_eq!(read(&gzip.end()), whole);
        }
    }
}
