//! Characters that end a URL in running text: the punctuation, brackets, quotation marks, spaces and invisible
//! characters of every script. The browser offers no table of Unicode categories, and server and browser must agree.

/// Number of ranges.
const RANGES: usize = 117;

/// First and last characters of the ranges, beyond ASCII and within the first plane. A range may also contain
/// unassigned characters and mathematical symbols. Marks within words are excluded ([`is_inner_mark`]).
const END_RANGES: [(u16, u16); RANGES] = [
    (0x7f, 0xa1),
    (0xa7, 0xa7),
    (0xab, 0xad),
    (0xb6, 0xb6),
    (0xbb, 0xbb),
    (0xbf, 0xbf),
    (0x34f, 0x34f),
    (0x37e, 0x37e),
    (0x55a, 0x55f),
    (0x589, 0x58a),
    (0x5c0, 0x5c0),
    (0x5c3, 0x5c3),
    (0x5c6, 0x5c6),
    (0x600, 0x60d),
    (0x61b, 0x61f),
    (0x66a, 0x66d),
    (0x6d4, 0x6d4),
    (0x6dd, 0x6dd),
    (0x700, 0x70f),
    (0x7f7, 0x7f9),
    (0x830, 0x83e),
    (0x85e, 0x85e),
    (0x890, 0x891),
    (0x8e2, 0x8e2),
    (0x964, 0x965),
    (0x970, 0x970),
    (0x9fd, 0x9fd),
    (0xa76, 0xa76),
    (0xaf0, 0xaf0),
    (0xc77, 0xc77),
    (0xc84, 0xc84),
    (0xdf4, 0xdf4),
    (0xe4f, 0xe4f),
    (0xe5a, 0xe5b),
    (0xf04, 0xf0a),
    (0xf0d, 0xf12),
    (0xf14, 0xf14),
    (0xf3a, 0xf3d),
    (0xf85, 0xf85),
    (0xfd0, 0xfd4),
    (0xfd9, 0xfda),
    (0x104a, 0x104f),
    (0x10fb, 0x10fb),
    (0x115f, 0x1160),
    (0x1360, 0x1368),
    (0x1400, 0x1400),
    (0x166e, 0x166e),
    (0x1680, 0x1680),
    (0x169b, 0x169c),
    (0x16eb, 0x16ed),
    (0x1735, 0x1736),
    (0x17b4, 0x17b5),
    (0x17d4, 0x17d6),
    (0x17d8, 0x17da),
    (0x1800, 0x180f),
    (0x1944, 0x1945),
    (0x1a1e, 0x1a1f),
    (0x1aa0, 0x1aa6),
    (0x1aa8, 0x1aad),
    (0x1b5a, 0x1b60),
    (0x1b7d, 0x1b7e),
    (0x1bfc, 0x1bff),
    (0x1c3b, 0x1c3f),
    (0x1c7e, 0x1c7f),
    (0x1cc0, 0x1cc7),
    (0x1cd3, 0x1cd3),
    (0x2000, 0x200b),
    (0x200e, 0x200f),
    (0x2012, 0x2012),
    (0x2014, 0x2018),
    (0x201a, 0x206f),
    (0x207d, 0x207e),
    (0x208d, 0x208e),
    (0x2308, 0x230b),
    (0x2329, 0x232a),
    (0x2768, 0x2775),
    (0x27c5, 0x2800),
    (0x2983, 0x29fd),
    (0x2cf9, 0x2cfc),
    (0x2cfe, 0x2cff),
    (0x2d70, 0x2d70),
    (0x2e00, 0x2e2e),
    (0x2e30, 0x2e4f),
    (0x2e52, 0x2e5d),
    (0x3000, 0x3003),
    (0x3008, 0x3011),
    (0x3014, 0x301f),
    (0x3030, 0x3030),
    (0x303d, 0x303d),
    (0x30a0, 0x30a0),
    (0x3164, 0x3164),
    (0xa4fe, 0xa4ff),
    (0xa60d, 0xa60f),
    (0xa673, 0xa673),
    (0xa67e, 0xa67e),
    (0xa6f2, 0xa6f7),
    (0xa874, 0xa877),
    (0xa8ce, 0xa8cf),
    (0xa8f8, 0xa8fa),
    (0xa8fc, 0xa8fc),
    (0xa92e, 0xa92f),
    (0xa95f, 0xa95f),
    (0xa9c1, 0xa9cd),
    (0xa9de, 0xa9df),
    (0xaa5c, 0xaa5f),
    (0xaade, 0xaadf),
    (0xaaf0, 0xaaf1),
    (0xabeb, 0xabeb),
    (0xfd3e, 0xfd3f),
    (0xfe10, 0xfe19),
    (0xfe30, 0xfe6b),
    (0xfeff, 0xff0f),
    (0xff1a, 0xff20),
    (0xff3b, 0xff3f),
    (0xff5b, 0xff65),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffb),
];

