//! Tests of whole bodies: those of other programs, as `tests/fixtures/webhooks` keeps them, and malformed ones.

use super::*;
use std::path::Path;

const JSON_TYPE: &str = "application/json";
const FORM_TYPE: &str = "application/x-www-form-urlencoded";

fn read(content_type: &str, body: &str) -> Result<HookPost, InvalidBody> {
    read_body(Some(content_type).filter(|it| !it.is_empty()), body.as_bytes())
}

fn text(content_type: &str, body: &str) -> String {
    read(content_type, body).unwrap_or_else(|error| panic!("{body}: {error}")).text
}

#[test]
fn bodies_of_other_programs_read_well() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/webhooks");
    let mut count = 0;
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let body = std::fs::read_to_string(&path).unwrap();
            let expected = std::fs::read_to_string(path.with_extension("txt")).unwrap();
            for (content_type, body) in [
                (JSON_TYPE, body.clone()),
                ("application/json; charset=UTF-8", body.clone()),
                (
                    FORM_TYPE,
                    format!("payload={}", url::form_urlencoded::byte_serialize(body.as_bytes()).collect::<String>()),
                ),
                (FORM_TYPE, body.clone()),
                ("", body),
            ] {
                let read = read(content_type, &body).unwrap();
                let shown = format!("{}\n{}\n", read.username.unwrap_or_default(), read.text);
                assert_eq!(shown, expected, "{} as {content_type}", path.display());
            }
            count += 1;
        }
    }
    assert!(count >= 7, "{count} bodies");
}

