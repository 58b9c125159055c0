//! Characters of names and messages: invisible ones, and those that are only allowed in context. Names that differ only
//! in an invisible character look the same.

use icu_properties::CodePointMapData;
use icu_properties::props::JoiningType;
use std::borrow::Cow;
use unicode_normalization::char::canonical_combining_class;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Canonical combining class of a virama, which joins consonants.
const VIRAMA: u8 = 9;

/// Returns whether a character selects the presentation of the character before it: as text, or as emoji.
pub(super) fn is_presentation_selector(c: char) -> bool {
    matches!(c, '\u{fe0e}' | '\u{fe0f}')
}

/// Returns whether a character is an invisible joiner, which joins its neighbors or keeps them apart.
pub(super) fn is_joiner(c: char) -> bool {
    matches!(c, ZERO_WIDTH_NON_JOINER | ZERO_WIDTH_JOINER)
}

/// Returns whether a character is invisible: Unicode lists it as `Default_Ignorable_Code_Point`, or its glyph is empty.
pub(super) fn is_default_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{303f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffc}' | '\u{1107f}'
        | '\u{13430}'..='\u{13442}' | '\u{16fe4}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Returns whether a text shows anything: a character that is neither white space nor a control character, and not
/// invisible.
pub(super) fn is_visible(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace() && !c.is_control() && !is_default_ignorable(c))
}

/// Returns whether a name has a character that is visible by itself. A combining mark is not: it modifies the character
/// before it.
pub(super) fn has_base_character(name: &str) -> bool {
    name.chars()
        .any(|c| c != ' ' && !is_default_ignorable(c) && c.general_category_group() != GeneralCategoryGroup::Mark)
}

/// Returns whether the joiner at the beginning of `rest` changes how its neighbors are drawn, so that readers see it
/// (RFC 5892, appendix A.1 and A.2): after a virama, and, if it keeps letters apart, between two letters that would
/// otherwise be joined.
fn is_joiner_in_context(before: &str, rest: &str) -> bool {
    if before.chars().next_back().is_some_and(|c| canonical_combining_class(c) == VIRAMA) {
        return true;
    }
    let joining_types = CodePointMapData::<JoiningType>::new();
    let mut letters = rest.chars();
    let is_transparent = |c: &char| joining_types.get(*c) == JoiningType::Transparent;
    // The list of Unicode counts the joiners themselves among the transparent characters; RFC 5892 does not skip them.
    let joins = |letter: Option<char>, to_neighbor: JoiningType| {
        letter.filter(|letter| !is_joiner(*letter)).is_some_and(|letter| {
            let joining_type = joining_types.get(letter);
            joining_type == JoiningType::DualJoining || joining_type == to_neighbor
        })
    };
    letters.next() == Some(ZERO_WIDTH_NON_JOINER)
        && joins(before.chars().rev().find(|c| is_joiner(*c) || !is_transparent(c)), JoiningType::LeftJoining)
        && joins(letters.find(|c| is_joiner(*c) || !is_transparent(c)), JoiningType::RightJoining)
}

/// Returns whether `cluster` is an emoji sequence of Unicode's list
/// (<https://www.unicode.org/Public/emoji/latest/emoji-test.txt>). A single ASCII character is none.
fn is_emoji(cluster: &str) -> bool {
    cluster.len() > 1 && emojis::get(cluster).is_some()
}

/// Returns whether the punctuation mark at the beginning of `rest` is part of a word: of Catalan, Greek, Hebrew and
/// Japanese as in RFC 5892 (appendix A.3 to A.7), and the mark between the syllables of Tibetan.
fn is_mark_of_word(before: &str, rest: &str) -> bool {
    let mut letters = rest.chars();
    let (mark, next) = (letters.next(), letters.next());
    let previous = before.chars().next_back();
    match mark {
        Some('\u{b7}') => previous == Some('l') && next == Some('l'),
        Some('\u{375}') => next.is_some_and(|c| matches!(c, '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}')),
        Some('\u{5f3}' | '\u{5f4}') => previous.is_some_and(|c| matches!(c, '\u{591}'..='\u{5ea}')),
        Some('\u{30fb}') => previous.is_some_and(
            |c| matches!(c, '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30fe}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'),
        ),
        Some('\u{f0b}') => previous.is_some_and(|c| matches!(c, '\u{f40}'..='\u{fbc}')),
        _ => false,
    }
}

