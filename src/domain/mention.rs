//! Where a mention may begin and end, for the server, which finds mentions, and the browser, which shows them.

/// Returns whether an `@` after this character may begin a mention: the `@` of a mail address does not.
pub fn may_begin_after(before: Option<char>) -> bool {
    before.is_none_or(|c| !(c == '_' || c.is_alphanumeric()) || is_unseparated(c))
}

/// Returns whether a character belongs to a script that does not separate words: Thai, Lao, Burmese, Khmer, Japanese or
/// Chinese. Korean counts as one, because its particles follow a name at once.
pub fn is_unseparated(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}')
        || matches!(c, '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
        || matches!(c, '\u{20000}'..='\u{3ffff}')
}
