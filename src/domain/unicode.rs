//! Letters, marks and signs that are drawn as nothing: two names that differ by one of them look the same.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Whether a letter, mark or sign is invisible: it may be left undrawn (`Default_Ignorable_Code_Point` of Unicode), or its
/// picture is empty.
pub(super) fn is_default_ignorable(c: char) -> bool {
    matches!(c,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}'
        | '\u{303f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fffc}' | '\u{1107f}' | '\u{13441}'
        | '\u{13442}' | '\u{16fe4}' | '\u{1d159}' | '\u{e0100}'..='\u{e01ef}')
}

/// Whether a name shows anything by itself: a mark does not, it changes what stands before it.
pub(super) fn has_base_character(name: &str) -> bool {
    name.chars()
        .any(|c| c != ' ' && !is_default_ignorable(c) && c.general_category_group() != GeneralCategoryGroup::Mark)
}
