//! Escapes text of visitors for terminals and for files that are read line by line.

use std::borrow::Cow;
use std::fmt::Write;

/// Returns `text` with each unsafe character as `\uNNNN`, which is also valid in JSON. The result is one line.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    escape(text, is_unsafe)
}

/// Returns `text` escaped, but keeps its line feeds and tabs.
pub(crate) fn escaped_lines(text: &str) -> Cow<'_, str> {
    escape(text, |c| !matches!(c, '\n' | '\t') && is_unsafe(c))
}

fn escape(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_escaped(c) {
            write!(plain, "\\u{:04x}", u32::from(c)).expect("writing to a String");
        } else {
            plain.push(c);
        }
    }
    Cow::Owned(plain)
}

/// Returns whether `c` is a control character, separates lines or paragraphs, or changes the direction of text.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_characters_become_escapes() {
        let text = "a\r\nFAKE \u{1b}[31m\u{9b}2J \u{202e}é\u{2028}\t\u{2066}😀\u{2069}";
        let plain = "\\u001b[31m\\u009b2J \\u202eé\\u2028\\u0009\\u2066😀\\u2069";
        assert_eq!(escaped(text), format!("a\\u000d\\u000aFAKE {plain}"));
        let lines = plain.replace("\\u0009", "\t");
        assert_eq!(escaped_lines(text), format!("a\\u000d\nFAKE {lines}"));
        assert!(matches!(escaped("plain é 😀"), Cow::Borrowed(_)));
    }
}
