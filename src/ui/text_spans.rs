//! Links and code in the text of a message. No other markup is supported: gzipped, pulldown-cmark would add 81 kB to
//! the module, and linkify 9 kB.

mod mentions;
mod punctuation;

pub use mentions::with_mentions;

use crate::domain::Username;
use punctuation::{is_end, is_inner_mark};

/// A span of a message's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span<'a> {
    /// Plain text.
    Text(&'a str),
    /// A URL, shown as it is.
    Link(&'a str),
    /// Code within a line, between backticks.
    Code(&'a str),
    /// Lines of code, between fences of three backticks.
    Block(&'a str),
    /// `@` and a name that the message mentions, as the text has them, and the name as its holder writes it.
    Mention(&'a str, &'a Username),
}

/// Prefixes of URLs that become links.
const LINK_PREFIXES: [&str; 3] = ["https://", "http://", "mailto:"];

const FENCE: &str = "```";

/// Splits a text into spans, in order. They contain all of the text except the backticks around code.
pub fn spans(text: &str) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('`') {
        let (before, from) = rest.split_at(at);
        let Some((code, after)) = block(from).or_else(|| inline(from)) else {
            // Unclosed backticks are text.
            let ticks = from.len() - from.trim_start_matches('`').len();
            links(&rest[..at + ticks], &mut spans);
            rest = &from[ticks..];
            continue;
        };
        links(before, &mut spans);
        spans.push(code);
        rest = after;
    }
    links(rest, &mut spans);
    spans
}

/// Returns the lines of code at the beginning of `text`, and the rest.
fn block(text: &str) -> Option<(Span<'_>, &str)> {
    let from = text.strip_prefix(FENCE)?;
    // By bytes: the search for a text would add half a kilobyte to the module.
    let to = from.as_bytes().windows(FENCE.len()).position(|part| part == FENCE.as_bytes())?;
    let (code, after) = (&from[..to], &from[to + FENCE.len()..]);
    // The name of the language on the first line is not shown.
    let code = match code.split_once('\n') {
        Some((language, code)) if language.trim_end().bytes().all(is_of_language) => code,
        _ => code,
    };
    let code = code.trim_matches('\n');
    (!code.trim().is_empty()).then(|| (Span::Block(code), after.strip_prefix('\n').unwrap_or(after)))
}

/// Returns whether the name of a language may contain this byte: `c++`, `c#`, `objective-c`, `text/x-sh`,
/// `rust,ignore`.
fn is_of_language(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+#-_./,".contains(&byte)
}

/// Returns the code within a line at the beginning of `text`, and the rest.
fn inline(text: &str) -> Option<(Span<'_>, &str)> {
    let (code, after) = text.strip_prefix('`')?.split_once('`')?;
    (!code.trim().is_empty() && !code.contains('\n')).then_some((Span::Code(code), after))
}

/// Splits a text without code into links and plain text.
fn links<'a>(text: &'a str, spans: &mut Vec<Span<'a>>) {
    let mut shown = 0;
    let mut from = 0;
    while let Some((at, end)) = next_link(text, from) {
        push_text(&text[shown..at], spans);
        spans.push(Span::Link(&text[at..end]));
        (shown, from) = (end, end);
    }
    push_text(&text[shown..], spans);
}

fn push_text<'a>(text: &'a str, spans: &mut Vec<Span<'a>>) {
    if !text.is_empty() {
        spans.push(Span::Text(text));
    }
}

/// Returns the start and the end of the next URL at or after `from`.
fn next_link(text: &str, mut from: usize) -> Option<(usize, usize)> {
    while let Some(colon) = text[from..].find(':').map(|at| from + at) {
        let start = LINK_PREFIXES
            .iter()
            .find_map(|prefix| link_start(text, from, colon, prefix).map(|at| (at, at + prefix.len())));
        from = colon + 1;
        if let Some((at, body)) = start {
            let end = body + url_length(&text[body..]);
            if end > body {
                return Some((at, end));
            }
        }
    }
    None
}

/// Returns the start of `prefix` if its colon is the one at `colon` and no letter or digit precedes it.
fn link_start(text: &str, from: usize, colon: usize, prefix: &str) -> Option<usize> {
    let at = colon.checked_sub(prefix.find(':')?).filter(|at| *at >= from)?;
    let is_here = text.get(at..at + prefix.len())?.eq_ignore_ascii_case(prefix);
    let is_word = text[..at].chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric());
    (is_here && !is_word).then_some(at)
}

/// Returns the length of the URL at the beginning of `text`. It ends at a space, a quotation mark or the punctuation of
/// any script, before ASCII punctuation of the sentence, and before a bracket that was opened outside of it.
fn url_length(text: &str) -> usize {
    let mut link = &text[..text.find(is_end).unwrap_or(text.len())];
    loop {
        let Some(last) = link.chars().next_back() else { return 0 };
        let unopened = |open, close| last == close && link.matches(close).count() > link.matches(open).count();
        if !is_inner_mark(last) && !unopened('(', ')') && !unopened('[', ']') && !unopened('{', '}') {
            return link.len();
        }
        link = &link[..link.len() - last.len_utf8()];
    }
}