#[test]
fn a_text_has_several_names_and_types() {
    for (content_type, body) in [
        ("text/plain", "it works"),
        ("text/plain; charset=utf-8", " it works \r\n"),
        ("Text/Plain;charset=\"UTF-8\"", "it works"),
        ("", "it works"),
        ("text/plain", "\u{feff}it works"),
        (JSON_TYPE, "\u{feff}{\"text\":\"it works\"}"),
        (JSON_TYPE, r#"{"text":"it works"}"#),
        (JSON_TYPE, r#"{"content":"it works"}"#),
        (JSON_TYPE, r#"{"message":"it works"}"#),
        (JSON_TYPE, r#"{"text":null,"content":"","message":"it works","extra":[{}]}"#),
        ("application/vnd.api+json", r#"{"text":"it works"}"#),
        (FORM_TYPE, "payload=%7B%22text%22%3A%22it+works%22%7D"),
        (FORM_TYPE, "text=it+works&token=x"),
        (FORM_TYPE, "it works"),
        (FORM_TYPE, r#"{"text":"it works"}"#),
        ("", r#"  {"text":"it works"}"#),
        (JSON_TYPE, r#"{"attachments":[{"fallback":"it works"}]}"#),
        (JSON_TYPE, r#"{"attachments":[{"fallback":"it works","text":"it works"}]}"#),
        (
            JSON_TYPE,
            r#"{"blocks":[{"type":"section","text":{"type":"mrkdwn","text":"it works"}},{"type":"divider"},7]}"#,
        ),
        (JSON_TYPE, r#"{"text":"it works","blocks":[{"type":"section","text":{"text":"it works"}}]}"#),
        (JSON_TYPE, r#"{"embeds":[{"description":"it works"}]}"#),
    ] {
        assert_eq!(text(content_type, body), "it works", "{content_type} {body}");
    }
    assert_eq!(text(FORM_TYPE, "a=b, 100%"), "a=b, 100%", "as `curl -d` sends it");
    assert_eq!(
        text(JSON_TYPE, r#"{"text":"one","attachments":[{"fallback":"disk full","text":"/var is 95 %"}]}"#),
        "one\ndisk full\n/var is 95 %"
    );
    for empty in
        ["{}", r#"{"text":" "}"#, r#"{"attachments":[{}],"alerts":[]}"#, r#"{"type":"room.events","events":[]}"#]
    {
        assert_eq!(text(JSON_TYPE, empty), "", "{empty}");
    }
}

#[test]
fn a_name_comes_with_the_text() {
    let name = |content_type, body| read(content_type, body).unwrap().username;
    assert_eq!(name(JSON_TYPE, r#"{"text":"x","username":"CI"}"#).as_deref(), Some("CI"));
    assert_eq!(name(FORM_TYPE, "message=x&username=CI").as_deref(), Some("CI"));
    for none in [
        r#"{"text":"x"}"#,
        r#"{"text":"x","username":null}"#,
        r#"{"text":"x","username":"  "}"#,
        r#"{"text":"x","username":7}"#,
    ] {
        assert_eq!(name(JSON_TYPE, none), None, "{none}");
    }
}

#[test]
fn a_long_text_is_cut() {
    for (content_type, long) in [
        ("text/plain", "é".repeat(MAX_MESSAGE_CHARS + 1)),
        ("text/plain", "😀".repeat(50_000)),
        (JSON_TYPE, format!(r#"{{"text":"{}"}}"#, "x".repeat(100_000))),
        (JSON_TYPE, format!(r#"{{"blocks":[{}{{}}]}}"#, r#"{"type":"header","text":{"text":"a word"}},"#.repeat(90))),
    ] {
        let text = text(content_type, &long);
        if !long.contains("blocks") {
            assert_eq!(text.chars().count(), MAX_MESSAGE_CHARS);
            assert!(text.ends_with(ELLIPSIS));
        }
    }
    let fits = "x".repeat(MAX_MESSAGE_CHARS);
    assert_eq!(text("text/plain", &format!("  {fits}\n")), fits);
}

#[test]
fn a_malformed_body_is_named() {
    use InvalidBody::{Encoding, FieldType, MediaType, Syntax};
    for (content_type, body, error) in [
        (JSON_TYPE, "", Syntax),
        (JSON_TYPE, "{", Syntax),
        (JSON_TYPE, "hello", Syntax),
        (JSON_TYPE, r#"{"text":"x"} x"#, Syntax),
        (JSON_TYPE, r#"{"text":"\ud800"}"#, Syntax),
        (JSON_TYPE, r#"{'text':'x'}"#, Syntax),
        (JSON_TYPE, "[]", FieldType),
        (JSON_TYPE, "\"hello\"", FieldType),
        (JSON_TYPE, "7", FieldType),
        (JSON_TYPE, "null", FieldType),
        (JSON_TYPE, r#"{"text":7}"#, FieldType),
        (JSON_TYPE, r#"{"text":["x"]}"#, FieldType),
        (JSON_TYPE, r#"{"text":"x","content":{}}"#, FieldType),
        (JSON_TYPE, "[[[[", Syntax),
        (FORM_TYPE, "payload=%7B%7D&payload=%7B%7D", Syntax),
        (FORM_TYPE, "text=x&text=y", Syntax),
        (JSON_TYPE, r#"{"text":"x","text":"y"}"#, Syntax),
        (JSON_TYPE, r#"{"text":"x","attachments":{}}"#, FieldType),
        (JSON_TYPE, r#"{"text":"x","blocks":"x"}"#, FieldType),
        (FORM_TYPE, "payload=x", Syntax),
        (FORM_TYPE, "payload=", Syntax),
        (FORM_TYPE, "payload=%5B%5D", FieldType),
        ("image/png", "x", MediaType),
        ("multipart/form-data; boundary=x", "x", MediaType),
        ("text/html", "x", MediaType),
        ("text/plain; charset=iso-8859-1", "x", MediaType),
        ("nonsense", "x", MediaType),
    ] {
        assert_eq!(read(content_type, body), Err(error), "{content_type} {body}");
    }
    let deep = format!("{}{}", r#"{"text":"#, "[".repeat(10_000));
    assert_eq!(read(JSON_TYPE, &deep), Err(Syntax));
    for content_type in ["text/plain", JSON_TYPE, FORM_TYPE, ""] {
        assert_eq!(read_body(Some(content_type), b"\xff\xfe"), Err(Encoding), "{content_type}");
    }
}
