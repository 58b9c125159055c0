//! What a message's text is made of: plain text, links and code. Everything else is text.

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span<'a> {
    /// Text, as it was typed.
    Text(&'a str),
    /// An address, which is also what is shown.
    Link(&'a str),
    /// Code within a line: what stands between backticks.
    Code(&'a str),
    /// Lines of code: what stands between lines of three backticks.
    Block(&'a str),
}

/// What an address begins with.
const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];

const FENCE: &str = "```";

/// The pieces of a text, in order. All of the text is in them but the backticks around code.
pub fn spans(text: &str) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('`') {
        let (before, from) = rest.split_at(at);
        let Some((code, after)) = block(from).or_else(|| inline(from)) else {
            // Backticks that nothing closes are text, up to the first sign that is none.
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

/// Lines of code at the beginning of `text`, and what follows them.
fn block(text: &str) -> Option<(Span<'_>, &str)> {
    let (code, after) = text.strip_prefix(FENCE)?.split_once(FENCE)?;
    // The name of a language on the first line is not shown.
    let code = match code.split_once('\n') {
        Some((language, code)) if language.chars().all(|c| c.is_ascii_alphanumeric()) => code,
        _ => code,
    };
    let code = code.trim_matches('\n');
    (!code.trim().is_empty()).then(|| (Span::Block(code), after.strip_prefix('\n').unwrap_or(after)))
}

/// Code within a line at the beginning of `text`, and what follows it.
fn inline(text: &str) -> Option<(Span<'_>, &str)> {
    let (code, after) = text.strip_prefix('`')?.split_once('`')?;
    (!code.trim().is_empty() && !code.contains('\n')).then_some((Span::Code(code), after))
}

/// Finds the addresses in a piece of text.
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

/// Where the next address at or after `from` begins and ends.
fn next_link(text: &str, mut from: usize) -> Option<(usize, usize)> {
    while let Some(colon) = text[from..].find(':').map(|at| from + at) {
        let begin =
            SCHEMES.iter().find_map(|scheme| begin(text, from, colon, scheme).map(|at| (at, at + scheme.len())));
        from = colon + 1;
        if let Some((at, body)) = begin {
            let end = body + length(&text[body..]);
            if end > body {
                return Some((at, end));
            }
        }
    }
    None
}

/// Where `scheme` begins if its colon is the one at `colon`, and nothing but the end of a word stands before it.
fn begin(text: &str, from: usize, colon: usize, scheme: &str) -> Option<usize> {
    let at = colon.checked_sub(scheme.find(':')?).filter(|at| *at >= from)?;
    let is_here = text.get(at..at + scheme.len())?.eq_ignore_ascii_case(scheme);
    let is_word = text[..at].chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric());
    (is_here && !is_word).then_some(at)
}

/// How much of `text` belongs to an address: up to a space or quotation mark, without the sentence's own punctuation
/// and without brackets that were opened before.
fn length(text: &str) -> usize {
    let is_end =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '`' | '“' | '”' | '«' | '»');
    let mut link = &text[..text.find(is_end).unwrap_or(text.len())];
    loop {
        let Some(last) = link.chars().next_back() else { return 0 };
        let unopened = |open, close| last == close && link.matches(close).count() > link.matches(open).count();
        let is_punctuation = matches!(last, '.' | ',' | ':' | ';' | '!' | '?' | '\'' | '*' | '…' | '。' | '，');
        if !is_punctuation && !unopened('(', ')') && !unopened('[', ']') && !unopened('{', '}') {
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
    fn addresses_are_links_without_the_sentence_around_them() {
        for (text, link) in [
            ("see https://a.example/x.", "https://a.example/x"),
            ("(http://a.example/b_(c))", "http://a.example/b_(c)"),
            ("\"https://a.example/?q=1&r=[2]\"!", "https://a.example/?q=1&r=[2]"),
            ("mailto:ann@a.example, please", "mailto:ann@a.example"),
            ("HTTPS://A.example", "HTTPS://A.example"),
            ("или https://пример.example/путь…", "https://пример.example/путь"),
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
    fn a_javascript_address_hidden_behind_another_is_not_followed() {
        assert_eq!(spans("javascript:https://a.example"), [Text("javascript:"), Link("https://a.example")]);
    }

    #[test]
    fn backticks_make_code_and_code_has_no_links() {
        assert_eq!(spans("run `ls https://a.example` now"), [Text("run "), Code("ls https://a.example"), Text(" now")]);
        assert_eq!(spans("```rust\nlet a = 1;\n  b\n```\nafter"), [Block("let a = 1;\n  b"), Text("after")]);
        assert_eq!(spans("```one line```"), [Block("one line")]);
    }

    #[test]
    fn backticks_that_nothing_closes_are_text() {
        for text in ["a ` b", "``", "```", "` `", "a `b\nc` d"] {
            let shown: String =
                spans(text).iter().map(|span| if let Text(text) = span { *text } else { "?" }).collect();
            assert_eq!(shown, text);
        }
    }

    proptest! {
        /// Nothing that was typed goes missing, and every link begins with a scheme that is allowed.
        #[test]
        fn all_of_the_text_is_shown(text in "[a-z`: /.()\\n]{0,40}|(https?://|mailto:|`|```|\\PC| ){0,12}") {
            let mut shown = String::new();
            for span in spans(&text) {
                let piece = match span {
                    Text(piece) | Code(piece) | Block(piece) => piece,
                    Link(piece) => {
                        prop_assert!(SCHEMES.iter().any(|scheme| piece.to_lowercase().starts_with(scheme)));
                        piece
                    }
                };
                shown.push_str(piece);
            }
            let letters = |text: &str| text.chars().filter(|c| !matches!(c, '`' | '\n')).collect::<String>();
            let whole = letters(&text);
            // The name of a language is all that may be left out.
            prop_assert!(text.contains(FENCE) || letters(&shown) == whole, "{shown:?}");
        }
    }
}