#[cfg(test)]
mod tests {
    use super::Span::*;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn urls_are_links_without_the_sentence_around_them() {
        for (text, link) in [
            ("see https://a.example/x.", "https://a.example/x"),
            ("(http://a.example/b_(c))", "http://a.example/b_(c)"),
            ("\"https://a.example/?q=1&r=[2]\"!", "https://a.example/?q=1&r=[2]"),
            ("mailto:ann@a.example, please", "mailto:ann@a.example"),
            ("HTTPS://A.example", "HTTPS://A.example"),
            ("или https://пример.example/путь…", "https://пример.example/путь"),
            ("请看https://example.com/a，谢谢", "https://example.com/a"),
            ("（见https://example.com/a）。", "https://example.com/a"),
            ("https://example.com/a（这里）", "https://example.com/a"),
            ("「https://example.com/a」を見て", "https://example.com/a"),
            ("https://ja.example/ジョン・スミス。", "https://ja.example/ジョン・スミス"),
            ("انظر https://example.com/a، شكرا", "https://example.com/a"),
            ("https://example.com/a؟", "https://example.com/a"),
            ("https://example.com/a۔", "https://example.com/a"),
            ("https://fa.example/علی\u{200c}رضا\u{200c}", "https://fa.example/علی\u{200c}رضا"),
            ("देखें https://example.com/a।धन्यवाद", "https://example.com/a"),
            ("https://example.com/a॥", "https://example.com/a"),
            ("https://example.com/a።", "https://example.com/a"),
            ("https://example.com/a។", "https://example.com/a"),
            ("https://example.com/a၊", "https://example.com/a"),
            ("https://example.com/a։", "https://example.com/a"),
            ("https://bo.example/བོད་ཡིག་", "https://bo.example/བོད་ཡིག"),
            ("„https://example.com/a“", "https://example.com/a"),
            ("‚https://example.com/a‘", "https://example.com/a"),
            ("’https://example.com/a’", "https://example.com/a"),
            ("»https://example.com/a«", "https://example.com/a"),
            ("⟨https://example.com/a⟩", "https://example.com/a"),
            ("﴾https://example.com/a﴿", "https://example.com/a"),
            ("https://he.example/צה״ל״", "https://he.example/צה״ל"),
            ("https://fr.example/l’été", "https://fr.example/l’été"),
            ("https://example.com/a\u{200b}", "https://example.com/a"),
            ("https://example.com/a\u{200f}b", "https://example.com/a"),
            ("https://example.com/a\u{3164}", "https://example.com/a"),
            ("https://example.com/a\u{e0041}", "https://example.com/a"),
            ("https://example.com/a\u{feff}", "https://example.com/a"),
            ("https://example.com/a！", "https://example.com/a"),
            ("https://example.com/a\u{1e95f}", "https://example.com/a"),
            ("https://example.com/a\u{11141}", "https://example.com/a"),
            ("https://ff.example/\u{1e922}\u{1e923}", "https://ff.example/\u{1e922}\u{1e923}"),
            ("|https://example.com/a|", "https://example.com/a"),
        ] {
            let found: Vec<Span> = spans(text).into_iter().filter(|span| matches!(span, Link(_))).collect();
            assert_eq!(found, [Link(link)], "{text}");
        }
    }

    #[test]
    fn other_schemes_and_halves_of_words_are_text() {
        for text in [
            "javascript:alert(1)",
            "data:text/html,x",
            "xhttps://a.example",
            "https://",
            "a:b",
            "ftp://a",
            "http:/a",
            "vbscript:x",
        ] {
            assert_eq!(spans(text), [Text(text)]);
        }
    }

    #[test]
    fn a_javascript_url_before_another_url_is_text() {
        assert_eq!(spans("javascript:https://a.example"), [Text("javascript:"), Link("https://a.example")]);
    }

    #[test]
    fn backticks_make_code_and_code_has_no_links() {
        assert_eq!(spans("run `ls https://a.example` now"), [Text("run "), Code("ls https://a.example"), Text(" now")]);
        assert_eq!(spans("```rust\nlet a = 1;\n  b\n```\nafter"), [Block("let a = 1;\n  b"), Text("after")]);
        assert_eq!(spans("```one line```"), [Block("one line")]);
        for language in ["c++", "C#", "objective-c", "text/x-sh", "rust,ignore", "c++ "] {
            assert_eq!(spans(&format!("```{language}\nint a;\n```")), [Block("int a;")], "{language}");
        }
        assert_eq!(spans("```f();\ng();```"), [Block("f();\ng();")]);
    }

    #[test]
    fn unclosed_backticks_are_text() {
        for text in ["a ` b", "``", "```", "` `", "a `b\nc` d"] {
            let shown: String =
                spans(text).iter().map(|span| if let Text(text) = span { *text } else { "?" }).collect();
            assert_eq!(shown, text);
        }
    }

    proptest! {
        /// All of the text is shown, and every link starts with an allowed prefix.
        #[test]
        fn all_of_the_text_is_shown(text in "[a-z`: /.()\\n]{0,40}|(https?://|mailto:|`|```|\\PC| ){0,12}") {
            let mut shown = String::new();
            for span in spans(&text) {
                let piece = match span {
                    Text(piece) | Code(piece) | Block(piece) | Mention(piece, _) => piece,
                    Link(piece) => {
                        prop_assert!(LINK_PREFIXES.iter().any(|prefix| piece.to_lowercase().starts_with(prefix)));
                        piece
                    }
                };
                shown.push_str(piece);
            }
            let letters = |text: &str| text.chars().filter(|c| !matches!(c, '`' | '\n')).collect::<String>();
            let whole = letters(&text);
            // Only the name of a language may be left out.
            prop_assert!(text.contains(FENCE) || letters(&shown) == whole, "{shown:?}");
        }
    }
}
