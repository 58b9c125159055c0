//! Mentions in plain text: `@` and a name that the message mentions.

use super::Span;
use crate::domain::Username;

/// Splits the plain text among `spans` at the mentions of these names.
pub fn with_mentions<'a>(spans: Vec<Span<'a>>, names: &[Username]) -> Vec<Span<'a>> {
    if names.is_empty() {
        return spans;
    }
    let mut split = Vec::new();
    for span in spans {
        match span {
            Span::Text(text) => split_text(text, names, &mut split),
            other => split.push(other),
        }
    }
    split
}

fn split_text<'a>(text: &'a str, names: &[Username], spans: &mut Vec<Span<'a>>) {
    let mut shown = 0;
    for (at, _) in text.match_indices('@') {
        let is_word = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        let length = mentioned(&text[at + 1..], names).filter(|_| at >= shown && !is_word);
        if let Some(length) = length {
            super::push_text(&text[shown..at], spans);
            shown = at + 1 + length;
            spans.push(Span::Mention(&text[at..shown]));
        }
    }
    super::push_text(&text[shown..], spans);
}

/// Returns the length of the longest of these names at the beginning of `text`, in bytes. The server has found them by
/// their look; here, a name that looks like one of them has as many characters, some of which are not ASCII.
fn mentioned(text: &str, names: &[Username]) -> Option<usize> {
    let matches = |name: &Username| {
        let name = name.as_str();
        let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).nth(name.chars().count() - 1)?;
        let written = &text[..end];
        let ends = !text[end..].starts_with(|c: char| c == '_' || c.is_ascii_alphanumeric());
        let has_spaces_alike = || written.split(' ').map(str::len).count() == name.split(' ').count();
        let is_alike = || !(written.is_ascii() && name.is_ascii()) && has_spaces_alike() && !written.contains('\n');
        (ends && (written.eq_ignore_ascii_case(name) || is_alike())).then_some(end)
    };
    names.iter().filter_map(matches).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::text_spans::spans;

    fn mentions(text: &str, names: &[&str]) -> Vec<String> {
        let names: Vec<Username> = names.iter().map(|name| Username::from_trusted((*name).into())).collect();
        let spans = with_mentions(spans(text), &names);
        let is_mention = |span: &Span| if let Span::Mention(text) = span { Some((*text).to_owned()) } else { None };
        spans.iter().filter_map(is_mention).collect()
    }

    #[test]
    fn the_names_of_a_message_are_found_in_its_text() {
        for (text, names, found) in [
            ("hi @ann, hi @Bob!", &["Ann", "Bob"][..], &["@ann", "@Bob"][..]),
            ("@Ann Smith and @Ann", &["Ann", "Ann Smith"], &["@Ann Smith", "@Ann"]),
            ("@\u{410}nn's", &["Ann"], &["@\u{410}nn"]),
            ("@žofie", &["Žofie"], &["@žofie"]),
            ("@さくらさん", &["さくら"], &["@さくら"]),
            ("@Annabel ann@Ann.example", &["Ann"], &[]),
            ("`@Ann` https://a.example/@Ann @Ann", &["Ann"], &["@Ann"]),
            ("@Ann", &[], &[]),
            ("@", &["Ann"], &[]),
        ] {
            assert_eq!(mentions(text, names), found, "{text}");
        }
    }
}
