//! Letters, marks and signs that are drawn as nothing: two names that differ by one of them look the same.

/// Whether a letter, mark or sign is invisible: it may be left undrawn (`Default_Ignorable_Code_Point` of Unicode), or its
/// picture is empty.
pub(super) fn is_drawn_as_nothing(c: char) -> bool {
    matches!(c,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{13441}' | '\u{13442}' | '\u{e0100}'..='\u{e01ef}')
}
