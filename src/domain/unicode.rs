//! Invisible characters. Names that differ only by one of them look the same.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Returns whether a character is invisible: Unicode lists it as `Default_Ignorable_Code_Point`, or its glyph is empty.
pub(super) fn is_default_ignorable(c: char) -> bool {
    matches!(c,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}'
        | '\u{303f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fffc}' | '\u{1107f}' | '\u{13441}'
        | '\u{13442}' | '\u{16fe4}' | '\u{1d159}' | '\u{e0100}'..='\u{e01ef}')
}

/// Returns whether a name has a character that is visible by itself. A combining mark is not: it modifies the character
/// before it.
pub(super) fn has_base_character(name: &str) -> bool {
    name.chars()
        .any(|c| c != ' ' && !is_default_ignorable(c) && c.general_category_group() != GeneralCategoryGroup::Mark)
}
