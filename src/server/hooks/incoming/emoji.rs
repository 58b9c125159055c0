//! Names of emoji between colons: `:tada:` is 🎉.

/// Maximum length of a name, in bytes.
const MAX_EMOJI_NAME_BYTES: usize = 48;

/// Beginning of the names of skin tones, which follow an emoji.
const SKIN_TONE: &str = ":skin-tone-";

/// Slack's names that GitHub's list, which `emojis` has, does not know.
const SLACK_NAMES: [(&str, &str); 8] = [
    ("large_green_circle", "green_circle"),
    ("large_yellow_circle", "yellow_circle"),
    ("large_orange_circle", "orange_circle"),
    ("large_red_circle", "red_circle"),
    ("large_red_square", "red_square"),
    ("large_green_square", "green_square"),
    ("simple_smile", "slightly_smiling_face"),
    ("white_tick", "white_check_mark"),
];

/// Replaces the names of emoji by the emoji. A name stands apart from letters and digits, so that times and the like
/// are left as they are.
pub(super) fn with_emoji(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(':') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let is_apart = !plain.chars().next_back().is_some_and(|before| before.is_alphanumeric() || before == ':');
        match named_emoji(rest).filter(|_| is_apart) {
            Some((emoji, length)) => {
                plain.push_str(emoji);
                rest = without_skin_tone(&rest[length..]);
            }
            None => {
                plain.push(':');
                rest = &rest[1..];
            }
        }
    }
    plain + rest
}

/// Returns the emoji whose name is at the beginning of `text`, and the length of the name with its colons.
fn named_emoji(text: &str) -> Option<(&'static str, usize)> {
    let is_part = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_+-".contains(byte);
    let length = text.bytes().skip(1).take(MAX_EMOJI_NAME_BYTES).take_while(is_part).count();
    let name = &text[1..1 + length];
    let after = text[1 + length..].strip_prefix(':').filter(|_| length > 0)?;
    if after.chars().next().is_some_and(char::is_alphanumeric) {
        return None;
    }
    let name = SLACK_NAMES.iter().find(|(slack, _)| *slack == name).map_or(name, |(_, known)| known);
    emojis::get_by_shortcode(name).map(|emoji| (emoji.as_str(), length + 2))
}

/// Removes the name of a skin tone from the beginning of a text.
fn without_skin_tone(text: &str) -> &str {
    let tone = text.strip_prefix(SKIN_TONE).and_then(|rest| rest.strip_prefix(['2', '3', '4', '5', '6']));
    tone.and_then(|rest| rest.strip_prefix(':')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_emoji_where_they_stand_apart() {
        for (text, plain) in [
            (":tada:", "🎉"),
            ("done :tada::tada:!", "done 🎉🎉!"),
            (":+1: :-1: :100: :white_check_mark:", "👍 👎 💯 ✅"),
            (":wave::skin-tone-3: :large_green_circle:", "👋 🟢"),
            ("at 10:100:20, std::tada::x, a:tada:b", "at 10:100:20, std::tada::x, a:tada:b"),
            (":nothing_of_this_name: :: : :tada", ":nothing_of_this_name: :: : :tada"),
            ("é:tada: (:fire:)", "é:tada: (🔥)"),
        ] {
            assert_eq!(with_emoji(text), plain, "{text}");
        }
    }
}
