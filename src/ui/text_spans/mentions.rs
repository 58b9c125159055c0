//! Mentions in plain text: `@` and a name that the message mentions.

use super::Span;
use crate::domain::Username;
use crate::domain::mention::may_begin_after;

/// Splits the plain text among `spans` at the mentions of these names.
///
/// The server has found the names by their look. Where a text has one of them as it is, in any case, it is marked. A name
/// that the text does not have so is marked where something looks like it.
pub fn with_mentions<'a>(spans: Vec<Span<'a>>, names: &'a [Username]) -> Vec<Span<'a>> {
    if names.is_empty() {
        return spans;
    }
    let is_missing = |name: &&Username| {
        let mut texts = spans.iter().filter_map(|span| if let Span::Text(text) = span { Some(*text) } else { None });
        !texts.any(|text| text.match_indices('@').any(|(at, _)| same_length(&text[at + 1..], name).is_some()))
    };
    let missing: Vec<&Username> = names.iter().filter(is_missing).collect();
    let mut split = Vec::new();
    for span in spans {
        match span {
            Span::Text(text) => split_text(text, names, &missing, &mut split),
            other => split.push(other),
        }
    }
    split
}

fn split_text<'a>(text: &'a str, names: &'a [Username], missing: &[&'a Username], spans: &mut Vec<Span<'a>>) {
    let mut shown = 0;
    for (at, _) in text.match_indices('@') {
        if at < shown || !may_begin_after(text[..at].chars().next_back()) {
            continue;
        }
        let rest = &text[at + 1..];
        let same = names.iter().filter_map(|name| Some((same_length(rest, name)?, name)));
        let alike = || missing.iter().filter_map(|name| Some((alike_length(rest, name)?, *name)));
        let found = same.max_by_key(|(length, _)| *length).or_else(|| alike().max_by_key(|(length, _)| *length));
        if let Some((length, name)) = found {
            super::push_text(&text[shown..at], spans);
            shown = at + 1 + length;
            spans.push(Span::Mention(&text[at..shown], name));
        }
    }
    super::push_text(&text[shown..], spans);
}

/// Returns the length of a name at the beginning of `text`, in bytes, or `None` if the text does not begin so.
fn same_length(text: &str, name: &Username) -> Option<usize> {
    let name = name.as_str();
    let begins = text.get(..name.len()).is_some_and(|written| written.eq_ignore_ascii_case(name));
    (begins && ends_word(&text[name.len()..])).then_some(name.len())
}

/// Returns the length of something at the beginning of `text` that looks like a name, in bytes: each character is the same
/// in another case, or one of both is not ASCII; `rn` looks like `m`, and some digits like letters.
fn alike_length(text: &str, name: &Username) -> Option<usize> {
    let mut rest = text;
    let mut wanted = name.as_str();
    while let Some(next) = wanted.chars().next() {
        let written = rest.chars().next()?;
        let (pair, other) = if wanted.starts_with("rn") && !rest.starts_with("rn") {
            ("rn", "m")
        } else if rest.starts_with("rn") && !wanted.starts_with("rn") {
            ("m", "rn")
        } else if is_alike(written, next) {
            (&wanted[..next.len_utf8()], &rest[..written.len_utf8()])
        } else {
            return None;
        };
        wanted = wanted.strip_prefix(pair)?;
        rest = rest.strip_prefix(other)?;
    }
    ends_word(rest).then_some(text.len() - rest.len())
}

fn is_alike(written: char, name: char) -> bool {
    let lower = |c: char| match c.to_ascii_lowercase() {
        '0' => 'o',
        '1' | 'i' | '|' => 'l',
        c => c,
    };
    let is_same = lower(written) == lower(name) || written.to_lowercase().eq(name.to_lowercase());
    // A letter of another script may look like a Latin one.
    is_same || written.is_ascii() != name.is_ascii() && written.is_alphanumeric() && name.is_alphanumeric()
}

fn ends_word(rest: &str) -> bool {
    !rest.starts_with(|c: char| c == '_' || c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::text_spans::spans;

    fn mentions(text: &str, names: &[&str]) -> Vec<String> {
        let names: Vec<Username> = names.iter().map(|name| Username::from_trusted((*name).into())).collect();
        let spans = with_mentions(spans(text), &names);
        let mention = |span: &Span| if let Span::Mention(text, _) = span { Some((*text).to_owned()) } else { None };
        spans.iter().filter_map(mention).collect()
    }

    #[test]
    fn the_names_of_a_message_are_found_in_its_text() {
        for (text, names, found) in [
            ("hi @ann, hi @Bob!", &["Ann", "Bob"][..], &["@ann", "@Bob"][..]),
            ("@Ann Smith and @Ann", &["Ann", "Ann Smith"], &["@Ann Smith", "@Ann"]),
            ("hi @Bob and @Zoë and @all", &["Bob", "Zoë"], &["@Bob", "@Zoë"]),
            ("@\u{410}nn's and @all", &["Ann"], &["@\u{410}nn"]),
            ("@žofie", &["Žofie"], &["@žofie"]),
            ("@modem, @B0b and @lvy", &["modern", "Bob", "Ivy"], &["@modem", "@B0b", "@lvy"]),
            ("@Paypal", &["PaypaI"], &["@Paypal"]),
            ("@さくらさん、谢谢@小明", &["さくら", "小明"], &["@さくら", "@小明"]),
            ("@小红", &["小明"], &[]),
            ("@@weird", &["@weird"], &["@@weird"]),
            ("@Annabel ann@Ann.example", &["Ann"], &[]),
            ("`@Ann` https://a.example/@Ann @Ann", &["Ann"], &["@Ann"]),
            ("@Ann", &[], &[]),
            ("@", &["Ann"], &[]),
        ] {
            assert_eq!(mentions(text, names), found, "{text}");
        }
    }
}
