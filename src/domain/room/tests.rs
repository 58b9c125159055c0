//! Tests of room names.

use super::*;
use proptest::prelude::*;

#[test]
fn letters_digits_and_three_signs_make_a_name() {
    for name in [
        "a",
        "harbour",
        "book-club",
        "v1.2_x",
        "книга",
        "部屋",
        "१२",
        "naïve",
        "-",
        "a.",
        "علی\u{200c}رضا",
        "ශ්\u{200d}රී",
        "😀",
        "👩\u{200d}🚀-club",
    ] {
        assert_eq!(RoomName::parse(name).unwrap().as_str(), name);
    }
}

#[test]
fn names_are_lower_case_and_composed() {
    assert_eq!(RoomName::parse("HARBOUR").unwrap().as_str(), "harbour");
    assert_eq!(RoomName::parse("cafe\u{301}").unwrap().as_str(), "caf\u{e9}");
    assert_eq!(RoomName::parse("❤\u{fe0f}").unwrap().as_str(), "❤");
    assert_eq!(RoomName::parse("1\u{fe0f}\u{20e3}").unwrap().path(), "/1%E2%83%A3/");
}

#[test]
fn a_bad_name_is_refused_with_the_reason() {
    use RoomNameError::*;
    for (raw, why) in [
        ("", Empty),
        ("a b", Character(' ')),
        ("a/b", Character('/')),
        ("a\u{202e}b", Character('\u{202e}')),
        ("a\0", Character('\0')),
        ("½", Character('½')),
        ("a\u{200d}b", Character('\u{200d}')),
        ("ب\u{200c}", Character('\u{200c}')),
        ("☰", Character('☰')),
        ("#", Character('#')),
        ("har\u{3164}bour", Character('\u{3164}')),
        ("\u{115f}", Character('\u{115f}')),
        ("a\u{1160}", Character('\u{1160}')),
        ("\u{ffa0}a", Character('\u{ffa0}')),
        ("a\u{fe0f}", Character('\u{fe0f}')),
        ("\u{301}", Invisible),
        ("\u{301}\u{16fe0}\u{1107f}", Character('\u{1107f}')),
        ("\u{fffc}", Character('\u{fffc}')),
        ("\u{1d159}", Character('\u{1d159}')),
        (".hidden", LeadingDot),
        ("..", LeadingDot),
        ("WS", Reserved("ws".into())),
    ] {
        assert_eq!(RoomName::parse(raw), Err(why), "{raw:?}");
    }
    assert!(RoomName::parse(&"é".repeat(64)).is_ok());
    assert_eq!(RoomName::parse(&"é".repeat(65)), Err(TooLong));
}

#[test]
fn the_name_of_a_private_room_ends_with_its_key() {
    let key = RoomKey::new(*b"128 bits of luck");
    let name = RoomName::parse(&format!("Book-Club~{}", key.to_string().to_uppercase())).unwrap();
    assert_eq!((name.title(), name.key(), name.is_private()), ("book-club", Some(key), true));
    assert_eq!(name, RoomName::parse("book-club").unwrap().with_key(key));
    assert_eq!(name.path(), format!("/book-club~{key}/"));
    let open = RoomName::parse("book-club").unwrap();
    assert_eq!((open.title(), open.key(), open.is_private()), ("book-club", None, false));
    for raw in ["a~b", "a~", "~", "a~b~c", &format!("{name}a"), &format!("{name}~{key}")] {
        assert_eq!(RoomName::parse(raw), Err(RoomNameError::Character('~')), "{raw}");
    }
    assert_eq!(RoomName::parse(&format!("~{key}")), Err(RoomNameError::Empty));
    assert_eq!(RoomName::parse(&format!("ws~{key}")), Err(RoomNameError::Reserved("ws".into())));
}

#[test]
fn the_form_turns_spaces_into_hyphens() {
    assert_eq!(RoomName::parse_form("  Book  club ").unwrap().as_str(), "book-club");
    assert_eq!(RoomName::parse_form("   "), Err(RoomNameError::Empty));
}

#[test]
fn the_path_is_percent_encoded() {
    assert_eq!(RoomName::parse("é.x").unwrap().path(), "/%C3%A9.x/");
}

proptest! {
    #[test]
    fn parsing_is_idempotent(raw in "\\PC{0,70}") {
        if let Ok(name) = RoomName::parse(&raw) {
            prop_assert_eq!(RoomName::parse(name.as_str()), Ok(name));
        }
    }
}
