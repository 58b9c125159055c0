//! Completion of a mention: the name that the visitor begins to type after an `@`. Pure logic.

use crate::domain::mention::may_begin_after;
use crate::domain::username::MAX_USERNAME_GRAPHEMES;

/// Maximum number of names that are offered.
pub const MAX_OPTIONS: usize = 8;

/// The beginning of a name before the caret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MentionPrefix {
    /// The text before the name, including the `@`.
    before: String,
    /// The beginning of the name.
    pub name: String,
    /// The text after the caret.
    after: String,
}

impl MentionPrefix {
    /// Returns the name that is begun at `caret`, a number of UTF-16 code units as browsers count them, or `None` if there
    /// is none.
    pub fn at(text: &str, caret: usize) -> Option<Self> {
        let mut units = 0;
        let end = text.char_indices().find(|(_, c)| {
            units += c.len_utf16();
            units > caret
        });
        let (before, after) = text.split_at(end.map_or(text.len(), |(at, _)| at));
        let (before, name) = before.split_at(before.rfind('@')? + 1);
        let sign = before.chars().rev().nth(1);
        let is_name = !name.starts_with(' ') && !name.contains('\n') && name.chars().count() <= MAX_USERNAME_GRAPHEMES;
        (is_name && may_begin_after(sign)).then(|| Self {
            before: before.to_owned(),
            name: name.to_owned(),
            after: after.to_owned(),
        })
    }

    /// Returns whether a name begins like this one, whatever the case of its letters is.
    pub fn begins(&self, name: &str) -> bool {
        let lower = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
        lower(name).starts_with(&lower(&self.name))
    }

    /// Returns the text with the whole name, and the caret after it.
    pub fn complete(&self, name: &str) -> (String, usize) {
        let space = if self.after.starts_with(' ') { "" } else { " " };
        let before = format!("{}{name}{space}", self.before);
        let caret = before.encode_utf16().count() + usize::from(space.is_empty());
        (before + &self.after, caret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_at(text: &str) -> Option<String> {
        let (before, after) = text.split_once('|').unwrap();
        let prefix = MentionPrefix::at(&format!("{before}{after}"), before.encode_utf16().count());
        prefix.map(|prefix| prefix.name)
    }

    #[test]
    fn a_name_begins_after_an_at_sign_that_begins_a_word() {
        for (text, name) in [
            ("@|", Some("")),
            ("hi @An|", Some("An")),
            ("😀 @An|n Lee", Some("An")),
            ("(@ann le|)", Some("ann le")),
            ("@Ann @B|", Some("B")),
            ("谢谢@小|", Some("小")),
            ("ann@exa|", None),
            ("@ ann|", None),
            ("@ann\nlee|", None),
            ("no sign|", None),
            ("|@Ann", None),
        ] {
            assert_eq!(name_at(text).as_deref(), name, "{text}");
        }
        assert_eq!(name_at(&format!("@{}|", "x".repeat(33))), None);
    }

    #[test]
    fn a_name_is_completed_where_it_was_begun() {
        let prefix = MentionPrefix::at("😀 @an, hello", 6).unwrap();
        assert!(prefix.begins("Ann Lee") && prefix.begins("AN") && !prefix.begins("Bob"));
        assert_eq!(prefix.complete("Ann Lee"), ("😀 @Ann Lee , hello".into(), 12));
        let prefix = MentionPrefix::at("@ž there", 2).unwrap();
        assert!(prefix.begins("Žofie"));
        assert_eq!(prefix.complete("Žofie"), ("@Žofie there".into(), 7));
    }
}