/// Returns `name` without the presentation selectors in its emoji: they only select how an emoji is drawn.
pub(super) fn without_presentation(name: &str) -> Cow<'_, str> {
    if !name.contains(is_presentation_selector) {
        return name.into();
    }
    let clusters = name.graphemes(true).map(|cluster| {
        let plain: String = cluster.chars().filter(|c| !is_presentation_selector(*c)).collect();
        if is_emoji(&plain) { plain } else { cluster.to_owned() }
    });
    clusters.collect::<String>().into()
}

/// Returns the first character that is not allowed in a name: neither by `is_allowed`, nor in an emoji sequence, nor as
/// a joiner or a mark in its context.
pub(super) fn find_stray(name: &str, is_allowed: impl Fn(char) -> bool) -> Option<char> {
    let in_clusters = name.grapheme_indices(true).filter(|(_, cluster)| !is_emoji(cluster));
    let mut characters =
        in_clusters.flat_map(|(at, cluster)| cluster.char_indices().map(move |(inner, c)| (at + inner, c)));
    let is_stray = |&(at, c): &(usize, char)| {
        let (before, rest) = name.split_at(at);
        !(is_allowed(c) || is_joiner(c) && is_joiner_in_context(before, rest) || is_mark_of_word(before, rest))
    };
    characters.find(is_stray).map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_joiner_is_allowed_where_it_shows() {
        let stray = |name| find_stray(name, |c| !is_joiner(c));
        for name in [
            "علی\u{200c}رضا",
            "می\u{200c}خواهم",
            "خانه\u{200c}ها",
            "بَ\u{200c}ِب",
            "क्\u{200d}ष",
            "क्\u{200c}ष",
            "ශ්\u{200d}රී",
            "ന്\u{200d}",
            "র্\u{200c}য",
        ] {
            assert_eq!(stray(name), None, "{name:?}");
        }
        for name in [
            "a\u{200d}b",
            "a\u{200c}b",
            "د\u{200c}ر",
            "ب\u{200d}ب",
            "ب\u{200c}",
            "\u{200c}ب",
            "ب\u{200c}\u{200c}ب",
            "अ\u{200d}ब",
        ] {
            assert!(stray(name).is_some_and(is_joiner), "{name:?}");
        }
    }

    #[test]
    fn emoji_are_those_of_the_list() {
        let stray = |name: &str| find_stray(&format!("a{name}b"), char::is_alphanumeric);
        for name in [
            "👩\u{200d}🚀",
            "👨\u{200d}👩\u{200d}👧",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "🇩🇪",
            "❤\u{200d}🔥",
            "👍🏽",
            "1\u{20e3}",
            "#\u{fe0f}\u{20e3}",
        ] {
            assert_eq!(stray(name), None, "{name:?}");
        }
        for name in ["👩\u{200d}🦄", "👩\u{200d}", "🏴\u{e0067}\u{e007f}", "#", "x\u{20e3}"] {
            assert!(stray(name).is_some(), "{name:?}");
        }
        assert_eq!(without_presentation("❤\u{fe0f}\u{200d}🔥a\u{fe0f}"), "❤\u{200d}🔥a\u{fe0f}");
    }

    #[test]
    fn a_mark_within_a_word_is_allowed_beside_letters_of_its_script() {
        let stray = |name| find_stray(name, char::is_alphanumeric);
        for name in ["paral·lel", "͵αφ", "צה״ל", "ג׳ורג׳", "ジョン・スミス", "田中・太郎", "བོད་ཡིག"]
        {
            assert_eq!(stray(name), None, "{name:?}");
        }
        for name in ["a·b", "l·", "͵a", "a״b", "״א", "a・b", "・", "a་b"] {
            assert!(stray(name).is_some(), "{name:?}");
        }
    }

    #[test]
    fn a_text_without_anything_to_see_is_not_visible() {
        for text in [
            "\u{200b}",
            "\u{2800}",
            "\u{3164}",
            " \u{feff}\n",
            "\u{1}",
            "\u{ad}\u{200d}",
            "\u{e0041}",
            "\u{fe0f}",
            "\u{2067}",
        ] {
            assert!(!is_visible(text), "{text:?}");
        }
        for text in ["a\u{200b}", "\u{301}", ".", "😀", "\u{600}", "\u{e000}"] {
            assert!(is_visible(text), "{text:?}");
        }
    }
}