/// Distances between the ends of the ranges: they compress to half the size.
static STEPS: [u16; 2 * RANGES] = {
    let mut steps = [0; 2 * RANGES];
    let (mut at, mut end) = (0, 0);
    while at < RANGES {
        let (first, last) = END_RANGES[at];
        steps[2 * at] = first - end;
        steps[2 * at + 1] = last + 1 - first;
        end = last + 1;
        at += 1;
    }
    steps
};

/// Returns whether a URL ends before this character, regardless of the text after it.
pub(super) fn is_end(c: char) -> bool {
    // Beyond the first plane: the scripts that are still written (Chakma, Newa, Mro, Pahawh Hmong, Adlam).
    if matches!(
        c,
        '\0'..=' ' | '<' | '>' | '"' | '`' | '\u{11140}'..='\u{11143}' | '\u{1144b}'..='\u{1144f}'
            | '\u{16a6e}'..='\u{16a6f}' | '\u{16b37}'..='\u{16b3b}' | '\u{1e95e}'..='\u{1e95f}' | '\u{e0000}'..
    ) {
        return true;
    }
    let mut boundary = 0;
    let passed = STEPS.iter().take_while(|step| {
        boundary += u32::from(**step);
        boundary <= u32::from(c)
    });
    passed.count() % 2 == 1
}

/// Returns whether a URL may contain this character but not end with it: ASCII punctuation, marks within words, and
/// invisible characters that the surrounding letters need.
pub(super) fn is_inner_mark(c: char) -> bool {
    matches!(
        c,
        '.' | ','
            | ':'
            | ';'
            | '!'
            | '?'
            | '\''
            | '*'
            | '|'
            | '\u{b4}'
            | '\u{b7}'
            | '\u{387}'
            | '\u{5be}'
            | '\u{5f3}'
            | '\u{5f4}'
            | '\u{f0b}'
            | '\u{f0c}'
            | '\u{200c}'
            | '\u{200d}'
            | '\u{2010}'
            | '\u{2011}'
            | '\u{2013}'
            | '\u{2019}'
            | '\u{30fb}'
            | '\u{fe00}'..='\u{fe0f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

    #[test]
    fn punctuation_spaces_and_format_characters_are_ends_or_inner_marks() {
        use GeneralCategoryGroup::{Letter, Mark, Number, Other, Punctuation, Separator};
        // Later versions of Unicode add a few of scripts that are no longer written.
        let mut unknown = 0;
        for c in '\u{80}'..='\u{ffff}' {
            let known = is_end(c) || is_inner_mark(c);
            match c.general_category_group() {
                Punctuation | Separator => unknown += usize::from(!known),
                Other if c.general_category() == GeneralCategory::Format => assert!(known, "{c:?}"),
                Letter | Mark | Number if is_drawn(c) => {
                    assert!(!is_end(c), "{c:?}");
                }
                _ => {}
            }
        }
        assert!(unknown < 20, "{unknown}");
    }

    /// Returns whether a letter or mark is drawn; some are fillers without a glyph.
    fn is_drawn(c: char) -> bool {
        !matches!(
            c,
            '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'
                ..='\u{180f}' | '\u{3164}' | '\u{ffa0}'
        )
    }
}
