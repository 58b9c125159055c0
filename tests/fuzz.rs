//! Property tests of parsers: names, ids, texts and frames are either refused or normalized by the rules. Inputs mix
//! random characters with the hostile ones in `tests/hostile`.

use parlour::domain::event::parse_seq;
use parlour::domain::{EventId, MessageText, RoomName, Username};
use parlour::protocol::{ClientFrame, ServerFrame};
use proptest::collection::vec;
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

const CASES: u32 = 20_000;

/// Pieces of text: any characters, and those that names are attacked with.
fn text() -> impl Strategy<Value = String> {
    let hostile = vec![
        "\u{202e}",
        "\u{2066}",
        "\u{200d}",
        "\u{200b}",
        "\u{feff}",
        "\u{fe0f}",
        "\u{e0041}",
        "\u{3164}",
        "\u{34f}",
        "\0",
        "\r\n",
        "\u{85}",
        "\u{2028}",
        "\u{1b}[31m",
        " ",
        "\u{3000}",
        "\u{a0}",
        ".",
        "..",
        "/",
        "%2F",
        "\\",
        "ws",
        "api",
        "İ",
        "ẞ",
        "ς",
        "ﬁ",
        "ﷺ",
        "Å",
        "A\u{30a}",
        "e\u{301}",
        "한",
        "👩\u{200d}👧",
        "Ⅷ",
        "½",
        "١",
        "<b>",
        "\"",
        "'",
        "&amp;",
    ];
    let piece = prop_oneof![
        4 => any::<String>(),
        3 => "\\PC{0,6}",
        3 => "[a-zA-Z0-9._-]{0,8}",
        5 => proptest::sample::select(hostile).prop_map(str::to_owned),
        1 => ("\\PC", 1usize..80).prop_map(|(c, times)| c.repeat(times)),
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// JSON-like text with the protocol's fields.
fn json() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        text().prop_map(|text| serde_json::Value::from(text).to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| number.to_string()),
        "[\\[\\]{}:,\"0-9a-z\\\\]{0,12}",
        Just("null".to_owned()),
    ];
    let field = "type|id|message|username|target|text|after|[a-z]{1,5}";
    let kind = prop_oneof!["post|edit|delete|typing|sync|heartbeat|[a-z]{0,6}"]
        .prop_map(|kind| format!("\"type\":\"{kind}\""));
    (vec((field, value).prop_map(|(field, value)| format!("\"{field}\":{value}")), 0..5), proptest::option::of(kind))
        .prop_map(|(fields, kind)| format!("{{{}}}", fields.into_iter().chain(kind).collect::<Vec<_>>().join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn a_room_name_is_canonical_and_plain(raw in text()) {
        for parsed in [RoomName::parse(&raw), RoomName::parse_form(&raw)].into_iter().flatten() {
            let name = parsed.as_str();
            prop_assert!((1..=64).contains(&name.chars().count()) && !name.starts_with('.'));
            prop_assert!(!name.contains(|c: char| c.is_control() || c.is_whitespace() || "/\\%?#\"'<>&".contains(c)));
            prop_assert_eq!(name.nfc().collect::<String>(), name);
            prop_assert!(parsed.path().is_ascii() && parsed.path().matches('/').count() == 2);
            prop_assert_eq!(RoomName::parse(name), Ok(parsed.clone()));
        }
    }

    #[test]
    fn a_username_is_short_and_visible(raw in text()) {
        if let Ok(parsed) = Username::parse(&raw) {
            let name = parsed.as_str();
            let turns = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            prop_assert!(!name.contains(|c: char| c.is_control() || turns(c)));
            prop_assert!(!name.is_empty() && name.trim() == name && !name.contains("  ") && name.len() <= 256);
            prop_assert_eq!(Username::parse(name), Ok(parsed.clone()));
            prop_assert!(Username::parse(parsed.numbered(2).as_str()).is_ok());
            prop_assert!(parsed.initials().graphemes(true).count() <= 2);
        }
    }

    #[test]
    fn a_text_an_id_and_a_number_keep_their_rules(raw in text()) {
        if let Ok(parsed) = MessageText::parse(&raw) {
            let text = parsed.as_str();
            prop_assert!(!text.trim().is_empty() && text.chars().count() <= 4000 && !text.contains(['\0', '\r']));
            prop_assert_eq!(MessageText::parse(text), Ok(parsed.clone()));
        }
        if let Ok(id) = EventId::parse(&raw) {
            prop_assert!(id.as_str() == raw && raw.is_ascii());
        }
        if let Some(seq) = parse_seq(&raw) {
            prop_assert!(seq > 0);
        }
    }

    #[test]
    fn a_frame_is_read_or_refused_in_words(raw in prop_oneof![json(), text()]) {
        match ClientFrame::parse(&raw) {
            Ok(frame) => prop_assert_eq!(ClientFrame::parse(&frame.encode()), Ok(frame)),
            Err(bad) => prop_assert!(bad.rejection.detail.ends_with('.')),
        }
        // A browser reads frames of its own server only, but must not panic on any input.
        if let Some(frame) = ServerFrame::parse(&raw) {
            prop_assert_eq!(ServerFrame::parse(&frame.encode()), Some(frame));
        }
    }
}
