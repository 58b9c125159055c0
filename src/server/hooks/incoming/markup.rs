//! Slack's markup as plain text: links, mentions, entities and names of emoji
//! (<https://docs.slack.dev/messaging/formatting-message-text>).

use super::emoji::with_emoji;

/// Maximum length of what stands between angle brackets, in bytes.
const MAX_TAG_BYTES: usize = 4096;

/// Schemes of links between angle brackets.
const LINK_SCHEMES: [&str; 6] = ["http://", "https://", "mailto:", "tel:", "ftp://", "sftp://"];

/// Prefixes of links that are left out where the link is shown.
const HIDDEN_SCHEMES: [&str; 2] = ["mailto:", "tel:"];

/// Returns the text as people read it.
pub(super) fn to_plain_text(marked_up: &str) -> String {
    let mut plain = String::with_capacity(marked_up.len());
    let mut rest = marked_up;
    while let Some(start) = rest.find('<') {
        plain.push_str(&outside(&rest[..start]));
        let inside = &rest[start + 1..];
        let end = inside.bytes().take(MAX_TAG_BYTES).position(|byte| matches!(byte, b'<' | b'>' | b'\n'));
        let tag = end.filter(|end| inside.as_bytes()[*end] == b'>').map(|end| (&inside[..end], end));
        match tag.and_then(|(tag, end)| Some((read_tag(tag)?, end))) {
            Some((text, end)) => {
                plain.push_str(&text);
                rest = &inside[end + 1..];
            }
            None => {
                plain.push('<');
                rest = inside;
            }
        }
    }
    plain.push_str(&outside(rest));
    plain
}

fn outside(text: &str) -> String {
    without_entities(&with_emoji(text))
}

/// Decodes the three entities that Slack has, each once.
fn without_entities(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let entity = [("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")].into_iter().find(|(it, _)| rest.starts_with(it));
        let (length, character) = entity.map_or((1, "&"), |(entity, character)| (entity.len(), character));
        plain.push_str(character);
        rest = &rest[length..];
    }
    plain + rest
}

/// Returns the text of what stands between angle brackets, or `None` if it is no markup.
fn read_tag(tag: &str) -> Option<String> {
    let (target, label) = tag.split_once('|').map_or((tag, None), |(target, label)| (target, Some(label)));
    let label = label.filter(|label| !label.trim().is_empty()).map(outside);
    let named = |mark: char, name: &str| format!("{mark}{}", name.trim_start_matches(mark));
    match target.chars().next()? {
        '!' => {
            let command = &target[1..];
            // `!subteam^ID` and `!date^TIME^FORMAT` have their text as the label.
            let name = label.unwrap_or_else(|| command.split('^').next().unwrap_or_default().to_owned());
            match command.starts_with("date^") {
                _ if command.is_empty() => None,
                true => Some(name),
                false => Some(named('@', &name)),
            }
        }
        mark @ ('@' | '#') if target.len() > 1 => {
            let name = target[1..].trim_start_matches(['!', '&']);
            Some(named(mark, &label.unwrap_or_else(|| name.to_owned())))
        }
        _ if LINK_SCHEMES.iter().any(|scheme| starts_with(target, scheme)) => Some(link(target, label)),
        _ => custom_emoji(tag),
    }
}

fn starts_with(text: &str, scheme: &str) -> bool {
    text.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
}

fn link(target: &str, label: Option<String>) -> String {
    let target = without_entities(target);
    let hidden = HIDDEN_SCHEMES.iter().find(|scheme| starts_with(&target, scheme));
    let shown = hidden.map_or(&*target, |scheme| &target[scheme.len()..]);
    match label {
        Some(label) if label != shown && label != target => format!("{label} ({shown})"),
        _ => shown.to_owned(),
    }
}

/// Returns the name of one of Discord's own emoji: `:name:` for `<:name:id>` and `<a:name:id>`.
fn custom_emoji(tag: &str) -> Option<String> {
    let mut parts = tag.split(':');
    let (begin, name, id) = (parts.next()?, parts.next()?, parts.next()?);
    let is_emoji = matches!(begin, "" | "a")
        && !name.is_empty()
        && !id.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && id.bytes().all(|byte| byte.is_ascii_digit())
        && parts.next().is_none();
    is_emoji.then(|| format!(":{name}:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_read_as_plain_text() {
        for (marked_up, plain) in [
            ("see <https://ci.example.com/7|build 7>", "see build 7 (https://ci.example.com/7)"),
            ("<https://ci.example.com/?a=1&amp;b=2>", "https://ci.example.com/?a=1&b=2"),
            ("<https://ci.example.com|https://ci.example.com>", "https://ci.example.com"),
            ("<https://ci.example.com|>", "https://ci.example.com"),
            ("<mailto:ann@example.com|ann@example.com>", "ann@example.com"),
            ("<mailto:ann@example.com|Ann>", "Ann (ann@example.com)"),
            ("<!here> look", "@here look"),
            ("<!channel|channel> <!everyone>", "@channel @everyone"),
            ("<!subteam^S0123|@ops> <!subteam^S0123>", "@ops @subteam"),
            ("<!date^1392734382^{date}|Feb 18, 2014>", "Feb 18, 2014"),
            ("<@U0123|ann> <@U0123> <#C0123|general> <#C0123>", "@ann @U0123 #general #C0123"),
            ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
            ("&amp;lt; &amp;amp; &quot; & &", "&lt; &amp; &quot; & &"),
            ("a < b > c, x<y, <div>, <>, <!>, <@>", "a < b > c, x<y, <div>, <>, <!>, <@>"),
            ("<<https://a.example|a>", "<a (https://a.example)"),
            ("<https://a.example\n|a>", "<https://a.example\n|a>"),
            ("<:party:123456789> <a:dance:42> <t:1392734382:R>", ":party: :dance: <t:1392734382:R>"),
            (":tada: <https://a.example|:rocket: up>", "🎉 🚀 up (https://a.example)"),
            ("<https://a.example", "<https://a.example"),
            ("naïve 😀 <", "naïve 😀 <"),
        ] {
            assert_eq!(to_plain_text(marked_up), plain, "{marked_up}");
        }
        let long = format!("<https://a.example/{}|x>", "é".repeat(MAX_TAG_BYTES));
        assert_eq!(to_plain_text(&long), long);
    }
}
